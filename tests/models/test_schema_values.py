"""Made-up values keep their schema."""

from __future__ import annotations

import random
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.models.schema_values import scalars, value_for

_BOUND = st.integers(-50, 50)
_LEAVES: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(lambda a, b: {"type": "integer", "minimum": a, "maximum": a + abs(b)}, _BOUND, _BOUND),
    st.builds(lambda a: {"type": "number", "exclusiveMinimum": a, "maximum": a + 1}, _BOUND),
    st.builds(
        lambda a, b: {"type": "string", "minLength": a, "maxLength": a + b},
        st.integers(0, 40),
        st.integers(0, 5),
    ),
    st.sampled_from(
        ["date", "time", "date-time", "email", "uuid", "uri", "ipv4", "hostname", "duration"]
    ).map(lambda name: {"type": "string", "format": name}),
    st.sampled_from(
        [
            {"type": "boolean"},
            {"type": "null"},
            {"enum": ["a", 1, None]},
            {"const": {"x": [1]}},
            {"type": ["string", "null"]},
            {"type": "integer", "multipleOf": 7, "minimum": 1},
            {"type": "integer", "exclusiveMaximum": -3},
            {},
            True,
        ]
    ),
)


def _composed(inner: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    names = st.lists(st.sampled_from("abcd"), unique=True)
    objects = st.builds(
        lambda properties, required: {
            "type": "object",
            "properties": properties,
            "required": required,
            "additionalProperties": True,
        },
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        names,
    )
    arrays = st.builds(
        lambda items, first, fewest: {
            "type": "array",
            "items": items,
            "prefixItems": first,
            "minItems": fewest,
            "maxItems": fewest + 3,
        },
        inner,
        st.lists(inner, min_size=1, max_size=2),
        st.integers(0, 3),
    )
    choices = st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches})
    return objects | arrays | choices


@given(schema=st.recursive(_LEAVES, _composed, max_leaves=8), seed=st.integers(0, 99))
@settings(deadline=None, max_examples=300)
def test_a_value_keeps_its_schema(schema: Any, seed: int) -> None:
    value = value_for(schema, random.Random(seed))
    whole = {"properties": {"value": schema}}
    checked = jsonschema_rs.Draft202012Validator(whole, validate_formats=True)
    assert list(checked.iter_errors({"value": value})) == []
    assert value == value_for(schema, random.Random(seed))


TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {
                "name": {"allOf": [{"type": "string"}, {"minLength": 3}]},
                "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]},
                "all": {"type": "array", "items": {"$ref": "#/$defs/node"}, "uniqueItems": True},
            },
            "required": ["name", "next", "all"],
            "additionalProperties": False,
        }
    },
    "$ref": "#/$defs/node",
}
COUNTS = {
    "type": "object",
    "minProperties": 2,
    "additionalProperties": {"type": "integer", "minimum": 1, "maximum": 3},
}


@pytest.mark.parametrize("schema", [TREE, COUNTS])
@pytest.mark.parametrize("seed", range(20))
def test_references_end_and_open_maps_are_filled(schema: dict[str, Any], seed: int) -> None:
    value = value_for(schema, random.Random(seed))
    assert jsonschema_rs.validator_for(schema).is_valid(value)


def test_scalars_are_the_texts_and_numbers_in_order() -> None:
    assert list(scalars({"a": ["x", 2, True, None], "b": {"c": 1.5}})) == ["x", "2", "1.5"]
