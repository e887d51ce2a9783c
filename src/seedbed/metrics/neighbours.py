"""Mean nearest-neighbour distance: how far each text is from the one that is most like it.

Cosine distance (1 - cosine) within the set, each text left out of its own neighbours. Copies are at
distance 0, and a set that says one thing in many ways has all its texts near one another.
"""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from seedbed.metrics.protocol import Better, Needs, Numbers, Side, Vectors

BLOCK = 256
"""Rows whose distances to all others are held at once: memory grows with the rows, not their square."""


class NearestNeighbour:
    name: ClassVar[str] = "nearest_neighbour"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Distance to nearest"
    better: ClassVar[Better] = "higher"
    margin: ClassVar[float] = 0.1
    relative: ClassVar[bool] = True
    ceiling: ClassVar[float | None] = 2.0
    needs: ClassVar[Needs] = "vectors"

    def prepare(self, side: Side) -> Vectors:
        assert side.vectors is not None
        return side.vectors

    def size(self, prepared: Vectors, rows: Numbers) -> int:
        return len(rows)

    def value(self, prepared: Vectors, rows: Numbers, size: int) -> float:
        return float(nearest_distances(prepared[rows]).mean())


def nearest_distances(vectors: Vectors) -> NDArray[np.float64]:
    """For each of at least two unit vectors (a zero one is like nothing) the distance to its nearest."""
    nearest = np.empty(len(vectors))
    for start in range(0, len(vectors), BLOCK):
        block = vectors[start : start + BLOCK] @ vectors.T
        own = np.arange(len(block))
        block[own, own + start] = -1.0
        nearest[start : start + BLOCK] = block.max(axis=1)
    # Rounding may put a copy a hair beyond 1.
    return np.clip(1.0 - nearest, 0.0, 2.0)
