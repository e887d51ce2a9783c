"""What a whole run will take, from a first few cells of it: a Monte-Carlo interval of a ratio.

A run needs `missing` good drafts. With y the share of drafts that are good, d drafts and a tokens a cell, it
takes missing / (y·d) · a of them. y is drawn from its Jeffreys posterior, Beta(good + 1/2, bad + 1/2) (Brown,
Cai & DasGupta 2001), which stays sensible where all of ten drafts were good; d and a are drawn together
by the bootstrap over cells (Efron & Tibshirani 1993), which keeps what ties them to one another.

The interval is of the sampling error of these cells alone. What changes as a run grows, such as drafts
that repeat earlier ones, is not in it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from seedbed.stats.intervals import LEVEL, Estimate

DRAWS = 4_000


def forecast(
    missing: int,
    drafts: Sequence[int],
    good: Sequence[int],
    amounts: Mapping[str, Sequence[float]],
    *,
    level: float = LEVEL,
    draws: int = DRAWS,
    seed: int = 0,
) -> dict[str, Estimate] | None:
    """For each amount (one figure a cell) its total over a run that needs `missing` good drafts.

    `drafts` and `good` count each cell's drafts. None where no draft was good: then there is no telling.
    A bound may be infinite where many cells gave no draft. Raises ValueError for unequal lengths.
    """
    cells = len(drafts)
    if not all(len(column) == cells for column in (good, *amounts.values())):
        raise ValueError("every column needs one figure a cell")
    all_drafts, all_good = sum(drafts), sum(good)
    if not all_good:
        return None
    rng = np.random.default_rng(seed)
    share = rng.beta(all_good + 0.5, all_drafts - all_good + 0.5, size=draws)
    picked = rng.integers(cells, size=(draws, cells))
    each = share * np.asarray(drafts, np.float64)[picked].mean(axis=1)
    with np.errstate(divide="ignore"):
        needed = missing / each
    tail = 100 * (1 - level) / 2
    found = {}
    for name, column in amounts.items():
        with np.errstate(invalid="ignore"):
            totals = needed * np.asarray(column, np.float64)[picked].mean(axis=1)
        totals[np.isnan(totals)] = math.inf  # no draft and no tokens: a cell that failed at once
        low, high = np.percentile(totals, [tail, 100 - tail], method="inverted_cdf")
        value = missing / all_good * math.fsum(column)
        found[name] = Estimate(value, min(float(low), value), max(float(high), value))
    return found
