"""`custom`: a record of whatever fields the recipe describes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from seedbed.core.field_text import as_json, as_string
from seedbed.tasks.fields import TEXT, BoundTask, FieldName, Schema, TaskOptions, exchange, object_schema
from seedbed.tasks.json_schema import check_schema, has_references


@dataclass(slots=True)
class Custom(BoundTask):
    """Fields of the recipe's own. Each has a JSON Schema; the strings without `enum` are text fields.

    Without `compare` the first text field is what is compared with the eval, and what a chat asks.
    """

    name: ClassVar[str] = "custom"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        fields: dict[FieldName, str | dict[str, Any]] = Field(
            description="field -> what it holds, in words (it is text), or its JSON Schema"
        )
        label: FieldName | None = Field(None, description="field whose values are labels (default: none)")
        compare: FieldName | tuple[FieldName, ...] | None = Field(
            None, description="text field or fields compared with the eval (default: the first)"
        )

        @field_validator("fields")
        @classmethod
        def _all_described(cls, value: dict[str, str | dict[str, Any]]) -> dict[str, str | dict[str, Any]]:
            for name, described in value.items():
                schema = _schema_of(described)
                try:
                    check_schema(schema)
                except ValueError as error:
                    raise ValueError(f"{name}: {error}") from None
                if has_references(schema):
                    raise ValueError(
                        f"{name}: $ref is for the kind `extraction`; write out what it stands for"
                    )
                if "type" not in schema:
                    raise ValueError(f"{name}: must say its type, such as type: number")
            if not any(map(_is_text, map(_schema_of, value.values()))):
                raise ValueError("must have a field of text, for that is what filters look at")
            return value

        @field_validator("label")
        @classmethod
        def _label_is_a_string(cls, value: str | None, info: ValidationInfo) -> str | None:
            described = info.data.get("fields")
            if value is None or described is None:
                return value
            if value not in described:
                raise ValueError(f"'{value}' is no field; there are: {', '.join(described)}")
            if _schema_of(described[value]).get("type") != "string":
                raise ValueError(f"'{value}' is no text; labels are")
            if not any(_is_text(_schema_of(d)) for name, d in described.items() if name != value):
                raise ValueError(f"'{value}' is the only text; a label needs a text that it is of")
            return value

        @model_validator(mode="after")
        def _compared_are_texts(self) -> Self:
            texts = [
                name for name, d in self.fields.items() if _is_text(_schema_of(d)) and name != self.label
            ]
            for name in self.compared:
                if name not in texts:
                    raise ValueError(f"compare names '{name}'; the text fields are: {', '.join(texts)}")
            return self

        @property
        def compared(self) -> tuple[str, ...]:
            return (self.compare,) if isinstance(self.compare, str) else self.compare or ()

        @property
        def labels(self) -> tuple[str, ...] | None:
            """Those that the label's schema lists."""
            listed = _schema_of(self.fields[self.label]).get("enum") if self.label is not None else None
            return tuple(listed) if listed else None

    schemas: Mapping[str, Schema] = field(default_factory=dict)
    compared: tuple[str, ...] = ()

    @property
    def compare_fields(self) -> tuple[str, ...]:
        return self.compared or self.text_fields[:1]

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {"schema": as_json(self.schemas)}

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Custom:
        """The task with the labels read from the data, or else with those that the recipe lists."""
        schemas = {name: _schema_of(described) for name, described in options.fields.items()}
        known = labels if labels is not None else options.labels
        if options.label is not None and known:
            schemas[options.label] = {**schemas[options.label], "enum": list(known)}
        texts = tuple(name for name, schema in schemas.items() if _is_text(schema) and name != options.label)
        return cls(cls.name, tuple(schemas), texts, options.label, schemas, options.compared)

    def schema(self, omit: Sequence[str] = ()) -> Schema:
        return object_schema(self.fields, omit, own=self.schemas)

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """What is compared is asked; what else there is, as JSON unless it is one field, is answered."""
        asked = [as_string(fields[name]) for name in self.compare_fields if name in fields]
        rest = {
            name: fields[name] for name in self.fields if name in fields and name not in self.compare_fields
        }
        answered = as_string(next(iter(rest.values()))) if len(rest) == 1 else as_json(rest)
        return exchange("\n\n".join(asked), answered)

    def label(self, fields: Mapping[str, Any]) -> str | None:
        value = fields.get(self.label_field) if self.label_field is not None else None
        return as_string(value) if value is not None else None


def _schema_of(described: str | Mapping[str, Any]) -> Schema:
    """The field's schema: of words alone that of a text, and a text is not empty."""
    if isinstance(described, str):
        return {**TEXT, "description": described}
    schema = dict(described)
    listed = schema.get("enum")
    if "type" not in schema and (listed is None or all(isinstance(value, str) for value in listed)):
        schema["type"] = "string"
    return schema if not _is_text(schema) else {**TEXT, **schema}


def _is_text(schema: Mapping[str, Any]) -> bool:
    return schema.get("type") == "string" and "enum" not in schema and "const" not in schema
