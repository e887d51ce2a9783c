"""Texts that have to be JSON of a schema."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from seedbed.verify.json_values import check_json

ORDER = orjson.dumps(
    {
        "type": "object",
        "properties": {"items": {"type": "array", "items": {"type": "string"}}, "total": {"minimum": 0}},
        "required": ["items"],
    }
)


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('{"items": ["lamp"], "total": 3}', ""),
        ({"items": ["lamp"], "total": 3}, ""),
        ('{"items": ["lamp"], "total": -3}', "breaks_schema"),
        ({"items": ["lamp", 7]}, "breaks_schema"),
        ("[]", "breaks_schema"),
        ('```json\n{"items": []}\n```', "invalid_json"),
        ('{"items": []', "invalid_json"),
        ('{"items": [], "total": NaN}', "invalid_json"),
        ('{"items": ["\ud800"]}', "invalid_json"),
        ("[" * 100_000, "invalid_json"),
        ("", "invalid_json"),
    ],
)
def test_a_value_or_the_json_of_a_text_keeps_its_schema(value: Any, reason: str) -> None:
    assert check_json(value, ORDER).reason == reason


def test_evidence_says_where() -> None:
    found = check_json('{"items": ["lamp", 7]}', ORDER)
    assert found.evidence == {"path": "items/1", "message": '7 is not of type "string"'}
