"""What a whole run takes, forecast from a few cells: right on average, honest about its width."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.stats.forecast import forecast


def test_the_value_is_the_plain_ratio() -> None:
    found = forecast(100, [1, 1, 2, 0], [1, 0, 1, 0], {"tokens": [10, 20, 30, 0], "cells": [1, 1, 1, 1]})
    assert found is not None
    assert found["tokens"].value == pytest.approx(100 / 2 * 60)
    assert found["cells"].value == pytest.approx(200)
    assert found["tokens"].low < found["tokens"].value < found["tokens"].high


def test_where_all_were_good_more_than_the_target_may_still_be_needed() -> None:
    few = forecast(100, [1] * 10, [1] * 10, {"cells": [1] * 10})
    many = forecast(100, [1] * 500, [1] * 500, {"cells": [1] * 500})
    assert few is not None
    assert many is not None
    assert few["cells"].value == many["cells"].value == 100
    assert few["cells"].high > 110 > many["cells"].high > 100


def test_nothing_good_says_nothing() -> None:
    assert forecast(100, [1, 1], [0, 0], {"cells": [1, 1]}) is None
    assert forecast(100, [], [], {"cells": []}) is None


def test_unequal_columns_are_refused() -> None:
    with pytest.raises(ValueError, match="one figure a cell"):
        forecast(10, [1, 1], [1, 1], {"cells": [1]})


def test_the_interval_covers_the_truth() -> None:
    """600 previews of 20 cells with a yield of .7 and tokens of mean 100: the truth is 100 / .7 · 100."""
    dice, truth, covered = random.Random(7), 100 / 0.7 * 100, 0
    for seed in range(600):
        good = [int(dice.random() < 0.7) for _ in range(20)]
        tokens = [dice.gammavariate(4, 25) for _ in range(20)]
        found = forecast(100, [1] * 20, good, {"tokens": tokens}, draws=1_000, seed=seed)
        assert found is not None
        covered += found["tokens"].low <= truth <= found["tokens"].high
    assert covered >= 0.92 * 600


@given(
    st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4), st.floats(0, 1e6)), max_size=12),
    st.integers(1, 999),
)
def test_bounds_enclose_the_value_and_equal_cells_give_equal_numbers(
    cells: list[tuple[int, int, float]], missing: int
) -> None:
    drafts = [max(a, b) for a, b, _ in cells]
    good = [min(a, b) for a, b, _ in cells]
    amounts = {"tokens": [tokens for *_, tokens in cells]}
    found = forecast(missing, drafts, good, amounts, draws=200)
    assert found == forecast(missing, drafts, good, amounts, draws=200)
    assert (found is None) == (sum(good) == 0)
    if found is not None:
        assert found["tokens"].low <= found["tokens"].value <= found["tokens"].high
        assert not math.isnan(found["tokens"].high)
