"""The rate behind an imperfect judge: exact where all is known, and covered where it is sampled."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.stats.corrected_rate import Share, corrected_rate

SHARES = st.integers(0, 60).flatmap(lambda n: st.builds(Share, st.integers(0, n), st.just(n)))


def test_it_undoes_what_the_judge_does() -> None:
    """A tenth is bad; the judge finds 80 % of it and cries wolf at 5 % of the rest: 12.5 % of all."""
    rate = corrected_rate(Share(1250, 10_000), Share(800, 1000), Share(950, 1000))
    assert rate is not None
    assert rate.value == pytest.approx(0.1)
    assert rate.low < 0.1 < rate.high < 0.15


def test_a_perfect_judge_needs_no_correction_and_is_not_taken_for_one() -> None:
    rate = corrected_rate(Share(30, 300), Share(50, 50), Share(50, 50))
    assert rate is not None
    assert rate.value == pytest.approx(0.1)
    wider = corrected_rate(Share(30, 300), Share(5, 5), Share(5, 5))
    assert wider is not None
    assert wider.high - wider.low > rate.high - rate.low


@pytest.mark.parametrize(
    ("found", "sensitivity", "specificity"),
    [
        (Share(0, 0), Share(9, 10), Share(9, 10)),
        (Share(5, 10), Share(0, 0), Share(9, 10)),
        (Share(5, 10), Share(5, 10), Share(5, 10)),
        (Share(5, 10), Share(1, 10), Share(2, 10)),
    ],
)
def test_a_judge_no_better_than_chance_says_nothing(
    found: Share, sensitivity: Share, specificity: Share
) -> None:
    assert corrected_rate(found, sensitivity, specificity) is None


@given(SHARES, SHARES, SHARES)
def test_it_stays_a_rate(found: Share, sensitivity: Share, specificity: Share) -> None:
    rate = corrected_rate(found, sensitivity, specificity)
    assert rate is None or 0 <= rate.low <= rate.value <= rate.high <= 1


@given(st.integers(60, 100), st.integers(60, 100), st.integers(0, 99))
def test_the_more_is_found_the_more_there_is(q1: int, q0: int, hits: int) -> None:
    less, more = (corrected_rate(Share(n, 100), Share(q1, 100), Share(q0, 100)) for n in (hits, hits + 1))
    assert less is not None
    assert more is not None
    assert (less.value, less.low, less.high) <= (more.value, more.low, more.high)


@pytest.mark.parametrize("truth", [0.05, 0.3])
@pytest.mark.parametrize(("q1", "q0"), [(0.95, 0.95), (0.7, 0.9)])
@pytest.mark.parametrize("drafts", [200, 5000])
def test_the_interval_covers_the_truth_in_1000_runs(truth: float, q1: float, q0: float, drafts: int) -> None:
    """Of 150 labels a third is of bad records."""
    dice = np.random.default_rng(11)
    p = truth * q1 + (1 - truth) * (1 - q0)
    covered = 0
    for _ in range(1000):
        rate = corrected_rate(
            Share(int(dice.binomial(drafts, p)), drafts),
            Share(int(dice.binomial(50, q1)), 50),
            Share(int(dice.binomial(100, q0)), 100),
        )
        covered += rate is None or rate.low <= truth <= rate.high
    print(f"{truth} bad, q1 {q1}, q0 {q0}, {drafts} drafts: {covered} of 1,000 intervals hold it")
    assert covered >= 930


def test_what_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match=r"must lie in 0\.\.total"):
        Share(3, 2)
