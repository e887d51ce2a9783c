"""A JSON Schema of the user's as the schema of one field of a record."""

from __future__ import annotations

import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticInvalidForJsonSchema

from seedbed.recipe.named_files import read_named_file
from seedbed.tasks.fields import Schema

_NAMED = ("properties", "patternProperties", "dependentSchemas", "$defs", "definitions")
_DATA = ("const", "enum", "default", "examples")
_ABOUT_THE_DOCUMENT = ("$schema", "$id", "$comment", "$defs", "definitions")


def read_schema(written: Any, folder: Path) -> Schema:
    """A schema as a recipe in this folder writes it: in place, as a `.json` file, or as `module:Class`.

    Raises ValueError.
    """
    schema = _named_schema(written, folder) if isinstance(written, str) else written
    check_schema(schema)
    found: Schema = schema
    return found


def check_schema(schema: Any) -> None:
    """Raises ValueError where a value is no JSON Schema (2020-12), or refers to what is not in it."""
    import jsonschema_rs

    if not isinstance(schema, dict):
        raise ValueError("must be a JSON Schema: a map such as {type: object, properties: {…}}")
    for keyword, reference in _references(schema):
        if keyword != "$ref" or not (reference == "#" or reference.startswith("#/")):
            raise ValueError(
                f"refers to '{reference}' by {keyword}, which is not in the schema; put what it stands for "
                "under $defs and write $ref: '#/$defs/NAME'"
            )
    try:
        json.dumps(schema, allow_nan=False)
        jsonschema_rs.Draft202012Validator(schema)
    except (TypeError, ValueError) as error:
        said = error.message if isinstance(error, jsonschema_rs.ValidationError) else str(error)
        at = "/".join(map(str, getattr(error, "instance_path", ())))
        raise ValueError(f"no valid JSON Schema{f' at {at}' if at else ''}: {said}") from None


def has_references(schema: Any) -> bool:
    return next(_references(schema), None) is not None


def as_field(schema: Mapping[str, Any], field: str) -> tuple[Schema, Schema]:
    """(schema of the field, definitions for the record's schema), with references to where things now stand.

    Definitions go to the top under `$defs`, which is where structured output of the OpenAI wire wants them.
    """
    definitions = {**schema.get("definitions", {}), **schema.get("$defs", {})}
    place = field.replace("~", "~0").replace("/", "~1")
    moved = {name: _moved(value, place) for name, value in definitions.items()}
    own = {key: value for key, value in schema.items() if key not in _ABOUT_THE_DOCUMENT}
    return _moved(own, place), moved


def in_order(value: Any, schema: Any, root: Mapping[str, Any]) -> Any:
    """The value with its keys in the order of the schema's properties; what it does not name comes last."""
    schema = _resolved(schema, root)
    if isinstance(value, list):
        return [in_order(item, schema.get("items"), root) for item in value]
    if not isinstance(value, Mapping):
        return value
    known = schema.get("properties", {})
    names = [*(name for name in known if name in value), *(name for name in value if name not in known)]
    return {name: in_order(value[name], known.get(name), root) for name in names}


def _resolved(schema: Any, root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema that a reference stands for; of what is no schema, one that says nothing."""
    if not isinstance(schema, Mapping):
        return {}
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return schema
    definitions: dict[str, Mapping[str, Any]] = {**root.get("definitions", {}), **root.get("$defs", {})}
    return root if reference == "#" else definitions.get(reference.rpartition("/")[2], {})


def _references(schema: Any) -> Iterator[tuple[str, str]]:
    for each in _subschemas(schema):
        for keyword in ("$ref", "$dynamicRef", "$recursiveRef"):
            if isinstance(reference := each.get(keyword), str):
                yield keyword, reference


def _subschemas(value: Any) -> Iterator[Mapping[str, Any]]:
    """The schema and every schema within it; data that it quotes (`enum`) is none."""
    if isinstance(value, list):
        for item in value:
            yield from _subschemas(item)
    elif isinstance(value, dict):
        yield value
        for key, inner in value.items():
            if key in _NAMED and isinstance(inner, dict):
                yield from _subschemas(list(inner.values()))
            elif key not in _DATA:
                yield from _subschemas(inner)


def _moved(value: Any, place: str) -> Any:
    if isinstance(value, list):
        return [_moved(item, place) for item in value]
    if not isinstance(value, dict):
        return value
    moved: Schema = {}
    for key, inner in value.items():
        if key == "$ref" and isinstance(inner, str):
            moved[key] = _new_place(inner, place)
        elif key in _NAMED and isinstance(inner, dict):
            moved[key] = {name: _moved(item, place) for name, item in inner.items()}
        else:
            moved[key] = inner if key in _DATA else _moved(inner, place)
    return moved


def _new_place(reference: str, place: str) -> str:
    pointer = reference.removeprefix("#")
    for definitions in ("/$defs/", "/definitions/"):
        if pointer.startswith(definitions):
            return "#/$defs/" + pointer.removeprefix(definitions)
    return f"#/properties/{place}{pointer}"


def _named_schema(name: str, folder: Path) -> Any:
    if name.endswith(".json"):
        return read_json_file(folder / name)
    module, colon, path = name.partition(":")
    if not (module and colon and path):
        raise ValueError(
            f"'{name}' is neither a .json file nor module:Class of a pydantic model; name one, or write the "
            "schema here"
        )
    return _of_class(module, path, folder)


def read_json_file(path: Path) -> Any:
    """What a file of the user's holds. Raises ValueError."""
    try:
        return json.loads(read_named_file(path))
    except json.JSONDecodeError as error:
        raise ValueError(f"{path}:{error.lineno}: no JSON: {error.msg}") from None


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
