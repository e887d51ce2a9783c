"""`classification`: a text and its label."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, field_validator, model_validator

from seedbed.core.field_text import as_string
from seedbed.tasks.fields import BoundTask, FieldName, Schema, TaskOptions, exchange, object_schema


@dataclass(slots=True)
class Classification(BoundTask):
    """A text and its label. `labels` is None until they are known."""

    name: ClassVar[str] = "classification"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        input: FieldName = Field(description="field that holds the text")
        label: FieldName = Field(description="field that holds the label")
        labels: tuple[FieldName, ...] | None = Field(
            None, description="the labels there are (default: read from the real data)"
        )

        @field_validator("labels")
        @classmethod
        def _at_least_two(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
            if value is not None and len(value) < 2:
                raise ValueError("a classification needs at least two labels")
            if value is not None and len(set(value)) < len(value):
                twice = sorted({label for label in value if value.count(label) > 1})
                raise ValueError("stands more than once: " + ", ".join(twice))
            return value

        @model_validator(mode="after")
        def _two_fields(self) -> Self:
            if self.input == self.label:
                raise ValueError(f"input and label are both '{self.input}'; they must be two fields")
            return self

    labels: tuple[str, ...] | None = None

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Classification:
        """The task with the labels read from the data, or else with those that the recipe lists."""
        known = tuple(labels) if labels is not None else options.labels
        return cls(cls.name, (options.input, options.label), (options.input,), options.label, known)

    def schema(self, omit: Sequence[str] = ()) -> Schema:
        own = {self.fields[1]: {"type": "string", "enum": list(self.labels)}} if self.labels else None
        return object_schema(self.fields, omit, own=own)

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The text is what the user says, the label what the assistant answers."""
        return exchange(self.as_text(fields), self.label(fields) or "")

    def label(self, fields: Mapping[str, Any]) -> str | None:
        value = fields.get(self.fields[1])
        return as_string(value) if value is not None else None
