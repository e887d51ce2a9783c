"""What a rehearsal reads of real rows: which field asks for a label, and the texts at their places."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.chat import Hints
from seedbed.core.field_text import turns_of

# Where a text stands: in a field, or in a turn of a conversation, of which that of the system is -1.
Place = str | tuple[str, int]
Fields = dict[Place, Any]


def label_field(hints: Hints) -> str | None:
    """The field, if any, that asks for one of the labels instead of a text."""
    if not hints.labels or hints.output == "text":
        return None
    labels = set(hints.labels)
    for name in hints.fields:
        values = {str(row[name]) for row in hints.examples if name in row}
        if values <= labels if values else name != hints.text_field:
            return name
    return None


def turns_by_place(row: Mapping[str, Any], field: str) -> dict[Place, str]:
    """What is said in a conversation, by its place."""
    turns = turns_of(row.get(field))
    first = -1 if turns and turns[0]["role"] == "system" else 0
    return {(field, number): turn["content"] for number, turn in enumerate(turns, start=first)}


def text_at(row: Mapping[str, Any], place: Place) -> str:
    """A text of a row that has a UTF-8 form, as a model's reply would."""
    value = row.get(place) if isinstance(place, str) else turns_by_place(row, place[0]).get(place)
    return "" if value is None else str(value).strip().encode("utf-8", "replace").decode()
