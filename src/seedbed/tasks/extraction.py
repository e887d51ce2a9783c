"""`extraction`: a text and the record that it holds, in the form of a JSON Schema."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import Field, ValidationInfo, WithJsonSchema, field_validator, model_validator

from seedbed.core.field_text import as_json
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
from seedbed.tasks.json_schema import as_field, in_order, read_schema


@dataclass(slots=True)
class Extraction(BoundTask):
    """A text and the JSON read out of it. Fields in the order input, record; the input alone is text."""

    name: ClassVar[str] = "extraction"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        input: FieldName = Field("text", description="field that holds the text")
        record: FieldName = Field("record", description="field that holds what is read out of it")
        # pydantic's models have a method called `schema`
        record_schema: Annotated[
            dict[str, Any], WithJsonSchema({"anyOf": [{"type": "object"}, {"type": "string"}]})
        ] = Field(
            alias="schema",
            description="the record's JSON Schema: written here, a `.json` file relative to the recipe's "
            "folder, or `module:Class` of a pydantic model",
        )

        @field_validator("record_schema", mode="before")
        @classmethod
        def _read(cls, value: Any, info: ValidationInfo) -> Any:
            """So that the options alone say what a record is, and a change of the file is one of them."""
            schema = read_schema(value, Path((info.context or {}).get("folder", "")))
            if schema.get("type") not in ("object", "array") and "$ref" not in schema:
                raise ValueError("must describe an object or a list: write type: object at its top")
            return schema

        @model_validator(mode="after")
        def _distinct_fields(self) -> Self:
            distinct_fields(input=self.input, record=self.record)
            return self

    record_schema: Schema = field(default_factory=dict)

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {"record": self.fields[1], "schema": as_json(self.record_schema)}

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Extraction:
        """The task; `labels` are of no meaning here."""
        fields = (options.input, options.record)
        return cls(cls.name, fields, fields[:1], record_schema=options.record_schema)

    def schema(self, omit: Sequence[str] = ()) -> Schema:
        record = self.fields[1]
        own, definitions = as_field(self.record_schema, record)
        return object_schema(self.fields, omit, own={record: own}, definitions=definitions)

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The text is what the user says, the record (JSON in the schema's order) the answer."""
        record = in_order(fields.get(self.fields[1]), self.record_schema, self.record_schema)
        return exchange(text_of(fields, self.fields[:1]), as_json(record))
