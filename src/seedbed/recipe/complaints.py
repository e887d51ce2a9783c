"""What pydantic has against a value, in the words of the recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args, get_origin

from pydantic import AliasChoices, BaseModel, ValidationError
from pydantic.fields import FieldInfo

from seedbed.core.registry import nearest
from seedbed.recipe.document import KeyPath

_TYPES = {
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "finite_number": "must be a finite number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "dict_type": "must be a map of keys and values",
    "model_type": "must be a map of keys and values",
    "model_attributes_type": "must be a map of keys and values",
    "list_type": "must be a list",
    "tuple_type": "must be a list",
}
_BOUNDS = {
    "greater_than": ("gt", "more than"),
    "greater_than_equal": ("ge", "at least"),
    "less_than": ("lt", "less than"),
    "less_than_equal": ("le", "at most"),
}
_SHOWN_CHARACTERS = 40


@dataclass(frozen=True, slots=True)
class Complaint:
    """One finding; `path` is relative to the model. `known` is set where the key itself is unknown."""

    path: KeyPath
    message: str = ""
    known: tuple[str, ...] | None = None


def complaints(error: ValidationError, kind: type[BaseModel], values: Any) -> list[Complaint]:
    """One complaint a key: what the branches of a union have against one value is joined by "or"."""
    messages: dict[KeyPath, list[str]] = {}
    unknown: list[Complaint] = []
    for detail in error.errors(include_url=False):
        loc = tuple(detail["loc"])
        if detail["type"] == "extra_forbidden":
            known = _keys_at(kind, loc[:-1])
            unknown.append(Complaint(loc, "" if known is not None else f"unknown key '{loc[-1]}'", known))
        elif detail["type"] == "missing":
            messages.setdefault(loc, []).append("this key is missing")
        else:
            messages.setdefault(_existing(loc, values), []).append(_message(detail))
    found = [Complaint(path, ", or ".join(dict.fromkeys(texts))) for path, texts in messages.items()]
    return [*unknown, *found]


def shown(value: Any) -> str:
    """A short form of a scalar for an error; nothing of a list or map.

    A lone surrogate stands as its escape: pydantic makes no error of a message that is no UTF-8.
    """
    if isinstance(value, str):
        value = value.encode("utf-8", "backslashreplace").decode("utf-8")
        short = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
        return f"'{short}'"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    return "a map" if isinstance(value, dict) else "a list" if isinstance(value, list | tuple) else "nothing"


def one_of(known: Sequence[str], value: Any) -> str:
    """`must be …` for a choice of words, with the nearest one to what was written."""
    words = [f"'{word}'" for word in known]
    listed = " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
    close = nearest(value, list(known)) if isinstance(value, str) else None
    hint = f"; did you mean '{close}'?" if close else ""
    return f"must be {listed}, not {shown(value)}{hint}"


def _message(detail: Any) -> str:
    kind, value, bounds = detail["type"], detail["input"], detail.get("ctx", {})
    if kind in _TYPES:
        return f"{_TYPES[kind]}, not {shown(value)}"
    if kind in _BOUNDS:
        key, word = _BOUNDS[kind]
        return f"must be {word} {bounds[key]:g}, not {shown(value)}"
    if kind == "string_type":
        quote = "; put it in quotes" if isinstance(value, int | float) else ""
        return f"must be text, not {shown(value)}{quote}"
    if kind in ("string_too_short", "too_short"):
        return "must not be empty"
    if kind == "value_error":
        return str(bounds["error"])
    if kind == "literal_error":
        return one_of(
            [word.strip(" '") for word in bounds["expected"].replace(" or ", ", ").split(", ")], value
        )
    text: str = detail["msg"]
    return text[0].lower() + text[1:]


def _existing(loc: KeyPath, values: Any) -> KeyPath:
    """`loc` as far as it can be walked in the values: pydantic adds the names of a union's branches."""
    path: list[str | int] = []
    for key in loc:
        if isinstance(values, dict):
            found = key in values
        else:
            found = isinstance(values, list | tuple) and isinstance(key, int) and key < len(values)
        if not found:
            break
        values = values[key]
        path.append(key)
    return tuple(path) if path else loc[:1]


def keys_of(kind: type[BaseModel]) -> tuple[str, ...]:
    """The keys of a model as a recipe writes them: a field's alias, where it has one, or each of several."""
    return tuple(_fields_of(kind))


def _fields_of(kind: type[BaseModel]) -> dict[str, FieldInfo]:
    fields: dict[str, FieldInfo] = {}
    for name, info in kind.model_fields.items():
        several = info.validation_alias if isinstance(info.validation_alias, AliasChoices) else None
        keys = several.choices if several else [info.alias or name]
        fields |= {str(key): info for key in keys}
    return fields


def _keys_at(kind: type[BaseModel], loc: KeyPath) -> tuple[str, ...] | None:
    """The keys that the model at `loc` knows; None where the way there is not by models, maps and lists."""
    inner: Any = kind
    for key in loc:
        inner = _below(inner, key)
    return keys_of(inner) if _is_model(inner) else None


def _below(annotation: Any, key: str | int) -> Any:
    """What is annotated for the value at `key`; None where that cannot be told."""
    if _is_model(annotation):
        fields = _fields_of(annotation)
        return fields[str(key)].annotation if key in fields else None
    inner = get_args(annotation)
    if get_origin(annotation) is dict:
        return inner[1]
    if get_origin(annotation) in (list, tuple) and len(set(inner) - {Ellipsis}) == 1:
        return inner[0]
    return None


def _is_model(annotation: Any) -> bool:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)
