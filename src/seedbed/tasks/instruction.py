"""`instruction`: what a user asks, perhaps with a context, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from seedbed.tasks.fields import (
    BoundTask,
    FieldName,
    Schema,
    TaskOptions,
    distinct_fields,
    exchange,
    object_schema,
    text_of,
)


@dataclass(slots=True)
class Instruction(BoundTask):
    """What a user asks, perhaps with a context, and the answer. Fields in this order."""

    name: ClassVar[str] = "instruction"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        prompt: FieldName = Field("instruction", description="field that holds what is asked")
        answer: FieldName = Field("response", description="field that holds the answer")
        context: FieldName | None = Field(
            None, description="field with what the answer works on (default: none)"
        )

        @model_validator(mode="after")
        def _distinct_fields(self) -> Self:
            distinct_fields(prompt=self.prompt, answer=self.answer, context=self.context)
            return self

    @property
    def asked_fields(self) -> tuple[str, ...]:
        return self.fields[:-1]

    @property
    def optional_fields(self) -> tuple[str, ...]:
        return self.fields[1:-1]

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Instruction:
        """The task; `labels` are of no meaning here."""
        context = (options.context,) if options.context else ()
        fields = (options.prompt, *context, options.answer)
        return cls(cls.name, fields, fields)

    def schema(self, omit: Sequence[str] = ()) -> Schema:
        return object_schema(
            self.fields, omit, own={name: {"type": "string"} for name in self.optional_fields}
        )

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The user's turn ends with the context, a blank line apart."""
        asked = [text_of(fields, (name,)) for name in self.fields[:-1]]
        return exchange("\n\n".join(part for part in asked if part), text_of(fields, self.fields[-1:]))
