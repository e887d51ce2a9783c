from __future__ import annotations

import pytest

from seedbed.core.protocols import FilterContext
from seedbed.core.verdict import Verdict
from tests.filters.tickets import (
    QUESTIONS,
    TICKETS,
    InProcessLock,
    build,
    record,
    ticket,
    unread,
    verdicts_of,
)

EVAL = [
    "does the lamp come with a bulb",
    "My parcel never came.",
    "which of the two ovens uses less power at night",
]


def verdict_on(text: str) -> Verdict:
    lock = InProcessLock(EVAL)
    verdict: Verdict = verdicts_of(
        build("contamination", FilterContext(TICKETS, None, lock)), [ticket(text)]
    )[0]
    return verdict


def test_equality_is_a_leak() -> None:
    verdict = verdict_on("my parcel NEVER came")
    assert verdict.reason == "eval_leak"
    assert verdict.evidence == {"rule": "equal", "score": 1.0, "eval_row": 1}


def test_a_canary_is_a_leak() -> None:
    assert verdict_on("something with canary-7f1c in it").reason == "eval_leak"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("Hello, does the lamp come with a bulb or not?", "contained"),
        ("which of the two ovens uses less power at nights", "similar"),
    ],
)
def test_nearness_is_told_apart_and_the_evidence_never_quotes(text: str, rule: str) -> None:
    verdict = verdict_on(text)
    assert verdict.reason == "near_eval"
    assert verdict.evidence["rule"] == rule
    assert not [value for value in verdict.evidence.values() if isinstance(value, str) and value != rule]


def test_the_rest_is_kept() -> None:
    assert verdict_on("the oven that I bought is loud").keep


def test_each_field_is_asked_about_as_well_as_the_whole() -> None:
    lock = InProcessLock([*EVAL, "how long is it\ntwo metres"])
    each = build("contamination", FilterContext(QUESTIONS, None, lock))
    verdicts = verdicts_of(
        each,
        [
            record("a", question="My parcel never came", answer="We are looking for it, please wait a day."),
            record("b", question="How long is it?", answer="Two metres."),
            record("c", question="How wide is it?", answer="One metre."),
        ],
    )
    assert [verdict.evidence.get("eval_row") for verdict in verdicts] == [1, 3, None]
    assert [verdict.reason for verdict in verdicts] == ["eval_leak", "eval_leak", ""]


def test_a_leak_outweighs_a_nearness_of_equal_score() -> None:
    lock = InProcessLock(["does the lamp come with a bulb", "yes"])
    each = build("contamination", FilterContext(QUESTIONS, None, lock))
    pair = record("a", question="Well, does the lamp come with a bulb?", answer="Yes.")
    assert verdicts_of(each, [pair])[0].reason == "eval_leak"


def test_the_fields_that_the_eval_compares_are_asked_about_as_one_text() -> None:
    lock = InProcessLock(["two metres\nhow long is it"])
    context = FilterContext(QUESTIONS, None, lock, compare=("answer", "question"))
    pair = record("a", question="How long is it?", answer="Two metres.")
    assert verdicts_of(build("contamination", context), [pair])[0].reason == "eval_leak"


def test_without_a_lock_everything_is_kept() -> None:
    each = build("contamination", FilterContext(TICKETS))
    assert [verdict.keep for verdict in verdicts_of(each, [ticket(EVAL[0]), unread("{")])] == [True, True]
