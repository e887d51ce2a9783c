"""Keys under which vectors of nearly the same direction meet: signs of random projections.

The side of a random hyperplane on which a vector lies is the same for two vectors at an angle θ with
probability 1 - θ/π (Charikar 2002). Some sides in a row are a key, and vectors meet that share one of 32
keys. The hyperplanes go through the centre of the real vectors, since the vectors of texts that have a
subject in common fill a narrow cone, which hyperplanes through the origin would hardly cut. Their normals
are of ±1 (Achlioptas 2003), made of SplitMix64: keys in a run folder depend on no library's release.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from seedbed.text.runs import splitmix

TABLES = 32
MOST_BITS = 24
MISSED = 0.01
"""Of pairs that are just similar enough, how many may share no key."""

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Hyperplanes:
    """`centre` has shape (dimensions,), or (1,) where nothing is known; `bits` are the sides in a key."""

    centre: Vectors
    bits: int

    @classmethod
    def through(cls, vectors: Vectors, similarity: float) -> Hyperplanes:
        """Through the centre of unit vectors (perhaps none), for pairs of at least so high a cosine."""
        centre = vectors.mean(axis=0) if len(vectors) else np.zeros(1, np.float32)
        # Seen from the centre, two vectors at cosine s are at about (s - c)/(1 - c), c its squared length.
        shared = min(float(centre @ centre), 0.99)
        return cls(centre, bits_for((similarity - shared) / (1 - shared)))

    def keys(self, vectors: Vectors) -> list[list[int]]:
        """32 numbers of each unit vector; of a zero vector, which has no direction, none."""
        planes = _planes(vectors.shape[1], TABLES * self.bits)
        # Not a matrix product: what is worked on together must not decide on which side a vector lies.
        sides = np.einsum("nd,pd->np", vectors - self.centre, planes) > 0
        weights = 1 << np.arange(self.bits, dtype=np.int64)
        codes = sides.reshape(len(vectors), TABLES, self.bits) @ weights
        numbers = codes + (np.arange(TABLES, dtype=np.int64) << self.bits)
        known = np.linalg.norm(vectors, axis=1) > 0
        return [own if there else [] for own, there in zip(numbers.tolist(), known, strict=True)]


def bits_for(similarity: float) -> int:
    """As many sides in a key as leave all but 1 % of the pairs at this cosine a key in common."""
    same_side = 1 - math.acos(max(-1.0, min(1.0, similarity))) / math.pi
    for bits in range(MOST_BITS, 1, -1):
        if (1 - same_side**bits) ** TABLES <= MISSED:
            return bits
    return 1


@lru_cache(maxsize=4)
def _planes(dimensions: int, count: int) -> Vectors:
    numbers = splitmix(np.arange(1, count * dimensions + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))
    signs = np.where(numbers >> np.uint64(63), np.float32(1), np.float32(-1))
    return signs.reshape(count, dimensions)
