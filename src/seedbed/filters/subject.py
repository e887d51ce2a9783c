"""The text of a record that a filter looks at, and verdicts about it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict

EXCERPT_CHARS = 200
CALIBRATION_TEXTS = 2000

# Names of fields that a filter compares.
Fields = Annotated[tuple[str, ...], Field(min_length=1)]


class FilterOptions(BaseModel):
    """Base of every filter's options: an unknown key is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def filter_id(plugin: type) -> str:
    """`name@version`, as verdicts carry it."""
    return f"{plugin.name}@{plugin.version}"  # type: ignore[attr-defined]


def reject(
    record: Record, by: str, reason: str, evidence: Mapping[str, Any], score: float | None = None
) -> Verdict:
    return Verdict(record.id, by, keep=False, reason=reason, score=score, evidence=evidence)


def flag(
    record: Record, by: str, reason: str, evidence: Mapping[str, Any], score: float | None = None
) -> Verdict:
    """Kept, with a reason to look at it."""
    return Verdict(record.id, by, keep=True, reason=reason, score=score, evidence=evidence)


def no_text_fields(names: Iterable[str], task: Task) -> list[tuple[str, str]]:
    """(name, what to say of it) of each that is no text field of the task."""
    there = ", ".join(task.text_fields)
    return [
        (name, f"{name!r} is no text field of the task; there are: {there}")
        for name in names
        if name not in task.text_fields
    ]


def text_fields(task: Task, fields: Mapping[str, Any]) -> list[str]:
    """The texts of the task's text fields that are there, in its order: of a conversation each turn."""
    return [text for name in task.text_fields for text in texts_in(fields.get(name))]


def whole_text(task: Task, fields: Mapping[str, Any]) -> str:
    """The task's own view of a record as one text; of an incomplete record, the text that there is."""
    for name in task.text_fields:
        if not isinstance(value := fields.get(name), str) and not texts_in(value):
            return "\n".join(text_fields(task, fields))
    return task.as_text(fields)


def chosen_text(task: Task, fields: Mapping[str, Any], names: Sequence[str] | None) -> str:
    """The texts of the fields of these names, a line each; of a record as a whole where none are named."""
    if names is None:
        return whole_text(task, fields)
    return "\n".join(text for name in names for text in texts_in(fields.get(name)))


def calibration_texts(context: FilterContext, text: Callable[[Record], str] | None) -> list[str]:
    """At most 2,000 real texts, for thresholds: what `text` makes of real rows, or these as a whole."""
    if text is None:
        return list(context.real_texts or ())[:CALIBRATION_TEXTS]
    return [text(row) for row in context.real[:CALIBRATION_TEXTS]]


def excerpt(text: str) -> str:
    """At most 200 characters that any file can hold: a lone surrogate is shown as `?`."""
    short = text if len(text) <= EXCERPT_CHARS else text[: EXCERPT_CHARS - 1] + "…"
    return short.encode("utf-8", "replace").decode("utf-8")
