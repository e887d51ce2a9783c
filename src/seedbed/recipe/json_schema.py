"""The recipe as JSON Schema 2020-12, for editors: made from the models and the tables of plug-ins.

It accepts every recipe that loads. What it refuses is what an editor can know without the data: unknown
keys, wrong types and ranges, names of plug-ins that do not exist. Sections that are plain models are
described by them alone; here stands what the readers of the other sections take, and where a key without
a value counts as not written.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema

from seedbed.core.registry import Registry, Table
from seedbed.recipe.axes import NAME_PATTERN, RESERVED_NAMES, AskedAxis, AxisFile
from seedbed.recipe.extends import EXTENDS, Extends
from seedbed.recipe.filters import DEFAULT
from seedbed.recipe.generate import AskedTemplates, Generate
from seedbed.recipe.methods import MethodEntry
from seedbed.recipe.recipe import NAME_OF_A_RUN, Recipe
from seedbed.recipe.roles import (
    REHEARSALS,
    EmbedderRole,
    EndpointEntry,
    RecordedRole,
    RehearsalRole,
    Roles,
    Wire,
    WireRole,
)
from seedbed.recipe.sources import Source
from seedbed.recipe.student import has_option_of_its_name
from seedbed.recipe.task import TaskSection
from seedbed.recipe.words import SLUG

Schema: TypeAlias = dict[str, Any]

DIALECT = "https://json-schema.org/draft/2020-12/schema"
# Text as it is spelt in the recipe, whatever YAML takes it for.
_WORD: Schema = {"type": ["string", "number", "boolean"], "minLength": 1}
_NULL: Schema = {"type": "null"}


def recipe_schema(registry: Registry) -> Schema:
    """One schema; a recipe that extends another may leave out what the other says."""
    whole = _object(_sections(registry), required=["name", "task"])
    return {
        "$schema": DIALECT,
        "title": "Seedbed recipe",
        "description": "What is generated, from which real data, by which model, and how it is checked.",
        "type": "object",
        "if": {"required": [EXTENDS], "properties": {EXTENDS: {"not": _NULL}}},
        "then": {"$ref": "#/$defs/extending"},
        "else": {"$ref": "#/$defs/whole"},
        "$defs": {"whole": whole, "extending": _partial(whole)},
    }


def _sections(registry: Registry) -> dict[str, Schema]:
    readers: Mapping[str, Callable[[Registry], Schema]] = {
        "name": lambda _: {"type": "string", "pattern": f"^{NAME_OF_A_RUN}$"},
        "task": _task,
        "sources": _sources,
        "roles": _roles,
        "generate": _generate,
        "filters": _filters,
        "student": _student,
        "export": lambda tables: {
            "type": "array",
            "items": {"enum": tables.exporters.names()},
            "uniqueItems": True,
        },
    }
    sections: dict[str, Schema] = {EXTENDS: _nullable(model_schema(Extends)["properties"][EXTENDS])}
    for name, info in Recipe.model_fields.items():
        section = readers[name](registry) if name in readers else _as_declared(name, info)
        required = name in ("name", "task")
        sections[name] = _described(section if required else _nullable(section), info)
    return sections


def _as_declared(name: str, info: FieldInfo) -> Schema:
    """A section that is a model, or may be left out; or else a single value."""
    for kind in (info.annotation, *get_args(info.annotation)):
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            return model_schema(kind)
    value: Schema = model_schema(Recipe)["properties"][name]
    return value


def _task(registry: Registry) -> Schema:
    own = model_schema(TaskSection)["properties"]
    kinds = registry.tasks.names()
    branches = []
    for kind in kinds:
        options = model_schema(registry.tasks.get(kind).Options)
        if labels := options["properties"].get("labels"):
            options["properties"]["labels"] = _nullable({**_without_null(labels), "items": _WORD})
        described = {"kind": {**own["kind"], "const": kind}, "description": own["description"]}
        branch = _object({**described, **options["properties"]}, options.get("required", ()))
        branches.append({"if": {"properties": {"kind": {"const": kind}}}, "then": branch})
    return {
        "type": "object",
        "properties": {"kind": {**own["kind"], "enum": kinds}},
        "required": ["kind"],
        "allOf": branches,
    }


def _sources(_: Registry) -> Schema:
    return _named(model_schema(Source), SLUG)


def _roles(registry: Registry) -> Schema:
    known = Roles.model_fields
    properties = {
        name: _described(_nullable(_role(name, registry)), known[name]) for name in ("teacher", "judge")
    }
    properties["embedder"] = _described(_nullable(_wire(EmbedderRole)), known["embedder"])
    further = _described(_role("teacher", registry), known["others"])
    return {**_named(further, SLUG), "properties": properties}


def _role(name: str, registry: Registry) -> Schema:
    rehearsal = _nullable(model_schema(registry.models.get(REHEARSALS[name]).Options))
    wire, recorded, rehearsing = _wire(WireRole), model_schema(RecordedRole), model_schema(RehearsalRole)
    rehearsing["properties"]["rehearsal"] = _described(rehearsal, RehearsalRole.model_fields["rehearsal"])
    return {
        "type": "object",
        "if": {"required": ["rehearsal"]},
        "then": rehearsing,
        "else": {"if": {"required": ["recorded"]}, "then": recorded, "else": wire},
    }


def _wire(kind: type[Wire]) -> Schema:
    """A role behind an address, a map with an address, or several of either."""
    schema = model_schema(kind)
    one = {"anyOf": [{"type": "string"}, model_schema(EndpointEntry)]}
    several = {"type": "array", "minItems": 1, "items": one}
    info = kind.model_fields["endpoint"]
    endpoint = {**_described({"anyOf": [*one["anyOf"], several]}, info), "default": info.default}
    schema["properties"]["endpoint"] = _nullable(endpoint)
    return schema


def _generate(registry: Registry) -> Schema:
    own = {
        "cover": _cover(),
        "axes": _axes(),
        "methods": _methods(registry),
        "templates": {"anyOf": [_WORD, {"type": "array", "items": _WORD}, model_schema(AskedTemplates)]},
    }
    generate = model_schema(
        Generate, without=lambda info: info.annotation is Generate.model_fields["methods"].annotation
    )
    for name, schema in own.items():
        generate["properties"][name] = _described(_nullable(schema), Generate.model_fields[name])
    return {**generate, "required": []}


def _cover() -> Schema:
    amount = {
        "anyOf": [
            {"const": "fill"},
            {"type": "integer", "minimum": 0, "description": "a count of accepted records"},
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "description": "a share of the target"},
        ]
    }
    shared = {"type": "object", "minProperties": 1, "additionalProperties": amount}
    return {"type": "object", "additionalProperties": {"anyOf": [{"const": "even"}, shared]}}


def _axes() -> Schema:
    listed = {"type": "array", "minItems": 1, "items": _WORD}
    mapped = {
        "type": "object",
        "if": {"required": ["file"]},
        "then": model_schema(AxisFile),
        "else": model_schema(AskedAxis),
    }
    axis = {"if": {"type": "object"}, "then": mapped, "else": listed}
    names = {"pattern": f"^{NAME_PATTERN}$", "not": {"enum": list(RESERVED_NAMES)}}
    return {"type": "object", "propertyNames": names, "additionalProperties": axis}


def _methods(registry: Registry) -> Schema:
    weight = model_schema(MethodEntry)["properties"]["weight"]
    entries: dict[str, Schema] = {}
    for name in registry.methods.names():
        options = model_schema(registry.methods.get(name).Options)
        options["properties"]["weight"] = _nullable(weight)
        entries[name] = {"anyOf": [_NULL, {**weight, "default": 1.0}, options]}
    names = {"enum": registry.methods.names()}
    listed = {"type": "array", "minItems": 1, "items": {"anyOf": [names, _object(entries)]}}
    return {"anyOf": [names, {**_object(entries), "minProperties": 1}, listed]}


def _filters(registry: Registry) -> Schema:
    names = registry.filters.names()
    taken_out = "|".join(re.escape(name) for name in names)
    item = {
        "anyOf": [
            {"enum": [DEFAULT, *names]},
            {"type": "string", "pattern": rf"^-\s*({taken_out})\s*$"},
            _object(_options(registry.filters)),
        ]
    }
    return {"anyOf": [{"const": DEFAULT}, {"type": "array", "items": item}]}


def _student(registry: Registry) -> Schema:
    students, options = registry.students, _options(registry.students)
    alone = [name for name, schema in options.items() if _NULL in schema.get("anyOf", ())]
    one = {**_object(options), "minProperties": 1, "maxProperties": 1}
    short = [
        _named_like_it(name, model_schema(students.get(name).Options))
        for name in students
        if has_option_of_its_name(students, name)
    ]
    return {"anyOf": [{"enum": alone}, one, *short]}


def _named_like_it(name: str, options: Schema) -> Schema:
    """Options that stand for the student themselves: the one of its name is text."""
    own = {**options["properties"][name], "type": "string"}
    return {**options, "properties": {**options["properties"], name: own}, "required": [name]}


def _options(table: Table[Any]) -> dict[str, Schema]:
    """The options of each plug-in; those that have a default each may be left out as a whole."""
    schemas = {name: model_schema(table.get(name).Options) for name in table.names()}
    return {name: schema if schema["required"] else _nullable(schema) for name, schema in schemas.items()}


def model_schema(kind: type[BaseModel], without: Callable[[FieldInfo], bool] = lambda info: False) -> Schema:
    """A model as its reader takes it: a key that is not required may stand without a value.

    Without titles, which only repeat keys, and with what it refers to put in its place. `without` leaves
    out fields that the model alone cannot describe.
    """
    left_out = {info.alias or name for name, info in kind.model_fields.items() if without(info)}
    raw = kind.model_json_schema(by_alias=True, schema_generator=_Tolerant)
    schema = _plain(raw, raw.get("$defs", {}))
    schema.pop("description", None)  # the docstring of a class speaks to who reads the code
    properties, required = schema.get("properties", {}), schema.get("required", [])
    return {
        **schema,
        "type": "object",
        "properties": {
            name: known if name in required else _nullable(known)
            for name, known in properties.items()
            if name not in left_out
        },
        "required": [name for name in required if name not in left_out],
        "additionalProperties": kind.model_config.get("extra") == "allow",
    }


class _Tolerant(GenerateJsonSchema):
    """Says nothing of a type that has no JSON form, where pydantic would raise."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> Schema:
        return {}

    def emit_warning(self, kind: Any, detail: str) -> None:
        """A default that is no JSON is left out; that is all there is to it."""


