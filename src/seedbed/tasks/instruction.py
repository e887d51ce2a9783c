"""`instruction`: what a user asks, perhaps with a context, and the answer to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from seedbed.tasks.fields import object_schema, text_of

_Name = Annotated[str, StringConstraints(strict=True, min_length=1)]


@dataclass(slots=True)
class Instruction:
    """An instruction task bound to a recipe: fields in the order prompt, context, answer."""

    name: ClassVar[str] = "instruction"
    version: ClassVar[int] = 1

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        prompt: _Name = Field("instruction", description="field that holds what is asked")
        answer: _Name = Field("response", description="field that holds the answer")
        context: _Name | None = Field(None, description="field with what the answer works on (default: none)")

        @model_validator(mode="after")
        def _distinct_fields(self) -> Self:
            names = [self.prompt, self.answer, *([self.context] if self.context else [])]
            if len(set(names)) < len(names):
                raise ValueError(
                    "prompt, answer and context must be different fields, not " + ", ".join(names)
                )
            return self

    kind: str
    fields: tuple[str, ...]
    text_fields: tuple[str, ...]
    label_field: str | None = None

    @property
    def compare_fields(self) -> tuple[str, ...]:
        return self.fields[:1]

    @property
    def optional_fields(self) -> tuple[str, ...]:
        return self.fields[1:-1]

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Instruction:
        """The task; `labels` are of no meaning here."""
        context = (options.context,) if options.context else ()
        fields = (options.prompt, *context, options.answer)
        return cls(cls.name, fields, fields)

    def schema(self, omit: Sequence[str] = ()) -> dict[str, Any]:
        return object_schema(self.fields, omit, may_be_empty=self.optional_fields)

    def as_text(self, fields: Mapping[str, Any]) -> str:
        return text_of(fields, self.text_fields)

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The user's turn ends with the context, a blank line apart."""
        asked = [text_of(fields, (name,)) for name in self.fields[:-1]]
        return [
            {"role": "user", "content": "\n\n".join(part for part in asked if part)},
            {"role": "assistant", "content": text_of(fields, self.fields[-1:])},
        ]

    def label(self, fields: Mapping[str, Any]) -> str | None:
        return None
