"""The value of a field as text: most are text, some are conversations, some any JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any


def turns_of(value: Any) -> list[dict[str, str]]:
    """The turns of a conversation, `{"role", "content"}` each; none of any other value."""
    if not isinstance(value, list | tuple) or not all(map(_is_turn, value)):
        return []
    return [{"role": turn["role"], "content": turn["content"]} for turn in value]


def _is_turn(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(value.get(key), str) for key in ("role", "content"))


def texts_in(value: Any) -> list[str]:
    """What a filter of texts looks at: the text itself, or what is said in each turn of a conversation."""
    return [value] if isinstance(value, str) else [turn["content"] for turn in turns_of(value)]


def asked_in(value: Any) -> str:
    """What a comparison with the eval looks at: the text itself; of a conversation what the user says."""
    asked = [turn["content"] for turn in turns_of(value) if turn["role"] == "user"]
    return "\n".join(asked) if asked else as_string(value)


def as_string(value: Any) -> str:
    """A value for people and prompts: text as it stands, a conversation turn by turn, the rest as JSON."""
    if isinstance(value, str):
        return value
    if turns := turns_of(value):
        return "\n".join(f"{turn['role']}: {turn['content']}" for turn in turns)
    return as_json(value)


def as_json(value: Any) -> str:
    """A value on one line, as a model would write it into a reply."""
    return json.dumps(value, ensure_ascii=False, default=str)
