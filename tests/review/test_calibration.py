"""A judge beside people: what the counts come to, and what the judge may do."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.verdict import Said
from seedbed.review.calibration import Calibration, Comparison

JUDGE: dict[str, str | None] = {"filter": "judge@1", "model": "m", "revision": None}

SAID = st.one_of(st.sampled_from(["accept", "reject"]), st.integers(1, 5))
PAIRS = st.lists(st.tuples(SAID, st.one_of(st.none(), st.integers(1, 5))), max_size=150)


def compared(good: tuple[int, int, int], bad: tuple[int, int, int]) -> Comparison:
    return Comparison(4, good, bad)


@pytest.mark.parametrize(
    ("good", "bad", "regime"),
    [
        ((55, 3, 0), (2, 40, 0), "gates"),
        ((54, 3, 0), (2, 40, 0), "uncalibrated"),  # one label short of 100
        ((45, 10, 0), (14, 35, 0), "people"),  # kappa .53
        ((30, 25, 0), (25, 30, 0), "off"),
        ((5, 50, 0), (50, 5, 0), "off"),
        ((80, 20, 0), (0, 0, 0), "uncalibrated"),  # people have no bad record to show
        ((100, 0, 0), (20, 0, 0), "off"),  # everything is fine with it
        ((55, 0, 25), (0, 40, 25), "people"),  # right where it answers, but silent on a third
    ],
)
def test_the_regime_follows_from_the_counts(
    good: tuple[int, int, int], bad: tuple[int, int, int], regime: str
) -> None:
    assert compared(good, bad).regime == regime


def test_a_kappa_that_is_high_by_luck_does_not_gate() -> None:
    """One bad record in thirty: kappa is .7 and may as well be .2."""
    rare = compared((96, 0, 0), (2, 2, 0))
    assert rare.kappa is not None
    assert rare.kappa.value > 0.6
    assert rare.kappa.low < 0.4
    assert rare.regime == "people"


def test_the_threshold_decides_what_is_good_on_both_sides() -> None:
    said: list[tuple[Said, int | None]] = [(5, 4), (4, 3), (3, 3), ("accept", 2), ("reject", None)]
    calibration = Calibration.of(JUDGE, said)
    assert (calibration.at(4).good, calibration.at(4).bad) == ((1, 2, 0), (0, 1, 1))
    assert (calibration.at(3).good, calibration.at(3).bad) == ((3, 1, 0), (0, 0, 1))


@given(PAIRS, st.integers(2, 5))
def test_it_is_read_as_it_was_written(pairs: list[tuple[Said, int | None]], least: int) -> None:
    calibration = Calibration.of(JUDGE, pairs)
    read = Calibration.from_json(json.loads(json.dumps(calibration.to_json())))
    assert read == calibration
    comparison = calibration.at(least)
    assert comparison.labels == len(pairs)
    again = Comparison.from_json(json.loads(json.dumps(comparison.to_json())))
    assert again.to_json() == comparison.to_json()
    assert comparison.regime in ("gates", "people", "off", "uncalibrated")


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {},
        {"judge": {}},
        {"judge": {}, "counts": [{}]},
        {"judge": {}, "counts": [{"people": "fine", "judge": 3, "records": 2}]},
        {"judge": {}, "counts": [{"people": 6, "judge": 3, "records": 2}]},
        {"judge": {}, "counts": [{"people": 5, "judge": 0, "records": 2}]},
        {"judge": {}, "counts": [{"people": 5, "judge": 3, "records": -2}]},
        {"judge": {}, "counts": [{"people": True, "judge": 3, "records": 2}]},
    ],
)
def test_what_it_did_not_write_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"no judge and counts|no count of labels"):
        Calibration.from_json(value)


def test_the_rate_of_bad_drafts_is_corrected_for_the_judges_errors() -> None:
    """It finds 80 % of what is bad and cries wolf at 5 %: 12.5 % found are 10 % bad."""
    judge = compared((190, 10, 0), (20, 80, 3))
    bad = judge.bad_among({5.0: 600, 4.0: 275, 3.0: 100, 1.0: 25})
    assert bad is not None
    assert bad.value == pytest.approx(0.1)
    assert bad.low < 0.1 < bad.high
    assert judge.bad_among({}) is None
    assert compared((50, 50, 0), (50, 50, 0)).bad_among({5.0: 10}) is None
