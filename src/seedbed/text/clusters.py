"""Clusters of vectors: what some rows are about, fixed once, and which of it others come nearest to.

k-means (Lloyd 1982, begun as Arthur & Vassilvitskii 2007 do), with k = √(n / 2) clusters of n rows (Mardia,
Kent & Bibby 1979).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]
Numbers = NDArray[np.intp]

STEPS = 50


def cluster_count(rows: int) -> int:
    """√(rows / 2), at least 2."""
    return max(2, math.isqrt(rows // 2))


def fix_clusters(vectors: Vectors, count: int, *, seed: int = 0) -> Vectors:
    """Centres of `count` clusters, shape (count, dimensions). Equal vectors and seed, equal centres."""
    rng = np.random.default_rng(seed)
    centres = _spread_out(vectors, count, rng)
    nearest = assign(vectors, centres)
    for _ in range(STEPS):
        for number in range(count):
            members = vectors[nearest == number]
            if len(members):  # else it stays where it was
                centres[number] = members.mean(axis=0)
        before, nearest = nearest, assign(vectors, centres)
        if np.array_equal(before, nearest):
            break
    return centres


def assign(vectors: Vectors, centres: Vectors) -> Numbers:
    """The nearest centre of each vector; of equally near ones the first."""
    nearest: Numbers = (vectors @ centres.T - (centres**2).sum(axis=1) / 2).argmax(axis=1)
    return nearest


def _spread_out(vectors: Vectors, count: int, rng: np.random.Generator) -> Vectors:
    """Rows to begin with: each drawn in proportion to its squared distance from those before."""
    centres = np.empty((count, vectors.shape[1]), dtype=np.float32)
    centres[0] = vectors[int(rng.random() * len(vectors))]
    distance = np.full(len(vectors), np.inf)
    for at in range(1, count):
        distance = np.minimum(distance, ((vectors - centres[at - 1]) ** 2).sum(axis=1, dtype=np.float64))
        reach = np.cumsum(distance)
        # Fewer distinct rows than clusters: the rest begin anywhere and stay empty.
        chosen = np.searchsorted(reach, rng.random() * reach[-1], "right") if reach[-1] > 0 else 0
        centres[at] = vectors[min(int(chosen), len(vectors) - 1)]
    return centres