def _plain(value: Any, definitions: Mapping[str, Any]) -> Any:
    if isinstance(value, list):
        return [_plain(item, definitions) for item in value]
    if not isinstance(value, dict):
        return value
    if "$ref" in value:
        value = {**definitions[value["$ref"].rpartition("/")[2]], **value}
    plain: Schema = {}
    for key, item in value.items():
        if key == "properties":
            plain[key] = {name: _plain(inner, definitions) for name, inner in item.items()}
        elif key not in ("title", "$ref", "$defs") and not (key == "default" and item is None):
            plain[key] = _plain(item, definitions)
    return plain


def _object(properties: Mapping[str, Schema], required: Sequence[str] = ()) -> Schema:
    return {
        "type": "object",
        "properties": dict(properties),
        "required": list(required),
        "additionalProperties": False,
    }


def _named(entry: Schema, pattern: str) -> Schema:
    """A map of names that the user gives."""
    return {"type": "object", "propertyNames": {"pattern": f"^{pattern}$"}, "additionalProperties": entry}


def _described(schema: Schema, info: FieldInfo) -> Schema:
    return {**schema, "description": info.description}


def _nullable(schema: Schema) -> Schema:
    """The schema or null; description and default stay outside, where editors look for them."""
    if schema == {} or _NULL in schema.get("anyOf", ()):
        return schema
    outside: Schema = {key: schema[key] for key in ("description", "default") if key in schema}
    inner = {key: value for key, value in schema.items() if key not in outside}
    if set(inner) == {"anyOf"}:
        return {**outside, "anyOf": [*inner["anyOf"], _NULL]}
    return {**outside, "anyOf": [inner, _NULL]}


