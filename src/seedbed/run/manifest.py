"""The manifest of a run folder: the versions of the recipe it grew through, and how it last stopped."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from seedbed import __version__
from seedbed.core.fate import Stopped
from seedbed.core.hashing import short_id
from seedbed.core.protocols import Prompt
from seedbed.recipe import to_lock_yaml
from seedbed.run.binding import BoundRecipe
from seedbed.run.filter_checks import not_checked
from seedbed.run.licensing import licences_of
from seedbed.run.pricing import price_of
from seedbed.run.registry import registry
from seedbed.run.rehearsing import rehearsal_facts
from seedbed.run.student_facts import student_facts
from seedbed.run.task_facts import task_facts
from seedbed.run.versions import Change, change_between, software
from seedbed.sources.eval_lock import EvalInfo
from seedbed.store.atomic import read_json, write_bytes, write_json
from seedbed.store.folder import RunFolder, workspace_log
from seedbed.store.replies import ReplyLog
from seedbed.store.successor import Successor


@dataclass
class Manifest:
    """Plain JSON on disk, rewritten whole at each change; its writer holds the run's lock.

    `change` is how the recipe in force differs from what made the rounds on disk, until they are
    made by it: see `begin` and `next_version`.
    """

    folder: RunFolder
    value: dict[str, Any]
    change: Change = field(default_factory=Change)

    @classmethod
    def read(cls, folder: RunFolder) -> Manifest:
        value = {"set_aside": [], "proof_of_earlier": False, **read_json(folder.manifest)}
        return cls(folder, value)

    @classmethod
    def look(cls, bound: BoundRecipe, eval_info: EvalInfo | None) -> Manifest:
        """The manifest of the run and what changed since, or a new one. Writes nothing."""
        folder, parts = bound.folder, parts_of(bound, eval_info)
        if not folder.manifest.is_file():
            value: dict[str, Any] = {
                "versions": [_version(bound, parts, Change(), 1)],
                "quotas": None,
                "replies_after": 0,
                "set_aside": [],
                "proof_of_earlier": False,
            }
            return cls(folder, value)
        manifest = cls.read(folder)
        known = manifest.value["versions"][-1]
        lock = folder.path / known["lock"] if "lock" in known else folder.recipe_lock
        manifest.change = change_between(known, lock, bound, parts, to_lock_yaml(bound.loaded))
        return manifest

    def begin(self, bound: BoundRecipe, eval_info: EvalInfo | None, log: ReplyLog) -> None:
        """Put the facts in force on disk, and no word yet of how the run stopped.

        Where the recipe asks something else now, the rounds are set aside, to be made again from the
        reply log: cells that are the same as before cost nothing. Where only verdicts change they
        stay until new ones are passed (run/judging_again.py).
        """
        # A report or an export reads these facts and needs neither the recipe's folder nor its data.
        self.value["facts"] = facts_of(bound)
        self.value["stopped"] = None
        if self.change.asks:
            value = self.next_version(bound, parts_of(bound, eval_info))
            value["replies_after"] = log.last_row()
            Successor(self.folder).take_over(value)
            self._reload()
        else:
            self._write()
        if not self.change:
            self.snapshot(bound)

    def next_version(self, bound: BoundRecipe, parts: Mapping[str, str]) -> dict[str, Any]:
        """The manifest for rounds that the recipe in force makes; the present ones are to be set aside."""
        if not self.change:
            return self.with_rounds_aside("new verdicts by the same recipe")
        version = _version(bound, parts, self.change, len(self.value["versions"]) + 1)
        return {
            **self.with_rounds_aside(f"{', '.join(self.change.parts)} changed"),
            "versions": [*self.value["versions"], version],
            "quotas": None,
        }

    def with_rounds_aside(self, why: str) -> dict[str, Any]:
        """The manifest once the present rounds have given way to others."""
        entry = {"at": now(), "version": len(self.value["versions"]), "why": why}
        return {**self.value, "set_aside": [*self.value["set_aside"], entry]}

    def replaced(self, bound: BoundRecipe) -> None:
        """Take note that a successor with the next version took over."""
        self._reload()
        self.snapshot(bound)

    def _reload(self) -> None:
        self.value = Manifest.read(self.folder).value
        self.change = Change()

    def snapshot(self, bound: BoundRecipe) -> None:
        """Keep the recipe and the prompts in force beside what they made, for each version apart."""
        lock = to_lock_yaml(bound.loaded).encode()
        write_bytes(self.folder.recipe_lock, lock)
        self.folder.versions.mkdir(exist_ok=True)
        version = self.value["versions"][-1]
        if "lock" in version:
            write_bytes(self.folder.path / version["lock"], lock)
        for template in prompts_of(bound):
            path = self.folder.path / prompt_copy(template)
            if not path.exists():
                write_bytes(path, template.text.encode())

    @property
    def quotas(self) -> str | None:
        value: str | None = self.value["quotas"]
        return value

    def set_quotas(self, quotas: str | None) -> None:
        self.value["quotas"] = quotas
        self._write()

    def set_proof_of_earlier(self, stale: bool) -> None:
        """Whether the proof on disk is of records, a mix or a student that have changed since."""
        if self.value["proof_of_earlier"] != stale:
            self.value["proof_of_earlier"] = stale
            self._write()

    def set_decided_by(self, facts: Mapping[str, Any]) -> None:
        """Which student and mix the run is looked at by now: see `student_facts`."""
        if self.value["facts"].get("decided_by") != facts:
            self.value["facts"]["decided_by"] = dict(facts)
            self._write()

    def record_stop(self, stopped: Stopped) -> None:
        self.value["stopped"] = stopped
        self._write()

    def _write(self) -> None:
        write_json(self.folder.manifest, self.value)


def parts_of(bound: BoundRecipe, eval_info: EvalInfo | None) -> dict[str, str]:
    """Hash by part of what decides cells and verdicts, the locked eval among it."""
    parts = bound.signature()
    if eval_info is not None:
        locked: list[Any] = [eval_info.sha256, list(eval_info.compare), eval_info.ignore_after]
        if bound.eval_spec is not None and bound.eval_spec.redaction is not None:
            locked.append(bound.eval_spec.redaction.fingerprint())
        parts["eval"] = short_id("part", locked)
    return parts


def facts_of(bound: BoundRecipe) -> dict[str, Any]:
    recipe, folder = bound.recipe, bound.folder
    prices = {name: price_of(role) for name, role in recipe.roles.priced.items()}
    log = workspace_log(bound.loaded.folder)
    return {
        "recipe": recipe.name,
        "seedbed": __version__,
        "rehearsal": rehearsal_facts(recipe),
        "use": recipe.use,
        "licences": licences_of(recipe),
        "prices": {name: price.to_json() if price else None for name, price in prices.items()},
        "task": task_facts(bound),
        "student": recipe.student.name if recipe.student is not None else None,
        "decided_by": student_facts(bound),
        "target": bound.quotas.target,
        "by_field": {name: dict(values) for name, values in bound.quotas.by_field.items()},
        "real_rows": {"train": len(bound.train), "dev": len(bound.dev)},
        "redacted": {name: dict(counts) for name, counts in bound.redacted.items()},
        "not_checked": not_checked(recipe, registry()),
        "model_filters": list(bound.ranking),
        "roles_of_filters": dict(
            zip(bound.ranking, (each.role for each in bound.model_filters), strict=True)
        ),
        "compared": {name: comparison.to_json() for name, comparison in bound.compared.items()},
        "eval_path": str(bound.eval_spec.path) if bound.eval_spec else None,
        "reply_log": os.path.relpath(log, folder.path),
        "recipe_file": os.path.relpath(bound.loaded.path, folder.path),
    }


def now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def prompts_of(bound: BoundRecipe) -> list[Prompt]:
    """Every prompt in force: those of the teacher, and those of model filters."""
    of_filters = [prompt for each in bound.model_filters for prompt in each.prompts.values()]
    return [*bound.templates.values(), *of_filters]


def prompt_copy(template: Prompt) -> str:
    """Where a run keeps the text of a template, relative to its folder."""
    return f"prompts/{template.name.replace('/', '-').removesuffix('.j2')}-{template.hash[:8]}.j2"


def _version(bound: BoundRecipe, parts: Mapping[str, str], change: Change, number: int) -> dict[str, Any]:
    return {
        "at": now(),
        "changed": list(change.parts),
        "differences": list(change.differences),
        "parts": dict(parts),
        "lock": f"versions/{number:04d}.lock.yaml",
        "prompts": {template.name: prompt_copy(template) for template in prompts_of(bound)},
        "templates": {template.name: template.hash for template in bound.templates.values()},
        "rows": {"train": len(bound.train), "dev": len(bound.dev)},
        "software": software(bound),
        "compared": {name: comparison.hash for name, comparison in bound.compared.items()},
    }
