"""What all task kinds do with fields of text: one schema for them, one text of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def object_schema(
    fields: Sequence[str],
    omit: Sequence[str] = (),
    *,
    choices: Mapping[str, Sequence[str]] | None = None,
    may_be_empty: Sequence[str] = (),
) -> dict[str, Any]:
    """Strict JSON Schema (2020-12) of an object of texts: every field required, no other allowed.

    `choices` are the values a field may have. The form is the one that structured output of the
    OpenAI wire takes with `strict: true`.
    """
    properties: dict[str, Any] = {}
    for name in fields:
        if name in omit:
            continue
        properties[name] = {"type": "string"}
        if values := (choices or {}).get(name):
            properties[name]["enum"] = list(values)
        elif name not in may_be_empty:
            properties[name]["minLength"] = 1
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def text_of(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """The named fields that there are, joined by newlines: an unreadable reply has none."""
    return "\n".join(as_string(fields[name]) for name in names if name in fields)


def as_string(value: Any) -> str:
    """A field's value as text. A reply may hold a number or list where text was asked for."""
    return value if isinstance(value, str) else str(value)
