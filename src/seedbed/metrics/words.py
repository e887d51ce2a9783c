"""The words of texts, as the measures count them, and runs of words as numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seedbed.metrics.protocol import Numbers
from seedbed.text.normalise import normalise, units


def words(text: str) -> list[str]:
    """Of the normal form; in a script without spaces each character is a word."""
    return units(normalise(text))


def count_distinct(numbers: Numbers) -> int:
    """How many different numbers there are; they are small and not negative."""
    return int(np.count_nonzero(np.bincount(numbers)))


@dataclass(frozen=True, slots=True)
class Runs:
    """Runs of words of every text: equal numbers are equal runs. Text i has `starts[i]:starts[i + 1]`."""

    numbers: Numbers
    starts: Numbers

    @classmethod
    def of(cls, texts: Iterable[Sequence[str]], width: int) -> Runs:
        """Runs of `width` words within each text; a shorter text has none."""
        known: dict[tuple[str, ...], int] = {}
        numbers: list[int] = []
        starts = [0]
        for text in texts:
            runs = (tuple(text[at : at + width]) for at in range(len(text) - width + 1))
            numbers.extend(known.setdefault(run, len(known)) for run in runs)
            starts.append(len(numbers))
        return cls(np.array(numbers, dtype=np.intp), np.array(starts, dtype=np.intp))

    def count(self, rows: Numbers) -> int:
        return int((self.starts[rows + 1] - self.starts[rows]).sum())

    def select(self, rows: Numbers, most: int) -> Numbers:
        """The first `most` runs of these texts, in the order given."""
        parts = [self.numbers[self.starts[row] : self.starts[row + 1]] for row in rows]
        return np.concatenate(parts)[:most]
