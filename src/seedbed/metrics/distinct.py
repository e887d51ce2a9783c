"""distinct-n: of all runs of n words, the share that is not a repetition (Li et al. 2016, 1510.03055).

The share falls with the number of runs, whoever wrote them; so both sides are cut at equally many.
"""

from __future__ import annotations

from typing import ClassVar

from seedbed.metrics.protocol import Better, Needs, Numbers, Side
from seedbed.metrics.words import Runs, count_distinct


class _Distinct:
    better: ClassVar[Better] = "higher"
    margin: ClassVar[float] = 0.1
    relative: ClassVar[bool] = True
    ceiling: ClassVar[float | None] = 1.0
    needs: ClassVar[Needs] = "texts"
    width: ClassVar[int]

    def prepare(self, side: Side) -> Runs:
        return Runs.of(side.words, self.width)

    def size(self, prepared: Runs, rows: Numbers) -> int:
        return prepared.count(rows)

    def value(self, prepared: Runs, rows: Numbers, size: int) -> float:
        """Of texts that are all shorter than n words nothing repeats: 1."""
        runs = prepared.select(rows, size)
        return count_distinct(runs) / len(runs) if len(runs) else 1.0


class Distinct1(_Distinct):
    name: ClassVar[str] = "distinct_1"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Distinct words"
    width: ClassVar[int] = 1


class Distinct2(_Distinct):
    name: ClassVar[str] = "distinct_2"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Distinct pairs of words"
    width: ClassVar[int] = 2


class Distinct3(_Distinct):
    name: ClassVar[str] = "distinct_3"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Distinct runs of 3 words"
    width: ClassVar[int] = 3
