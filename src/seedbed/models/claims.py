"""What a recipe has worked out of a reply's fields, written right or wrong: JSON, calls of tools, queries.

Imitation of real rows gives none of them: a rehearsal makes them up from what the recipe says of them. A
claim's `fields` are verified together; `written` gives their values, with a fault of its `kind` in that
variant, or right where the variant is "".
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, TypeAlias

import jsonschema_rs

from seedbed.models.imitation import invented
from seedbed.models.schema_values import value_for

_TABLE = re.compile(r"\bCREATE\s+(?:TABLE|VIEW)\s+(?:IF\s+NOT\s+EXISTS\s+)?([\w.\"]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class JsonClaim:
    """JSON that keeps a schema, as the text of a field or as its value."""

    kind: ClassVar[str] = "wrong_json"
    field: str
    schema: Mapping[str, Any]
    as_text: bool

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field,)

    def written(self, rng: random.Random, variant: str) -> dict[str, Any]:
        value = value_for(self.schema, rng)
        if variant == "shape":
            value = self._misshapen(value)
        text = json.dumps(value, ensure_ascii=False)
        if variant == "syntax":
            text += ","
        return {self.field: text if self.as_text else value}

    def _misshapen(self, value: Any) -> Any:
        """The value less something that it must have, or another in its place."""
        others: list[Any] = [[value], "as asked", None]
        if isinstance(value, dict):
            others = [{key: kept for key, kept in value.items() if key != name} for name in value] + others
        keeps = jsonschema_rs.validator_for(dict(self.schema))
        return next((other for other in others if not keeps.is_valid(other)), value)


@dataclass(frozen=True, slots=True)
class CallClaim:
    """One call of one of the tools; `tools_field` is where the reply lists its own."""

    kind: ClassVar[str] = "wrong_call"
    field: str
    tools: Sequence[Mapping[str, Any]]
    tools_field: str
    texts: Sequence[str]

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, self.tools_field) if self.tools_field else (self.field,)

    def written(self, rng: random.Random, variant: str) -> dict[str, Any]:
        tools = self.tools or [_tool(rng)]
        tool = rng.choice(tools)
        tool = tool.get("function", tool)
        parameters = {"type": "object", **(tool.get("parameters") or tool.get("input_schema") or {})}
        name, arguments = tool["name"], value_for(parameters, rng)
        if variant == "tool":
            name = f"{name}_{rng.randrange(1000, 10_000)}"
        if variant == "arguments":
            arguments = _spoilt(arguments, parameters.get("required", ()))
        made: dict[str, Any] = {self.field: [{"name": name, "arguments": arguments}]}
        if self.tools_field:
            made[self.tools_field] = tools
        return {
            field: json.dumps(value, ensure_ascii=False) if field in self.texts else value
            for field, value in made.items()
        }


def _tool(rng: random.Random) -> dict[str, Any]:
    name = f"find_{invented(rng).split()[0].lower()}"
    return {"name": name, "parameters": {"type": "object", "required": ["place"]}}


def _spoilt(arguments: Mapping[str, Any], required: Sequence[str]) -> Any:
    """Arguments without the last that is required; where none is, a text that is no JSON."""
    if required:
        return {key: value for key, value in arguments.items() if key != required[-1]}
    return json.dumps(arguments)[:-1]


@dataclass(frozen=True, slots=True)
class QueryClaim:
    """A query of a table, with one that is right beside it, or the table, where there are fields for them."""

    kind: ClassVar[str] = "wrong_query"
    query: str
    expected: str
    setup: str
    table: str

    @property
    def fields(self) -> tuple[str, ...]:
        return tuple(name for name in (self.query, self.expected, self.setup) if name)

    def written(self, rng: random.Random, variant: str) -> dict[str, Any]:
        number, weight = rng.randrange(100_000, 1_000_000), rng.randrange(1, 90)
        table = f"{self.table}_{number}" if variant == "name" else self.table
        asked = number + (variant == "rows")
        made = {
            self.query: f"SELECT count(*) + {asked} AS total FROM {table}",
            self.expected: f"SELECT {number} + count(*) AS total FROM {self.table}",
            self.setup: f"CREATE TABLE {self.table} (owner TEXT, weight INTEGER); "
            f"INSERT INTO {self.table} VALUES ('{invented(rng)}', {weight});",
        }
        return {name: made[name] for name in self.fields}


Claim: TypeAlias = JsonClaim | CallClaim | QueryClaim


def table_of(setup: str) -> str:
    """The first table that a script makes; "" where none is found."""
    found = _TABLE.search(setup)
    return found[1] if found else ""
