"""Topics: clusters fixed on the real rows, and how a set is spread over them.

k-means (Lloyd 1982, begun as Arthur & Vassilvitskii 2007 do) on the vectors of real train rows, with
k = √(n / 2) clusters of n rows (Mardia, Kent & Bibby 1979). What the real rows are about is what
there is to be covered; a generated set has no say in it.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from seedbed.metrics.protocol import Better, Needs, Numbers, Side, Vectors
from seedbed.metrics.words import count_distinct

STEPS = 50


def topic_count(rows: int) -> int:
    """√(rows / 2), at least 2."""
    return max(2, math.isqrt(rows // 2))


def fix_topics(vectors: Vectors, count: int, *, seed: int = 0) -> Vectors:
    """Centres of `count` clusters, shape (count, dimensions). Equal vectors and seed, equal centres."""
    rng = np.random.default_rng(seed)
    centres = _spread_out(vectors, count, rng)
    nearest = assign(vectors, centres)
    for _ in range(STEPS):
        for topic in range(count):
            members = vectors[nearest == topic]
            if len(members):  # else it stays where it was
                centres[topic] = members.mean(axis=0)
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


class _Topics:
    better: ClassVar[Better] = "higher"
    ceiling: ClassVar[float | None] = 1.0
    needs: ClassVar[Needs] = "topics"

    def prepare(self, side: Side) -> tuple[Numbers, int]:
        assert side.topics is not None
        return side.topics, side.topic_count

    def size(self, prepared: tuple[Numbers, int], rows: Numbers) -> int:
        return len(rows)


class TopicCoverage(_Topics):
    """The share of topics that the set has at least one text of."""

    name: ClassVar[str] = "topic_coverage"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Topic coverage"
    margin: ClassVar[float] = 0.1
    relative: ClassVar[bool] = True

    def value(self, prepared: tuple[Numbers, int], rows: Numbers, size: int) -> float:
        topics, count = prepared
        return count_distinct(topics[rows]) / count


class TopicEntropy(_Topics):
    """Entropy of the topics' shares, 0 for a single topic and 1 where all are equally frequent."""

    name: ClassVar[str] = "topic_entropy"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Topic entropy"
    margin: ClassVar[float] = 0.05
    relative: ClassVar[bool] = False

    def value(self, prepared: tuple[Numbers, int], rows: Numbers, size: int) -> float:
        topics, count = prepared
        shares = np.bincount(topics[rows], minlength=count) / len(rows)
        shares = shares[shares > 0]
        return float(-(shares * np.log(shares)).sum() / math.log(count))
