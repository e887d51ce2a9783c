from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.core.protocols import FilterContext
from seedbed.filters.length import Length
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, unread, verdicts_of

# 100 real texts of 10 to 29 words: the 1st percentile is 10, the 99th 29.
REAL = [" ".join(["word"] * (10 + n // 5)) for n in range(100)]


def reason(text: Any, real: list[str] | None = None, **options: Any) -> str:
    return str(
        verdicts_of(build("length", FilterContext(TICKETS, real), **options), [ticket(text)])[0].reason
    )


@pytest.mark.parametrize(
    ("words", "expected"), [(4, "too_short"), (5, ""), (10, ""), (58, ""), (59, "too_long")]
)
def test_real_texts_set_the_bounds(words: int, expected: str) -> None:
    assert reason("word " * words, REAL) == expected


def test_bounds_are_evidence() -> None:
    verdict = verdicts_of(build("length", FilterContext(TICKETS, REAL)), [ticket("far too short")])[0]
    assert verdict.evidence == {"words": 3, "min_words": 5}


@pytest.mark.parametrize("real", [None, REAL[:49]])
def test_without_enough_real_texts_only_extremes_fall(real: list[str] | None) -> None:
    assert reason("no", real) == ""
    assert reason("x" * 20_000, real) == ""
    assert reason("x" * 20_001, real) == "too_long"


@pytest.mark.parametrize("text", ["", " \n\t ", None, 7])
@pytest.mark.parametrize("options", [{}, {"min_words": 0}])
def test_an_empty_text_is_always_too_short(text: Any, options: dict[str, Any]) -> None:
    assert reason(text, REAL, **options) == "too_short"


def test_a_given_side_is_followed_and_the_other_stays_calibrated() -> None:
    assert reason("word " * 2, REAL, max_words=15) == "too_short"
    assert reason("word " * 16, REAL, max_words=15) == "too_long"
    assert reason("word " * 2, REAL, min_chars=3) == ""
    assert reason("word " * 59, REAL, min_chars=3) == "too_long"


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        ("abcd", {"min_chars": 5}, "too_short"),
        ("abcde", {"min_chars": 5, "max_chars": 5}, ""),
        ("abcdef", {"max_chars": 5}, "too_long"),
    ],
)
def test_characters_can_be_bounded(text: str, options: dict[str, Any], expected: str) -> None:
    assert reason(text, **options) == expected


def test_a_script_without_spaces_is_measured_in_characters() -> None:
    real = ["我昨天在网上买的灯到现在还没有送到" for _ in range(60)]
    assert reason("我的灯还没有送到请问什么时候到", real) == ""
    assert reason("我的灯", real) == "too_short"
    assert reason("我的灯还没有送到" * 9, real) == "too_long"


def test_all_text_fields_count() -> None:
    pair = record("r", question="how long is it", answer="two metres and a half")
    context = FilterContext(QUESTIONS)
    assert verdicts_of(build("length", context, min_words=9), [pair])[0].keep
    assert not verdicts_of(build("length", context, min_words=10), [pair])[0].keep


def test_an_unreadable_reply_is_left_to_schema() -> None:
    assert verdicts_of(build("length", FilterContext(TICKETS, REAL)), [unread("{")])[0].keep


@pytest.mark.parametrize("options", [{"min_words": 5, "max_words": 4}, {"min_chars": 9, "max_chars": 1}])
def test_contradictory_options_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValidationError, match="no text is both"):
        Length.Options(**options)
