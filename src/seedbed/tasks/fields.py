"""What all task kinds share: the form of their options, their schema, and views of plain fields."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, StringConstraints

from seedbed.core.field_text import as_string, texts_in
from seedbed.core.protocols import Task

FieldName = Annotated[str, StringConstraints(strict=True, min_length=1)]
Schema = dict[str, Any]

TEXT: Mapping[str, Any] = {"type": "string", "minLength": 1}


class TaskOptions(BaseModel):
    """Base of every kind's options: an unknown key is refused, and a key may be no Python name (`from`)."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, validate_by_name=True, validate_by_alias=True, serialize_by_alias=True
    )


def distinct_fields(**named: str | None) -> None:
    """Raises ValueError where two options name one field; None or "" names none."""
    names = [name for name in named.values() if name]
    if len(set(names)) < len(names):
        *first, last = named
        raise ValueError(f"{', '.join(first)} and {last} must be different fields, not {', '.join(names)}")


@dataclass(slots=True)
class BoundTask:
    """A kind bound to a recipe, as far as kinds agree: texts, of which the first is what is asked.

    A kind says its `schema` where a field is no text, its `as_chat`, and whatever is otherwise with it.
    """

    kind: str
    fields: tuple[str, ...]
    text_fields: tuple[str, ...]
    label_field: str | None = None

    @property
    def compare_fields(self) -> tuple[str, ...]:
        return self.fields[:1]

    @property
    def asked_fields(self) -> tuple[str, ...]:
        return self.compare_fields

    @property
    def optional_fields(self) -> tuple[str, ...]:
        return ()

    @property
    def real_columns(self) -> Mapping[str, str]:
        return {name: name for name in self.fields}

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {}

    def schema(self, omit: Sequence[str] = ()) -> Schema:
        return object_schema(self.fields, omit)

    def as_text(self, fields: Mapping[str, Any]) -> str:
        return text_of(fields, self.text_fields)

    def label(self, fields: Mapping[str, Any]) -> str | None:
        return None


def object_schema(
    fields: Sequence[str],
    omit: Sequence[str] = (),
    *,
    own: Mapping[str, Mapping[str, Any]] | None = None,
    definitions: Mapping[str, Any] | None = None,
) -> Schema:
    """Strict JSON Schema (2020-12) of an object: every field required, no other allowed.

    A field is a text that is not empty, unless `own` has a schema of its own for it; `definitions` are
    what those refer to. The form is the one that structured output of the OpenAI wire takes with
    `strict: true`.
    """
    properties = {name: dict((own or {}).get(name, TEXT)) for name in fields if name not in omit}
    schema: Schema = {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }
    if definitions and any(name in properties for name in own or {}):
        schema["$defs"] = dict(definitions)
    return schema


def text_of(fields: Mapping[str, Any], names: Sequence[str]) -> str:
    """The texts of the named fields that there are, joined by newlines: an unreadable reply has none.

    A reply may hold a number or a list where text was asked for.
    """
    there = [fields[name] for name in names if name in fields]
    try:
        return "\n".join(there)  # of texts, as nearly always
    except TypeError:
        return "\n".join(text for value in there for text in texts_in(value) or [as_string(value)])


def labels_of(task: Task) -> tuple[str, ...]:
    """The labels that a task knows; none where it has no label, or does not list them."""
    if task.label_field is None:
        return ()
    described: Mapping[str, Any] = task.schema()["properties"][task.label_field]
    return tuple(described.get("enum", ()))


def exchange(asked: str, answered: str) -> list[dict[str, str]]:
    """One turn of the user and one of the assistant."""
    return [{"role": "user", "content": asked}, {"role": "assistant", "content": answered}]
