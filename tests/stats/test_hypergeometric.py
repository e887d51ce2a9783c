"""Fisher's exact test beside the sum of binomials and scipy's, and what the corrections promise."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedbed.stats.hypergeometric import could_tell, holm, smallest_tail, upper_tail


def counted(hits: int, drawn: int, marked: int, total: int) -> float:
    """The same by whole numbers, without a logarithm."""
    least = max(hits, drawn + marked - total)
    term = math.comb(marked, least) * math.comb(total - marked, drawn - least)
    ways = term
    for found in range(least, min(drawn, marked)):
        term = term * (marked - found) * (drawn - found)
        term //= (found + 1) * (total - marked - drawn + found + 1)  # leaves no rest: it is a count
        ways += term
    return float(Fraction(ways, math.comb(total, drawn)))


@st.composite
def draws(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Counts of a few rows or of thousands, which is where chances are smaller than a float can say."""
    total = draw(st.integers(1, 40) | st.integers(1_000, 6_000))
    drawn, marked = draw(st.integers(0, total)), draw(st.integers(0, total))
    return draw(st.integers(0, min(drawn, marked))), drawn, marked, total


@given(draws())
@example((80, 1_000, 1_000, 2_000))
@example((500, 1_000, 1_000, 2_000))
@example((501, 1_000, 1_000, 2_000))
@example((600, 1_000, 1_000, 2_000))
@example((1_000, 1_000, 1_000, 2_000))
@example((1_500, 5_000, 5_000, 10_000))
@example((3_000, 5_000, 5_000, 10_000))
def test_no_tail_of_many_rows_is_lost(counts: tuple[int, int, int, int]) -> None:
    # Below 1e-307 floats lose digits, one after the other.
    assert upper_tail(*counts) == pytest.approx(counted(*counts), rel=1e-8, abs=1e-307)


def test_what_is_nearly_certain_is_not_0() -> None:
    assert upper_tail(80, 1_000, 1_000, 2_000) == 1.0
    assert upper_tail(1_500, 5_000, 5_000, 10_000) == 1.0


def test_it_equals_the_count_of_all_draws() -> None:
    dice = random.Random(0)
    for _ in range(2_000):
        total = dice.randrange(1, 400)
        drawn, marked = dice.randrange(total + 1), dice.randrange(total + 1)
        hits = dice.randrange(min(drawn, marked) + 1)
        assert upper_tail(hits, drawn, marked, total) == pytest.approx(
            counted(hits, drawn, marked, total), rel=1e-9
        )


def test_it_equals_scipys_exact_test() -> None:
    fisher = pytest.importorskip("scipy.stats").fisher_exact
    for table in ([[8, 2], [1, 5]], [[30, 70], [200, 2_700]], [[3, 0], [0, 3]], [[0, 10], [5, 5]]):
        (hits, right), (others, rest) = table
        drawn, marked = hits + right, hits + others
        p = float(fisher(table, alternative="greater").pvalue)
        assert upper_tail(hits, drawn, marked, drawn + others + rest) == pytest.approx(p, rel=1e-9)


def test_the_smallest_p_bounds_all_that_the_margins_allow() -> None:
    for drawn, marked, total in ((5, 3, 40), (20, 20, 100), (7, 0, 30)):
        every = [upper_tail(hits, drawn, marked, total) for hits in range(min(drawn, marked) + 1)]
        assert smallest_tail(drawn, marked, total) == min(every)


def test_a_draw_that_cannot_be_is_refused() -> None:
    with pytest.raises(ValueError, match="no such draw"):
        upper_tail(4, 3, 10, 20)


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.6, 0.9]) == [1.0, 1.0]
    assert holm([]) == []


def test_holm_keeps_the_share_of_runs_with_a_false_name() -> None:
    """2,000 runs of 40 tests that have nothing to find: 5 % at most name one, 87 % uncorrected."""
    dice = random.Random(1)
    corrected = plain = 0
    for _ in range(2_000):
        values = [dice.random() for _ in range(40)]
        plain += min(values) <= 0.05
        corrected += min(holm(values)) <= 0.05
    assert corrected / 2_000 <= 0.065
    assert plain / 2_000 >= 0.8


def test_tests_that_cannot_tell_are_left_out_by_their_margins() -> None:
    """Tarone's own example has this shape: of nine tests few could ever be significant."""
    assert could_tell([0.2, 0.001, 0.5, 0.004, 0.3], 0.05) == [False, True, False, True, False]
    assert could_tell([0.9, 0.8], 0.05) == [False, False]
    assert could_tell([0.001] * 50, 0.05) == [True] * 50
    assert could_tell([0.001] * 60, 0.05) == [False] * 60
    assert could_tell([], 0.05) == []
