"""How far a measure of variety would move on other rows: half-samples.

The bootstrap puts copies of rows into its draws, and copies are exactly what these measures count: a
bootstrap of a set without one repetition has 37 % of them. Halves drawn without replacement have no
copy that the set has not. For a smooth measure the spread over halves is that of the whole set's
value, with no factor between them: the delete-d jackknife with d = n / 2 (Shao & Wu 1989).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedbed.stats.intervals import LEVEL, Estimate, normal_quantile

DRAWS = 30
"""How far the figures move is then known to an eighth of itself: an interval's ends want no more."""

Rows = NDArray[np.intp]


def half_samples(rows: int, draws: int = DRAWS, *, seed: int = 0) -> list[Rows]:
    """`draws` halves of 0..rows-1, each in an order of its own. Equal seeds, equal halves.

    Raises ValueError for fewer than two rows, which have no half.
    """
    if rows < 2:
        raise ValueError(f"a half-sample needs at least 2 rows, not {rows}")
    rng = np.random.default_rng(seed)
    return [rng.permutation(rows)[: rows // 2] for _ in range(draws)]


def half_sample_interval(value: float, halves: ArrayLike, level: float = LEVEL) -> Estimate:
    """The normal interval of a figure, from its values on half-samples.

    The halves give the spread alone: where their values lie differs from the figure as a half is
    smaller than the whole (of fewer rows, fewer are alike). Raises ValueError for fewer than two.
    """
    values = np.asarray(halves, dtype=np.float64)
    if len(values) < 2:
        raise ValueError("an interval needs at least two half-samples")
    reach = normal_quantile(level) * float(values.std(ddof=1))
    return Estimate(float(value), float(value) - reach, float(value) + reach)
