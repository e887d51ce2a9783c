"""What a data card tells beyond the report: who wrote the records, from which prompts, values and rows.

Everything is counted over the shards of the run, or read from what the run keeps of its recipe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from seedbed.core.errors import StoreError
from seedbed.core.record import Record
from seedbed.run.registry import registry
from seedbed.run.summary import summarise
from seedbed.run.view import RunView
from seedbed.store.folder import RunFolder

MOST_VALUES = 200
"""Values of a slot that are counted by name; of more, only how many there are is told."""


def dossier(view: RunView) -> dict[str, Any]:
    """Plain values for `publish.card.render_card`:

    summary      as the report has it
    seedbed      the version that wrote the run
    real_rows    {train, dev}
    redacted     source that is redacted -> kind -> spans replaced (chunks dropped under "secret")
    fields       what a field is for -> its name; labels
    models       {role, model, revision, endpoint (host alone), drafts, accepted}
    methods      name -> {drafts, accepted}
    templates    {template, hash, drafts, accepted}
    slots        name -> {values, counts of the accepted by value or None where there are many}
    depth        generation depth -> accepted
    accepted     how many
    sources      {name, path, licence, locked, split} as the recipe says
    generation   {temperature, examples, seed}
    filters      name -> options
    licences     of the roles, where the manifest has them
    licence      of the data set, as the recipe says; None where it does not
    record_licences  those behind the accepted records, joined as their provenance has them -> records
    exports      files in `export/`
    """
    facts, recipe = view.facts, _recipe(view.folder)
    generate = recipe.get("generate") or {}
    return {
        "summary": summarise(view),
        "seedbed": facts["seedbed"],
        "real_rows": facts["real_rows"],
        "redacted": facts.get("redacted", {}),
        "fields": _roles_of_fields(view),
        "labels": facts["task"]["labels"],
        "description": (recipe.get("task") or {}).get("description"),
        **_counted(view),
        "sources": [_source(name, value) for name, value in (recipe.get("sources") or {}).items()],
        "generation": {name: generate.get(name) for name in ("temperature", "examples", "seed")},
        "filters": {
            name: options for entry in recipe.get("filters") or () for name, options in entry.items()
        },
        "licences": facts.get("licences", []),
        "licence": recipe.get("licence"),
        "exports": sorted(path.name for path in view.folder.exports.glob("*") if path.is_file()),
    }


def _roles_of_fields(view: RunView) -> dict[str, str]:
    """By the option that names the field; a field that none names is called as it is."""
    task, options = view.task(registry()), view.facts["task"]["options"]
    roles = {name: role for role, name in options.items() if isinstance(name, str) and name in task.fields}
    return {roles.get(name, name): name for name in task.fields}


def _counted(view: RunView) -> dict[str, Any]:
    """One pass over all drafts."""
    models, methods, templates = _Counts(), _Counts(), _Counts()
    slots: dict[str, Counter[str]] = {}
    depth: Counter[int] = Counter()
    licences: Counter[str] = Counter()
    for record, fate in view.ledger().with_fates():
        origin = record.provenance
        for key in _models(record):
            models.add(key, fate.accepted)
        methods.add((origin.method or "",), fate.accepted)
        templates.add((origin.template or "", origin.template_hash or ""), fate.accepted)
        if fate.accepted:
            depth[origin.depth] += 1
            licences[origin.licence or ""] += 1
            for name, value in record.slots.items():
                slots.setdefault(name, Counter())[str(value)] += 1
    return {
        "models": models.rows("role", "model", "revision", "endpoint"),
        "methods": methods.rows("method"),
        "templates": templates.rows("template", "hash"),
        "slots": {name: _values(counts) for name, counts in sorted(slots.items())},
        "depth": dict(sorted(depth.items())),
        "accepted": depth.total(),
        "record_licences": dict(licences),
    }


def _models(record: Record) -> list[tuple[str, ...]]:
    return [
        (role, model.model, model.revision or "", host_of(model.endpoint))
        for role, model in sorted(record.provenance.models.items())
    ]


def host_of(endpoint: str) -> str:
    """Host and port of an address, and nothing else of it; a teacher in process has only a name."""
    try:
        parts = urlsplit(endpoint)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return "unreadable address"
    if not parts.scheme or not parts.netloc:
        return endpoint
    return f"{parts.hostname or ''}{port}"


class _Counts:
    """Drafts and accepted records by key, in order of first appearance."""

    def __init__(self) -> None:
        self._counts: dict[tuple[str, ...], list[int]] = {}

    def add(self, key: tuple[str, ...], accepted: bool) -> None:
        counts = self._counts.setdefault(key, [0, 0])
        counts[0] += 1
        counts[1] += accepted

    def rows(self, *names: str) -> list[dict[str, Any]]:
        return [
            {**dict(zip(names, key, strict=True)), "drafts": drafts, "accepted": accepted}
            for key, (drafts, accepted) in sorted(self._counts.items())
        ]


def _values(counts: Counter[str]) -> dict[str, Any]:
    known = dict(sorted(counts.items())) if len(counts) <= MOST_VALUES else None
    return {"values": len(counts), "counts": known}


def _source(name: str, value: Mapping[str, Any]) -> dict[str, Any]:
    split = value.get("split") or {}
    return {
        "name": name,
        "path": value.get("path"),
        "licence": value.get("licence"),
        "locked": bool(value.get("lock")),
        "split": {side: share for side, share in split.items() if side in ("dev", "eval") and share},
    }


def _recipe(folder: RunFolder) -> dict[str, Any]:
    """The recipe in force as the run keeps it. Raises StoreError where that is missing or damaged."""
    path: Path = folder.recipe_lock
    yaml: Any = YAML(typ="safe", pure=True)
    try:
        value = yaml.load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise StoreError(f"{path}: cannot be read (damaged?): {error}; run the recipe again") from error
    if not isinstance(value, dict):
        raise StoreError(f"{path}: is no recipe (damaged?); run the recipe again")
    return value
