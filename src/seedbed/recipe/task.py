"""Section `task`: what kind of data, and which fields it has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pydantic import Field

from seedbed.core.protocols import Task
from seedbed.recipe.section import Options, Reading, Section, Text

_OWN_KEYS = ("kind", "description")


class TaskSection(Section):
    """The task's kind; the kind's own keys are written beside it."""

    kind: Text = Field(description="what a record is: one of the kinds below")
    description: Text | None = Field(None, description="what the data is for; every prompt may show it")
    options: Options = Field(description="the keys of the kind itself, written beside `kind`")

    @property
    def labels(self) -> tuple[str, ...] | None:
        """The labels that the recipe lists; None where the kind has none or they are read from the data."""
        labels = getattr(self.options, "labels", None)
        return tuple(labels) if labels is not None else None


@dataclass(frozen=True)
class ReadTask:
    """The section and its kind bound to it, as far as that is possible before data is read."""

    section: TaskSection
    bound: Task


def read_task(raw: Any, reading: Reading) -> ReadTask | None:
    """Read the section; None where the kind or its options are not usable (reported)."""
    findings, path = reading.findings, ("task",)
    if raw is None:
        findings.add(path, "this key is missing; for example task: {kind: classification, …}")
        return None
    values = findings.mapping(raw, path)
    if values is not raw:
        return None
    kind = values.get("kind")
    if not isinstance(kind, str):
        kinds = ", ".join(reading.registry.tasks.names())
        findings.add((*path, "kind"), f"this key must name the kind; there are: {kinds}")
        return None
    plugin = findings.plugin(reading.registry.tasks, kind, (*path, "kind"))
    if plugin is None:
        return None
    own = {key: values.get(key) for key in _OWN_KEYS if key in values}
    options = findings.model(
        plugin.Options,
        {key: value for key, value in values.items() if key not in own},
        path,
        {"folder": str(reading.folder)},
    )
    if options is None:
        return None
    section = findings.model(TaskSection, {**own, "options": options}, path)
    return ReadTask(section, plugin.bind(options, None)) if section is not None else None
