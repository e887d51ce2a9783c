"""A row as a student sees it: what is asked, what is to be answered, and the slices it belongs to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.protocols import Task


@dataclass(frozen=True, slots=True)
class Row:
    """One row that a student learns from or is asked.

    `text` is what is asked and `answer` what should come: the label, or what the assistant says last in the
    task's chat view. `fields` are the record's own, for students and scores that want more than text;
    `slots` the axis values behind a generated row.
    """

    id: str
    text: str
    answer: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    slots: Mapping[str, str] = field(default_factory=dict)


def row_of(task: Task, id_: str, fields: Mapping[str, Any], slots: Mapping[str, str] | None = None) -> Row:
    """The row of a record, by the views of its task."""
    if task.label_field is not None:
        text, answer = task.as_text(fields), task.label(fields) or ""
    else:
        *asked, said = task.as_chat(fields)
        text, answer = "\n".join(turn["content"] for turn in asked), said["content"]
    return Row(id_, text, answer, fields, slots or {})


def question_of(task: Task, row: Row) -> list[dict[str, str]]:
    """What a chat model is asked for a row: the turns before the assistant's last."""
    return task.as_chat(row.fields)[:-1]
