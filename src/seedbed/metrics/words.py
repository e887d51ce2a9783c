"""The words of texts, as the measures count them, and runs of words as numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from seedbed.text.normalise import normalise, units
from seedbed.text.runs import spread

if TYPE_CHECKING:  # a side has words
    from seedbed.metrics.protocol import Numbers


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
    def of(cls, texts: Sequence[Sequence[str]], width: int) -> Runs:
        """Runs of `width` words within each text; a shorter text has none."""
        known: dict[str, int] = {}
        each = np.array([known.setdefault(word, len(known)) for text in texts for word in text], np.intp)
        sizes = np.array([len(text) for text in texts], dtype=np.intp)
        counts = np.maximum(sizes - width + 1, 0)
        firsts = spread(np.cumsum(sizes) - sizes, counts)
        numbers = each[firsts]
        for place in range(1, width):
            # Numbered anew: those of long runs would not fit into any type.
            numbers = np.unique(numbers * len(known) + each[firsts + place], return_inverse=True)[1]
        return cls(numbers, np.concatenate(([0], np.cumsum(counts))))

    def count(self, rows: Numbers) -> int:
        return int((self.starts[rows + 1] - self.starts[rows]).sum())

    def select(self, rows: Numbers, most: int) -> Numbers:
        """The first `most` runs of these texts, in the order given."""
        starts = self.starts[rows]
        selected: Numbers = self.numbers[spread(starts, self.starts[rows + 1] - starts)[:most]]
        return selected
