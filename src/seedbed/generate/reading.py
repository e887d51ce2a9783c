"""From a reply's text to the fields of a draft, or to the reason why there are none."""

from __future__ import annotations

import re
from typing import Any, Literal

import orjson

from seedbed.core.chat import Choice
from seedbed.core.record import Unreadable

# Many servers wrap JSON in a Markdown fence whatever they are told.
_FENCE = re.compile(r"\A\s*```(?:json)?[ \t]*\n(?P<body>.*?)\n?```\s*\Z", re.DOTALL | re.IGNORECASE)


# No record needs more, and what walks a record may recurse.
DEEPEST = 32
_NESTING = (dict, list)


def read_fields(
    choice: Choice, fields: tuple[str, ...], output: Literal["json", "text"]
) -> dict[str, Any] | Unreadable:
    """The reply's fields. With `text` output the whole reply is the one field asked for.

    A reply that the model cut at its token limit is `truncated` even where it parses: its last
    value may be half of what was meant.
    """
    text = choice.text
    if choice.finish_reason == "length":
        return Unreadable("truncated", "the reply stopped at its token limit (finish_reason length)", text)
    if output == "text":
        stripped = text.strip()
        if not stripped:
            return Unreadable("invalid_schema", "the reply is empty", text)
        return {fields[0]: stripped}
    fenced = _FENCE.match(text)
    try:
        value = orjson.loads(fenced["body"] if fenced else text)
    except orjson.JSONDecodeError as error:
        return Unreadable("not_json", str(error), text)
    if not isinstance(value, dict):
        return Unreadable("invalid_schema", f"a JSON object was asked for, not {type(value).__name__}", text)
    missing = [name for name in fields if name not in value]
    if missing:
        return Unreadable("invalid_schema", "missing: " + ", ".join(missing), text)
    extra = [str(name) for name in value if name not in fields]
    if extra:
        return Unreadable("invalid_schema", "not asked for: " + ", ".join(sorted(extra)), text)
    # Each level has a bracket in the text.
    if text.count("[") + text.count("{") > DEEPEST and _depth(value) > DEEPEST:
        return Unreadable("invalid_schema", f"nested deeper than {DEEPEST} levels", text)
    return value


def _depth(value: Any) -> int:
    """How deep maps and lists stand in one another, found without recursion."""
    deepest, level = 0, [value]
    while level:
        deepest += 1
        inner = [item for item in level if isinstance(item, _NESTING)]
        level = [x for item in inner for x in (item.values() if isinstance(item, dict) else item)]
    return deepest
