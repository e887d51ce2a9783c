"""Topics: clusters fixed on the real rows, and how a set is spread over them.

The clusters are those of the vectors of real train rows (`text/clusters.py`). What the real rows are about is
what there is to be covered; a generated set has no say in it.
"""

from __future__ import annotations

import math
from typing import ClassVar

import numpy as np

from seedbed.metrics.protocol import Better, Needs, Numbers, Side
from seedbed.metrics.words import count_distinct


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
