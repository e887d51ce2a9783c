"""`conversation`: several turns between a user and an assistant."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from seedbed.core.field_text import turns_of
from seedbed.tasks.fields import BoundTask, FieldName, Schema, TaskOptions, object_schema


def _turn(*roles: str) -> Schema:
    return {
        "type": "object",
        "properties": {
            "role": {"type": "string", "enum": list(roles)},
            "content": {"type": "string", "minLength": 1},
        },
        "required": ["role", "content"],
        "additionalProperties": False,
    }


def _says(role: str) -> Schema:
    return {"properties": {"role": {"const": role}}}


MESSAGES: Schema = {
    "type": "array",
    "prefixItems": [_turn("system", "user")],
    "items": _turn("user", "assistant"),
    "if": {"prefixItems": [_says("system")], "minItems": 1},
    "then": {"prefixItems": [{}, _says("user"), _says("assistant")], "minItems": 3},
    "else": {"prefixItems": [{}, _says("assistant")], "minItems": 2},
}
"""The turns: perhaps one of the system, then one of the user and one of the assistant, then more of either.

That the later ones take turns as well JSON Schema cannot say of a list of any length.
"""


@dataclass(slots=True)
class Conversation(BoundTask):
    """Turns of a user and an assistant. One field holds their list, `{"role", "content"}` each.

    It is compared with the eval by what the user says.
    """

    name: ClassVar[str] = "conversation"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        messages: FieldName = Field("messages", description="field that holds the list of turns")

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Conversation:
        """The task; `labels` are of no meaning here."""
        return cls(cls.name, (options.messages,), (options.messages,))

    def schema(self, omit: Sequence[str] = ()) -> Schema:
        return object_schema(self.fields, omit, own={self.fields[0]: MESSAGES})

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        return turns_of(fields.get(self.fields[0]))
