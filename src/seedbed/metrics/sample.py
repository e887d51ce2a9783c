"""Which rows are measured: a bounded sample of either side, equal in number and in length.

A row's rank is a hash of its identity, so that the sample depends on what rows there are and never
on their order, and one more row changes it by one at most.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median

from seedbed.core.hashing import seeds_after
from seedbed.metrics.words import words
from seedbed.text.lexical import first_texts

POOL, POOL_CHARACTERS = 5_000, 2_000_000
"""Rows of a side that the sample is taken from, however long the run, and characters of those."""
SAMPLE, SAMPLE_CHARACTERS = 1_000, 400_000
"""Rows of a side that are measured, and characters: of long texts fewer are looked at."""
MOST_CHARACTERS = 10_000
"""What is held of one text."""
FEWEST = 50
"""With fewer rows on a side no figure is given."""
CALIPER = 1.25
"""Two texts are of one length if neither has more than so many times the words of the other."""


@dataclass
class Pool:
    """The `most` lowest-ranked rows of however many come by, and how many came."""

    most: int = POOL
    seed: int = 0
    count: int = 0
    _kept: list[tuple[int, str, str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._rank = seeds_after("measured row", self.seed)

    def add(self, identity: str, text: str) -> None:
        self.count += 1
        entry = (-self._rank(identity), identity, text[:MOST_CHARACTERS])
        if len(self._kept) < self.most:
            heapq.heappush(self._kept, entry)
        elif entry > self._kept[0]:
            heapq.heapreplace(self._kept, entry)

    def texts(self) -> list[str]:
        """Those kept, by rank. A lone surrogate, which no encoding carries, becomes U+FFFD."""
        by_rank = [text for _, _, text in sorted(self._kept, reverse=True)]
        return [_encodable(text) for text in first_texts(by_rank, self.most, POOL_CHARACTERS, FEWEST)]


def _encodable(text: str) -> str:
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")


@dataclass(frozen=True, slots=True)
class Sample:
    """What is measured. `real` is the pool of real texts; `twins` says for each of `generated` which
    of them stands against it. Without real rows, or where no lengths agree, there are none.
    """

    generated: Sequence[str]
    real: Sequence[str] = ()
    twins: Sequence[int] = ()
    notes: Sequence[str] = ()


def draw_sample(generated: Sequence[str], real: Sequence[str]) -> Sample:
    """Pair generated texts with real ones of like length, from the pools' texts by rank."""
    if not real:
        return Sample(_first(generated))
    pairs, tried = _pairs([len(words(t)) for t in generated], [len(words(t)) for t in real])
    left_out = tried - len(pairs)
    pairs = pairs[: len(_first([generated[g] for g, _ in pairs]))]
    if len(pairs) < FEWEST:
        lengths = f"median {_median(generated)} words against {_median(real)} of the real ones"
        note = f"not compared with real rows: too few have a length in common ({lengths})"
        return Sample(_first(generated), real, (), (note,))
    notes = []
    if left_out > 0.1 * tried:
        notes.append(
            f"{left_out:,} of {tried:,} rows were left out: no row of the other side was of their "
            f"length (median {_median(generated)} words, real {_median(real)})"
        )
    return Sample([generated[g] for g, _ in pairs], real, [r for _, r in pairs], tuple(notes))


def _first(texts: Sequence[str]) -> Sequence[str]:
    return first_texts(texts, SAMPLE, SAMPLE_CHARACTERS, FEWEST)


def _median(texts: Sequence[str]) -> str:
    return f"{median(len(words(text)) for text in texts):.4g}"


def _pairs(generated: Sequence[int], real: Sequence[int]) -> tuple[list[tuple[int, int]], int]:
    """Pairs (generated, real) of like length, at most SAMPLE, and for how many one was looked for.

    The side with fewer rows looks: each of its rows by rank takes the unused row whose length is
    nearest to its own, of several the first by rank.
    """
    real_looks = len(real) < min(len(generated), SAMPLE)
    looking, offered = (real, generated) if real_looks else (generated, real)
    unused: list[tuple[int, int]] = []
    for row, length in enumerate(offered):
        insort(unused, (length, row))
    pairs: list[tuple[int, int]] = []
    tried = 0
    for row, length in enumerate(looking):
        if len(pairs) == SAMPLE or not unused:
            break
        tried += 1
        at = _nearest(unused, length)
        found, other = unused[at]
        if max(found, length) <= CALIPER * min(found, length):
            del unused[at]
            pairs.append((other, row) if real_looks else (row, other))
    return pairs, tried


def _nearest(ordered: Sequence[tuple[int, int]], length: int) -> int:
    """The place of the nearest length; of equal ones the first by rank, of equally near the shorter."""
    at = bisect_left(ordered, (length, -1))
    if at == len(ordered) or (at and length - ordered[at - 1][0] <= ordered[at][0] - length):
        return bisect_left(ordered, (ordered[at - 1][0], -1))
    return at
