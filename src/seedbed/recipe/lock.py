"""`recipe.lock.yaml`: the recipe of a run with every default filled in."""

from __future__ import annotations

import io
from typing import Any

from pydantic import BaseModel
from ruamel.yaml import YAML

from seedbed.recipe.load import LoadedRecipe
from seedbed.recipe.recipe import Recipe
from seedbed.recipe.roles import EmbedderRole, Endpoint, RecordedRole, RehearsalRole, Role, WireRole
from seedbed.recipe.sources import Source

_LINE_WIDTH = 100


def to_lock_yaml(loaded: LoadedRecipe) -> str:
    """The resolved recipe as YAML that loads again, beside the same files, to an equal recipe.

    Variables of the environment stand by name, never by value. An API key that the recipe does
    not mention stays out: whether the default variable is set must not change the lock.
    """
    yaml: Any = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.allow_unicode = True
    yaml.width = _LINE_WIDTH
    stream = io.StringIO()
    yaml.dump(_resolved(loaded.recipe), stream)
    return stream.getvalue()


def read_lock(text: str) -> dict[str, Any]:
    """The plain values of a lock that `to_lock_yaml` wrote."""
    value: dict[str, Any] = YAML(typ="safe", pure=True).load(text)
    return value


def _resolved(recipe: Recipe) -> dict[str, Any]:
    generate = _plain(recipe.generate)
    generate["methods"] = {
        entry.name: {"weight": entry.weight, **_plain(entry.options)} for entry in recipe.generate.methods
    }
    resolved = {
        "name": recipe.name,
        "use": recipe.use,
        "licence": recipe.licence,
        "task": {
            "kind": recipe.task.kind,
            "description": recipe.task.description,
            **_plain(recipe.task.options),
        },
        "sources": {name: _source(source) for name, source in recipe.sources.items()},
        "roles": {
            **{name: role_values(role) for name, role in recipe.roles.bound.items()},
            "embedder": role_values(recipe.roles.embedder) if recipe.roles.embedder else None,
        },
        "generate": generate,
        "filters": [{entry.name: _plain(entry.options)} for entry in recipe.filters],
        "mix": _plain(recipe.mix) if recipe.mix else None,
        "student": {recipe.student.name: _plain(recipe.student.options)} if recipe.student else None,
        "budget": _plain(recipe.budget),
        "export": list(recipe.export),
    }
    lean: dict[str, Any] = _without_nothing(resolved)
    return lean


def _source(source: Source) -> dict[str, Any]:
    plain = _plain(source)
    if source.lock:
        del plain["split"]
    return plain


def role_values(role: Role | EmbedderRole) -> dict[str, Any]:
    """A role in plain values, with what comes from the environment by its name; see `wire_role`."""
    match role:
        case WireRole() | EmbedderRole():
            plain = role.model_dump(mode="python", exclude={"endpoint", "api_key"})
            key = f"env:{role.api_key.name}" if role.api_key and "api_key" in role.model_fields_set else None
            return {"endpoint": _endpoints(role.endpoints), "api_key": key, **plain}
        case RecordedRole():
            return _plain(role)
        case RehearsalRole():
            return {"rehearsal": _plain(role.rehearsal)}


def _endpoints(endpoints: tuple[Endpoint, ...]) -> str | list[dict[str, Any]]:
    first = endpoints[0]
    if len(endpoints) == 1 and first == Endpoint(first.declared, first.url):
        return first.declared
    return [
        {
            "url": each.declared,
            "weight": each.weight,
            "api_key": f"env:{each.api_key.name}" if each.api_key else None,
            "model": each.model,
        }
        for each in endpoints
    ]


def _plain(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json", by_alias=True)


def _without_nothing(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nothing(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nothing(item) for item in value]
    return value
