from __future__ import annotations

from typing import Any

import pytest

from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record
from seedbed.core.verdict import Verdict
from tests.filters.tickets import TICKETS, build, record, ticket, unread


def verdict_on(one: Record) -> Verdict:
    verdict: Verdict = build("schema", FilterContext(TICKETS)).check([one])[0]
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
