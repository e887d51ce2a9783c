"""A user's JSON Schema as a field: refused where it is none, and the same inside of a record's schema."""

from __future__ import annotations

from typing import Any

import jsonschema_rs
import pytest

from seedbed.tasks.json_schema import as_field, check_schema, in_order

NODE: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {
        "name": {"type": "string", "enum": ["#/definitions/unit", "b"]},
        "unit": {"$ref": "#/definitions/unit"},
        "size": {"$ref": "#/$defs/size"},
        "first": {"$ref": "#/properties/name"},
        "inner": {"type": "array", "items": {"$ref": "#"}},
    },
    "required": ["name"],
    "additionalProperties": False,
    "definitions": {"unit": {"enum": ["mm", "cm"]}},
    "$defs": {"size": {"type": "integer", "minimum": 1}},
}
GOOD = {"name": "b", "unit": "mm", "size": 3, "first": "b", "inner": [{"name": "b", "inner": []}]}


@pytest.mark.parametrize("field", ["record", "a/b", "x~y"])
@pytest.mark.parametrize(
    ("record", "valid"),
    [
        (GOOD, True),
        ({"name": "#/definitions/unit"}, True),
        ({**GOOD, "unit": "m"}, False),
        ({**GOOD, "size": 0}, False),
        ({**GOOD, "first": "c"}, False),
        ({**GOOD, "inner": [{"size": 1}]}, False),
    ],
)
def test_references_mean_the_same_inside_of_a_record(field: str, record: Any, valid: bool) -> None:
    check_schema(NODE)
    own, definitions = as_field(NODE, field)
    whole = {"type": "object", "properties": {field: own}, "required": [field], "$defs": definitions}
    assert jsonschema_rs.validator_for(whole).is_valid({field: record}) is valid
    assert jsonschema_rs.validator_for(NODE).is_valid(record) is valid


@pytest.mark.parametrize(
    ("schema", "message"),
    [
        ("text", "must be a JSON Schema"),
        ([], "must be a JSON Schema"),
        ({"type": "objekt"}, r"no valid JSON Schema at type: "),
        ({"type": "object", "properties": {"a": {"$ref": "#/$defs/b"}}}, "no valid JSON Schema: .*not exist"),
        ({"$ref": "https://example.org/x.json"}, r"refers to 'https://example.org/x.json' by \$ref"),
        ({"items": [{"$dynamicRef": "#a"}]}, r"refers to '#a' by \$dynamicRef"),
        ({"type": "number", "minimum": float("nan")}, "no valid JSON Schema"),
    ],
)
def test_what_is_no_schema_is_refused(schema: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_schema(schema)


def test_a_property_may_have_the_name_of_a_keyword() -> None:
    schema = {"type": "object", "properties": {"enum": {"$ref": "#/$defs/x"}, "$ref": {"type": "string"}}}
    schema["$defs"] = {"x": {"type": "integer"}}
    check_schema(schema)
    own, definitions = as_field(schema, "record")
    assert own["properties"] == schema["properties"]
    assert definitions == schema["$defs"]


def test_the_order_of_keys_is_that_of_the_schema() -> None:
    mixed = {"inner": [{"size": 1, "name": "b"}], "other": 1, "name": "b"}
    assert list(in_order(mixed, NODE, NODE)) == ["name", "inner", "other"]
    assert list(in_order(mixed, NODE, NODE)["inner"][0]) == ["name", "size"]
    assert in_order(mixed, NODE, NODE) == mixed
    assert in_order(["x", None], NODE, NODE) == ["x", None]
