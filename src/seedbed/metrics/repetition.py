"""Whole texts that stand twice, and openings that stand again and again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import ClassVar

import numpy as np

from seedbed.metrics.protocol import Better, Needs, Numbers, Side
from seedbed.metrics.words import count_distinct
from seedbed.text.normalise import normalise

OPENING_WORDS = 4


class DistinctTexts:
    """The share of texts that repeat no other in their normal form; of n equal ones, one counts."""

    name: ClassVar[str] = "distinct_texts"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Distinct texts"
    better: ClassVar[Better] = "higher"
    margin: ClassVar[float] = 0.1
    relative: ClassVar[bool] = True
    ceiling: ClassVar[float | None] = 1.0
    needs: ClassVar[Needs] = "texts"

    def prepare(self, side: Side) -> Numbers:
        return _numbered(normalise(text) for text in side.texts)

    def size(self, prepared: Numbers, rows: Numbers) -> int:
        return len(rows)

    def value(self, prepared: Numbers, rows: Numbers, size: int) -> float:
        return count_distinct(prepared[rows]) / len(rows)


class CommonOpening:
    """The share of texts that begin with the commonest first four words: teachers have habits."""

    name: ClassVar[str] = "common_opening"
    version: ClassVar[int] = 1
    label: ClassVar[str] = "Commonest opening"
    better: ClassVar[Better] = "lower"
    margin: ClassVar[float] = 0.02
    relative: ClassVar[bool] = False
    ceiling: ClassVar[float | None] = 1.0
    needs: ClassVar[Needs] = "texts"

    def prepare(self, side: Side) -> Numbers:
        return _numbered(tuple(words[:OPENING_WORDS]) for words in side.words)

    def size(self, prepared: Numbers, rows: Numbers) -> int:
        return len(rows)

    def value(self, prepared: Numbers, rows: Numbers, size: int) -> float:
        return int(np.bincount(prepared[rows]).max()) / len(rows)


def _numbered(values: Iterable[Hashable]) -> Numbers:
    known: dict[Hashable, int] = {}
    return np.array([known.setdefault(value, len(known)) for value in values], dtype=np.intp)
