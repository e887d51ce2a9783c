"""Half-samples: no copies, and an interval that covers as it says."""

from __future__ import annotations

import numpy as np
import pytest

from seedbed.stats.half_samples import half_sample_interval, half_samples


def test_a_half_has_no_row_twice() -> None:
    halves = half_samples(51, 30, seed=1)
    assert {len(half) for half in halves} == {25}
    assert all(len(set(half.tolist())) == 25 for half in halves)
    assert all((a == b).all() for a, b in zip(halves, half_samples(51, 30, seed=1), strict=True))


def test_the_interval_covers_a_mean() -> None:
    """400 samples of 80 rows from a skewed distribution whose mean is 1: 95 % of the intervals hold it."""
    rng = np.random.default_rng(0)
    covered = 0
    for trial in range(400):
        rows = rng.exponential(size=80)
        draws = [rows[half].mean() for half in half_samples(80, seed=trial)]
        interval = half_sample_interval(float(rows.mean()), draws)
        covered += interval.low <= 1 <= interval.high
    assert 0.91 <= covered / 400 <= 0.98


def test_too_little_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2 rows"):
        half_samples(1)
    with pytest.raises(ValueError, match="at least two"):
        half_sample_interval(1.0, [1.0])
