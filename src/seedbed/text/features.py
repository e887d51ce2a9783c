"""TF-IDF of words and of character runs, in numpy alone.

A feature is a 64-bit hash of a word or of 3 to 5 neighbouring characters (a space among them), found
for a whole block of texts at once. Only features of the rows it was fitted on are known, and those
that stand in a single row are not: they tell texts apart and bring none together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from seedbed.text.normalise import normalise, units

CHARACTER_RUNS = (3, 4, 5)
MOST_WORDS, MOST_RUNS = 6_000, 10_000
"""Features kept, the most frequent first."""
BLOCK = 128
DENSE = 1 << 20
"""Numbers of a matrix that stand in memory at a time, those without weight among them: 4 MB."""

Numbers = NDArray[np.intp]
Hashes = NDArray[np.uint64]
Floats = NDArray[np.float32]
Small = NDArray[np.int32]

_BASE = np.uint64(0x9E3779B97F4A7C15)
_OF_A_ROW = np.uint64(0xD6E8FEB86659FD93)
_BETWEEN, _SPACE = np.uint64(0), np.uint64(ord(" "))


@dataclass(frozen=True, slots=True)
class Sparse:
    """Rows of weighted features: parallel row, column and weight, sorted by row."""

    row: Small
    column: Small
    weight: Floats
    shape: tuple[int, int]

    def only(self, chosen: NDArray[np.bool_]) -> Sparse:
        """The chosen columns, numbered anew."""
        kept, numbers = chosen[self.column], np.cumsum(chosen, dtype=np.int32) - 1
        shape = (self.shape[0], int(np.count_nonzero(chosen)))
        return Sparse(self.row[kept], numbers[self.column[kept]], self.weight[kept], shape)

    def parts(self) -> Iterator[Floats]:
        """The matrix, dense, a few columns at a time and all rows of them."""
        rows, columns = self.shape
        width = max(1, min(columns, DENSE // max(1, rows)))
        order = np.argsort(self.column, kind="stable")
        row, column, weight = self.row[order], self.column[order], self.weight[order]
        bounds = np.searchsorted(column, np.arange(0, columns + width, width))
        for first, (begin, end) in zip(range(0, columns, width), pairwise(bounds), strict=True):
            part = np.zeros((rows, min(width, columns - first)), dtype=np.float32)
            part[row[begin:end], column[begin:end] - first] = weight[begin:end]
            yield part


@dataclass(frozen=True, slots=True)
class _Family:
    """Features of one kind: their hashes in ascending order, and the weight of each."""

    known: Hashes
    idf: NDArray[np.float64]

    def weigh(self, row: Numbers, found: Hashes, rows: int) -> tuple[Numbers, Numbers, NDArray[np.float64]]:
        """(row, column, weight) of the known ones: (1 + ln tf) · idf, each row of length 1."""
        if not len(self.known):
            return row[:0], row[:0], np.empty(0)
        column = np.minimum(np.searchsorted(self.known, found), len(self.known) - 1)
        is_known = self.known[column] == found
        flat, count = np.unique(row[is_known] * len(self.known) + column[is_known], return_counts=True)
        row, column = flat // len(self.known), flat % len(self.known)
        weight = (1 + np.log(count)) * self.idf[column]
        length = np.sqrt(np.bincount(row, weight**2, minlength=rows))
        return row, column, weight / length[row]


@dataclass(frozen=True, slots=True)
class Features:
    """The features of the rows that it was fitted on."""

    families: tuple[_Family, ...]

    @classmethod
    def fit(cls, texts: Sequence[str]) -> Features:
        found: list[list[Hashes]] = [[], []]
        for start in range(0, len(texts), BLOCK):
            for kind, (row, hashes) in enumerate(_hashed(texts[start : start + BLOCK])):
                found[kind].append(_once_a_row(row, hashes))
        most = (MOST_WORDS, MOST_RUNS)
        return cls(tuple(_family(parts, len(texts), n) for parts, n in zip(found, most, strict=True)))

    @property
    def columns(self) -> int:
        return sum(len(family.known) for family in self.families)

    def weigh(self, texts: Sequence[str]) -> Sparse:
        """Rows of length 1, to which words and character runs contribute equally."""
        parts = [self._weigh_block(texts, start) for start in range(0, len(texts), BLOCK)]
        row, column, weight = (np.concatenate(found) for found in zip(*parts, strict=True))
        return Sparse(row, column, weight, (len(texts), self.columns))

    def _weigh_block(self, texts: Sequence[str], start: int) -> tuple[Small, Small, Floats]:
        """(row, column, weight) of one block, sorted by row."""
        part = texts[start : start + BLOCK]
        rows, columns, weights = [], [], []
        first = 0
        for family, (row, hashes) in zip(self.families, _hashed(part), strict=True):
            row, column, weight = family.weigh(row, hashes, len(part))
            rows.append((row + start).astype(np.int32))
            columns.append((column + first).astype(np.int32))
            weights.append((weight / np.sqrt(len(self.families))).astype(np.float32))
            first += len(family.known)
        order = np.argsort(np.concatenate(rows), kind="stable")
        row32, column32, weight32 = (np.concatenate(found)[order] for found in (rows, columns, weights))
        return row32, column32, weight32


def _family(parts: Sequence[Hashes], rows: int, most: int) -> _Family:
    known, seen = np.unique(np.concatenate(parts), return_counts=True)
    known, seen = known[seen > 1], seen[seen > 1]
    kept = np.sort(np.lexsort((known, -seen))[:most])
    return _Family(known[kept], np.log((1 + rows) / (1 + seen[kept])) + 1)


def _once_a_row(row: Numbers, hashes: Hashes) -> Hashes:
    # A row and a hash in one number, which sorts in half the time that two take.
    both = hashes ^ (row.astype(np.uint64) * _OF_A_ROW)
    order = np.argsort(both)
    both = both[order]
    new = np.ones(len(both), dtype=bool)
    new[1:] = both[1:] != both[:-1]
    return hashes[order[new]]


def _hashed(texts: Sequence[str]) -> tuple[tuple[Numbers, Hashes], tuple[Numbers, Hashes]]:
    """(row, hash) of every word, and of every run of characters, of a block of texts."""
    # One array of characters for the whole block: a space around each word, a NUL between texts.
    joined = "\0".join(" " + " ".join(units(normalise(text))) + " " for text in texts)
    characters = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    row: Numbers = np.cumsum(characters == _BETWEEN)
    return _word_hashes(characters, row), _run_hashes(characters, row)


def _word_hashes(characters: Hashes, row: Numbers) -> tuple[Numbers, Hashes]:
    inside = (characters != _SPACE) & (characters != _BETWEEN)
    begins = np.flatnonzero(inside & ~np.concatenate(([False], inside[:-1])))
    if not len(begins):
        return row[:0], characters[:0]
    # Behind the first word's beginning every character has a place after the latest beginning.
    places = np.arange(begins[0], len(characters))
    places -= begins[np.searchsorted(begins, places, "right") - 1]
    powers = np.cumprod(np.full(int(places.max()) + 1, _BASE))
    terms = np.zeros_like(characters)
    terms[begins[0] :] = np.where(inside[begins[0] :], characters[begins[0] :] * powers[places], 0)
    return row[begins], np.add.reduceat(terms, begins)


def _run_hashes(characters: Hashes, row: Numbers) -> tuple[Numbers, Hashes]:
    rows, found = [], []
    for width in CHARACTER_RUNS:
        last = len(characters) - width + 1
        if last <= 0:
            continue
        total = np.full(last, np.uint64(width))
        for at in range(width):
            total = total * _BASE + characters[at : at + last]
        whole = (row[:last] == row[width - 1 : width - 1 + last]) & (characters[:last] != _BETWEEN)
        rows.append(row[:last][whole])
        found.append(total[whole])
    if not rows:
        return row[:0], characters[:0]
    return np.concatenate(rows), np.concatenate(found)