def _without_null(schema: Schema) -> Schema:
    """The first branch of a schema that may be null, with what stands outside of it."""
    branches = [branch for branch in schema.get("anyOf", ()) if branch != _NULL]
    outside = {key: value for key, value in schema.items() if key != "anyOf"}
    return {**outside, **branches[0]} if branches else schema


def _partial(value: Any) -> Any:
    """What may stand over a base: any part of a section, for the rest of it stands there.

    A key may have no value, which takes the base's away; and of which kind a map is (a role, a task)
    nobody can tell here, so that any of the kinds will do.
    """
    if isinstance(value, list):
        return [_partial(item) for item in value]
    if not isinstance(value, dict):
        return value
    partial: Schema = {}
    for key, item in value.items():
        if key == "properties":
            partial[key] = {name: _nullable(_partial(inner)) for name, inner in item.items()}
        elif key == "additionalProperties" and isinstance(item, dict):
            partial[key] = _nullable(_partial(item))
        elif key not in ("required", "minProperties", "if", "then", "else", "allOf"):
            partial[key] = _partial(item)
    if kinds := _kinds(value):
        partial["anyOf"] = [_partial(kind) for kind in kinds]
    return partial


def _kinds(schema: Schema) -> list[Schema]:
    """The alternatives of a schema that chooses among them by a condition."""
    if "allOf" in schema:
        return [branch["then"] for branch in schema["allOf"]]
    return [schema["then"], schema["else"]] if "if" in schema else []
