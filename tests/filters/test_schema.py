from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record
from seedbed.core.verdict import Verdict
from seedbed.filters.schema import Schema
from tests.filters.tickets import TICKETS, build, record, ticket, unread, verdicts_of


def verdict_on(one: Record) -> Verdict:
    verdict: Verdict = verdicts_of(build("schema", FilterContext(TICKETS)), [one])[0]
    return verdict


@pytest.mark.parametrize("cause", ["truncated", "not_json", "invalid_schema"])
def test_an_unreadable_reply_falls_by_its_own_cause_and_is_quoted_in_short(cause: str) -> None:
    verdict = verdict_on(unread("{" + "x\ud800" * 500, cause))
    assert verdict.reason == cause
    assert verdict.evidence["detail"] == "expected a JSON object"
    assert verdict.evidence["excerpt"].startswith("{x?x?")
    assert len(verdict.evidence["excerpt"]) <= 200


def test_good_fields_pass() -> None:
    assert verdict_on(ticket("where is my card")).keep


@pytest.mark.parametrize(
    ("fields", "path", "message"),
    [
        ({"text": "", "label": "fee"}, "text", "shorter than 1"),
        ({"text": "hello", "label": "fees"}, "label", "fees"),
        ({"text": "hello"}, "", "label"),
        ({"text": "hello", "label": "fee", "note": "x"}, "", "note"),
        ({"text": 7, "label": "fee"}, "text", "string"),
        ({"text": "a \udcff b", "label": "fee"}, "text", "lone surrogate"),
        ({"text": "a", "label": "fee", "\ud800": 1}, "?", "lone surrogate"),
        ({"text": "a", "label": ["\ud800"]}, "label", "lone surrogate"),
        ({"text": b"bytes", "label": "fee"}, "", "bytes"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(fields: dict[str, Any], path: str, message: str) -> None:
    verdict = verdict_on(record("r", **fields))
    assert verdict.reason == "invalid_schema"
    assert verdict.evidence["path"] == path
    assert message in verdict.evidence["message"]


def test_a_real_row_is_checked_like_any_other() -> None:
    row = Record("r", {"text": "hello", "label": "unheard of"}, Provenance(origin="real", source="inbox"))
    assert verdict_on(row).reason == "invalid_schema"


CLOSED = TICKETS.schema()
SCHEMAS: dict[str, Mapping[str, Any]] = {
    "texts": CLOSED,
    "more than texts": {**CLOSED, "properties": {**CLOSED["properties"], "note": {}, "sure": True}},
    "other fields": {**CLOSED, "additionalProperties": {"type": ["string", "array"]}},
    "fields of a form": {**CLOSED, "patternProperties": {"^n": {}}},
}
some_texts = st.sampled_from(["where is my card", "où est-il ?", "🙂", "a \udcff b", ""])
some_fields = st.fixed_dictionaries(
    {"text": some_texts | st.integers(), "label": st.sampled_from(["fee", "lost", "\ud800"])},
    optional={"note": some_texts | st.lists(some_texts), "sure": st.booleans(), "\ud800": some_texts},
)


@pytest.mark.parametrize("schema", [*SCHEMAS])
@given(batch=st.lists(some_fields, max_size=3))
def test_a_whole_batch_is_told_as_record_by_record(schema: str, batch: list[dict[str, Any]]) -> None:
    """One that has no fault is not looked at record by record; with an unreadable reply in it each one is."""
    each = Schema(SCHEMAS[schema])
    records = [record(str(at), **fields) for at, fields in enumerate(batch)]
    assert each.check(records) == each.check([*records, unread("{")])[:-1]
