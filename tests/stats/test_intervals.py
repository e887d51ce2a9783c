"""Wilson intervals and the arithmetic of estimates."""

from __future__ import annotations

from math import comb

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.stats.intervals import Estimate, normal_quantile, rows_to_decide, t_quantile, wilson


def test_wilson_agrees_with_published_figures() -> None:
    """Newcombe 1998, Statistics in Medicine 17:857, table I, method 3 (score, no correction)."""
    for hits, total, low, high in [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0, 0.1611)]:
        interval = wilson(hits, total)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=5e-5)


@given(st.integers(0, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_wilson_holds_its_share_and_mirrors(case: tuple[int, int]) -> None:
    hits, total = case
    interval = wilson(hits, total)
    assert 0 <= interval.low <= interval.value <= interval.high <= 1
    mirrored = wilson(total - hits, total)
    assert (1 - mirrored.high, 1 - mirrored.low) == pytest.approx((interval.low, interval.high))


@pytest.mark.parametrize("share", [0.05, 0.2, 0.5, 0.9])
@pytest.mark.parametrize("total", [30, 100])
def test_wilson_covers_the_truth(share: float, total: int) -> None:
    """Exact coverage, summed over every outcome, never far below the nominal 95 %."""
    covered = 0.0
    for hits in range(total + 1):
        interval = wilson(hits, total)
        if interval.low <= share <= interval.high:
            covered += comb(total, hits) * share**hits * (1 - share) ** (total - hits)
    assert covered >= 0.93


def test_wilson_of_nothing_knows_nothing() -> None:
    assert (wilson(0, 0).low, wilson(0, 0).high) == (0.0, 1.0)


@pytest.mark.parametrize(("hits", "total", "level"), [(3, 2, 0.95), (-1, 2, 0.95), (1, 2, 0.0), (1, 2, 1.0)])
def test_wilson_refuses_what_is_no_share(hits: int, total: int, level: float) -> None:
    with pytest.raises(ValueError, match=r"must lie in|lies between"):
        wilson(hits, total, level)


def test_estimate_tells_where_its_interval_lies() -> None:
    assert Estimate(0.0, -0.01, 0.01).contains_zero
    assert not Estimate(0.2, 0.1, 0.3).contains_zero
    assert Estimate(0.0, -0.01, 0.01).lies_within(0.02)
    assert not Estimate(0.0, -0.01, 0.02).lies_within(0.02)


def test_rows_to_decide_grow_with_the_square_of_what_is_missing() -> None:
    """An interval reaching twice as far as the difference needs four times the rows."""
    assert rows_to_decide(Estimate(0.02, -0.02, 0.05), rows=75) == 300
    assert rows_to_decide(Estimate(-0.02, -0.05, 0.02), rows=75) == 300
    assert rows_to_decide(Estimate(0.2, 0.1, 0.3), rows=75) == 75
    assert rows_to_decide(Estimate(0.0, -0.1, 0.1), rows=75) is None


@pytest.mark.parametrize(
    ("level", "degrees", "expected"),
    # Tables of Student's t, two-sided.
    [(0.95, 4, 2.776445), (0.9875, 4, 4.314851), (0.95, 1, 12.706205), (0.99, 30, 2.749996)],
)
def test_quantiles_of_t_are_those_of_the_tables(level: float, degrees: int, expected: float) -> None:
    assert t_quantile(level, degrees) == pytest.approx(expected, abs=2e-3 if level == 0.9875 else 1e-5)


def test_with_many_degrees_t_is_normal() -> None:
    assert t_quantile(0.95, 5_000) == pytest.approx(normal_quantile(0.95), abs=1e-3)
    for level, degrees in ((0.0, 4), (1.0, 4), (0.95, 0)):
        with pytest.raises(ValueError, match="no quantile"):
            t_quantile(level, degrees)


def test_a_small_difference_is_settled_sooner_by_a_margin() -> None:
    """To tell ±.06 around zero from ±.03 takes four times the rows; to tell it from zero, no number."""
    assert rows_to_decide(Estimate(0.0, -0.06, 0.06), rows=100, margin=0.03) == 400
    # From zero by 100 · (.05 / .01)² rows, into ±.03 by 100 · (.05 / .02)².
    assert rows_to_decide(Estimate(0.01, -0.04, 0.06), rows=100, margin=0.03) == 625
    # A large one is separated from zero first.
    assert rows_to_decide(Estimate(0.02, -0.02, 0.06), rows=100, margin=0.03) == 400
    assert rows_to_decide(Estimate(0.1, -0.1, 0.3), rows=100, margin=0.03) == 400
