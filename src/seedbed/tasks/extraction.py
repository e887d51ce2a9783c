"""`extraction`: a text and the record that it holds, in the form of a JSON Schema."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

from pydantic import BaseModel, Field, ValidationInfo, WithJsonSchema, field_validator, model_validator
from pydantic.errors import PydanticInvalidForJsonSchema

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
from seedbed.tasks.json_schema import as_field, check_schema, in_order


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
            folder = Path((info.context or {}).get("folder", ""))
            schema = _named_schema(value, folder) if isinstance(value, str) else value
            check_schema(schema)
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


def _named_schema(name: str, folder: Path) -> Any:
    if name.endswith(".json"):
        return _of_file(folder / name)
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError(
            f"'{name}' is neither a .json file nor module:Class of a pydantic model; name one, or write the "
            "schema here"
        )
    return _of_class(module, path, folder)


def _of_file(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError:
        raise ValueError(f"no such file: {path}; paths are relative to the recipe's folder") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: no JSON: {error.msg}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{path} cannot be read: {error}") from None


def _of_class(module: str, path: str, folder: Path) -> Any:
    """The schema of a pydantic model, whose module may stand in the recipe's folder."""
    sys.path.insert(0, str(folder))
    try:
        found: Any = importlib.import_module(module)
        for name in path.split("."):
            found = getattr(found, name)
    except Exception as error:  # noqa: BLE001 - a module of the user's may raise anything
        why = f"{type(error).__name__}: {error}"
        raise ValueError(
            f"{module}:{path} cannot be imported ({why}); put {module.partition('.')[0]} into the recipe's "
            "folder or install it"
        ) from None
    finally:
        sys.path.remove(str(folder))
    if not (isinstance(found, type) and issubclass(found, BaseModel) and found is not BaseModel):
        raise ValueError(
            f"{module}:{path} is no pydantic model; name a class derived from pydantic.BaseModel"
        )
    try:
        return found.model_json_schema()
    except PydanticInvalidForJsonSchema as error:
        raise ValueError(f"{module}:{path} has a type without a JSON form: {error.message}") from None
