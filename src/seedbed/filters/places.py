"""Where in a record something was found, as evidence that does not quote it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import Task
from seedbed.text.spans import Span


def first_found(
    task: Task, fields: Mapping[str, Any], find: Callable[[str], Sequence[Span]]
) -> dict[str, Any] | None:
    """`{kind, field, start, end, found}` of the first find in the task's text fields; None without one.

    `start` and `end` count characters of the field from 0, the end exclusive; of a conversation those of
    its turn number `turn`. `found` is how many there are in that text.
    """
    for name in task.text_fields:
        value = fields.get(name)
        for turn, text in enumerate(texts_in(value)):
            if spans := find(text):
                first = spans[0]
                at = {} if isinstance(value, str) else {"turn": turn}
                return {
                    "kind": first.kind,
                    "field": name,
                    **at,
                    "start": first.start,
                    "end": first.end,
                    "found": len(spans),
                }
    return None
