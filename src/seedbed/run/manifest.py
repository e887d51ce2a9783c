"""The manifest of a run folder: the versions of the recipe it grew through, and how it last stopped."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from seedbed import __version__
from seedbed.core.fate import Stopped
from seedbed.core.hashing import short_id
from seedbed.recipe import to_lock_yaml
from seedbed.run.binding import BoundRecipe
from seedbed.run.licensing import licences_of
from seedbed.run.pricing import price_of
from seedbed.run.rehearsing import rehearsal_facts
from seedbed.sources.eval_lock import EvalInfo
from seedbed.store.atomic import read_json, write_bytes, write_json
from seedbed.store.folder import RunFolder, workspace_log
from seedbed.store.replies import ReplyLog


@dataclass
class Manifest:
    """Plain JSON on disk, rewritten whole at each change; its writer holds the run's lock."""

    folder: RunFolder
    value: dict[str, Any]

    @classmethod
    def read(cls, folder: RunFolder) -> Manifest:
        return cls(folder, read_json(folder.manifest))

    @classmethod
    def open(
        cls, bound: BoundRecipe, eval_info: EvalInfo | None, log: ReplyLog, note: Callable[[str], None]
    ) -> Manifest:
        """Begin a manifest or go on with one, with the facts in force and no word yet of how it stopped.

        Where something that decides cells or verdicts changed, the rounds are set aside and made
        again from the reply log: cells that are the same as before cost nothing.
        """
        folder = bound.folder
        parts = parts_of(bound, eval_info)
        if folder.manifest.is_file():
            manifest = cls.read(folder)
            known: Mapping[str, str] = manifest.value["versions"][-1]["parts"]
            names = sorted(known.keys() | parts.keys())
            if changed := [name for name in names if known.get(name) != parts.get(name)]:
                manifest._set_rounds_aside()
                note(
                    f"{', '.join(changed)} changed since the last run: rounds are made again, and only "
                    "what the reply log lacks is asked"
                )
                manifest.value["versions"].append(_version(parts, changed))
                manifest.value["quotas"] = None
                if set(changed) - {"filters", "eval", "judge"}:
                    manifest.value["replies_after"] = log.last_row()
        else:
            versions = [_version(parts, [])]
            value: dict[str, Any] = {"versions": versions, "quotas": None, "replies_after": 0}
            manifest = cls(folder, value)
        # A report or an export reads these facts and needs neither the recipe's folder nor its data.
        manifest.value["facts"] = _facts(bound)
        manifest.value["stopped"] = None
        manifest._write()
        return manifest

    def _set_rounds_aside(self) -> None:
        number = len(self.value["versions"])
        # A crash between this move and the manifest's rewrite comes here again: never over a folder.
        while (earlier := self.folder.path / "earlier" / f"{number:04d}").exists():
            number += 1
        earlier.mkdir(parents=True)
        if self.folder.rounds.exists():
            self.folder.rounds.replace(earlier / "rounds")
        self.folder.rounds.mkdir()
        if self.folder.recipe_lock.exists():
            self.folder.recipe_lock.replace(earlier / self.folder.recipe_lock.name)

    def snapshot(self, bound: BoundRecipe) -> None:
        """Keep the recipe and the prompts in force beside what they made."""
        write_bytes(self.folder.recipe_lock, to_lock_yaml(bound.loaded).encode())
        prompts = [prompt for each in bound.model_filters for prompt in each.prompts.values()]
        for template in (*bound.templates.values(), *prompts):
            name = template.name.replace("/", "-").removesuffix(".j2")
            path = self.folder.prompts / f"{name}-{template.hash[:8]}.j2"
            if not path.exists():
                write_bytes(path, template.text.encode())

    @property
    def quotas(self) -> str | None:
        value: str | None = self.value["quotas"]
        return value

    def set_quotas(self, quotas: str | None) -> None:
        self.value["quotas"] = quotas
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
        locked = [eval_info.sha256, list(eval_info.compare), eval_info.ignore_after]
        parts["eval"] = short_id("part", locked)
    return parts


def _facts(bound: BoundRecipe) -> dict[str, Any]:
    recipe, folder = bound.recipe, bound.folder
    prices = {name: price_of(role) for name, role in recipe.roles.bound.items()}
    log = workspace_log(bound.loaded.folder)
    return {
        "recipe": recipe.name,
        "seedbed": __version__,
        "rehearsal": rehearsal_facts(recipe),
        "use": recipe.use,
        "licences": licences_of(recipe),
        "prices": {name: price.to_json() if price else None for name, price in prices.items()},
        "task": {
            "kind": bound.task.kind,
            "options": recipe.task.options.model_dump(mode="json"),
            "labels": list(bound.labels),
        },
        "target": bound.quotas.target,
        "by_field": {name: dict(values) for name, values in bound.quotas.by_field.items()},
        "real_rows": {"train": len(bound.train), "dev": len(bound.dev)},
        "model_filters": list(bound.ranking),
        "eval_path": str(bound.eval_spec.path) if bound.eval_spec else None,
        "reply_log": os.path.relpath(log, folder.path),
    }


def _version(parts: Mapping[str, str], changed: list[str]) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat(timespec="seconds")
    return {"at": at, "changed": changed, "parts": dict(parts)}
