"""Runs of characters and of words as hashes, for many texts at once: a call of numpy costs more than a text.

Texts are normal forms (`text.normalise`): words with one space between two. Hashes go into run folders
as parts of keys, so every constant is Seedbed's own and golden tests pin the result.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]
Places = npt.NDArray[np.int64]

_SPACE = ord(" ")
_BASE = 0x9E3779B97F4A7C15
_INVERSE = pow(_BASE, -1, 1 << 64)
_CHARACTER_BITS = np.uint64(21)  # a code point
# So many of the texts that are worked on together that what they take does not leave a core's cache.
CHARACTERS_AT_ONCE = 1 << 16
# Of a hash so many bits tell members of a set apart, and the others say in which of the sets they are.
_OWNER_BITS = 12
SETS_AT_ONCE = 1 << _OWNER_BITS
_HASH_BITS = np.uint64(64 - _OWNER_BITS)


def splitmix(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): a bijection of 64 bits that mixes well."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def in_parts(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """The texts in order, in parts of at most `CHARACTERS_AT_ONCE` characters, or of one text."""
    start = size = 0
    for at, text in enumerate(texts):
        size += len(text) + 2
        if size > CHARACTERS_AT_ONCE and at > start:
            yield texts[start:at]
            start, size = at, len(text) + 2
    if start < len(texts):
        yield texts[start:]


class Runs(NamedTuple):
    """Hashes of many texts in one array: those of text i are `hashes[starts[i]:][:sizes[i]]`.

    As they are made, one text's begin where those before it end.
    """

    hashes: Hashes
    starts: Places
    sizes: Places

    def __getitem__(self, text: int) -> Hashes:  # type: ignore[override]
        start = self.starts[text]
        return self.hashes[start : start + self.sizes[text]]

    def of(self, texts: Places) -> Runs:
        """Those of some of the texts, which may come again and in another order; nothing is copied."""
        return Runs(self.hashes, self.starts[texts], self.sizes[texts])

    def in_order(self) -> Hashes:
        """All hashes of one text after the other."""
        if int(self.sizes.sum()) == len(self.hashes):
            return self.hashes
        return self.hashes[spread(self.starts, self.sizes)]


def char_runs(texts: Sequence[str], width: int = 3) -> Runs:
    """Each run of `width` ≤ 3 characters of " text ", for texts that are not empty.

    Unlike runs have unlike hashes: a code point takes 21 bits.
    """
    codes = _codes("".join([f" {text} " for text in texts])).astype(np.uint64)
    lengths = np.array([len(text) + 2 for text in texts], np.int64)
    ends = np.cumsum(lengths)
    count = max(len(codes) - width + 1, 0)
    own = np.ones(count, bool)
    for place in range(1, width):
        own[ends[:-1] - place] = False  # reaches into the next text
    runs = codes[:count].copy()
    for place in range(1, width):
        runs <<= _CHARACTER_BITS
        runs |= codes[place : place + count]
    sizes = lengths - width + 1
    return Runs(splitmix(runs[own]), np.cumsum(sizes) - sizes, sizes)


def word_runs(texts: Sequence[str], width: int) -> Runs:
    """Each run of `width` words; of a text of fewer words, the one run there is. No text is empty.

    A run is a polynomial of its characters, the difference of two sums from the beginning of all texts on.
    """
    codes = _codes("".join([f"{text} " for text in texts]))
    powers, inverse = _powers(_BASE, len(codes)), _powers(_INVERSE, len(codes))
    sums = np.zeros(len(codes) + 1, np.uint64)
    np.cumsum(codes * powers[: len(codes)], out=sums[1:])
    ends = np.flatnonzero(codes == _SPACE)  # of each word
    starts = np.zeros(len(ends), np.int64)
    starts[1:] = ends[:-1] + 1
    last_words = np.searchsorted(ends, np.cumsum([len(text) + 1 for text in texts], dtype=np.int64) - 1)
    first_words = np.zeros(len(texts), np.int64)
    first_words[1:] = last_words[:-1] + 1
    sizes = np.maximum(last_words - first_words - width + 2, 1)
    firsts = spread(first_words, sizes)
    lasts = np.minimum(firsts + (width - 1), np.repeat(last_words, sizes))
    at = starts[firsts]
    hashes = splitmix((sums[ends[lasts]] - sums[at]) * inverse[at])
    return Runs(hashes, np.cumsum(sizes) - sizes, sizes)


def distinct(runs: Runs) -> Runs:
    """Without a text's repetitions, in order of size: the upper 52 bits of each hash, of up to 4,096 texts.

    Two members of a set of n are taken for one with a probability of n² / 2⁵³.
    """
    owners = np.arange(len(runs.sizes), dtype=np.uint64) << _HASH_BITS
    keys = np.repeat(owners, runs.sizes) | (runs.in_order() >> np.uint64(_OWNER_BITS))
    keys.sort()
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    starts = np.searchsorted(keys, owners)
    sizes = np.diff(np.r_[starts, len(keys)])
    return Runs(keys << np.uint64(_OWNER_BITS), starts, sizes)


def shared(one: Runs, two: Runs) -> Places:
    """How many hashes two sets have in common, for up to 4,096 pairs of `distinct` sets in parallel."""
    owners = np.arange(len(one.sizes), dtype=np.uint64) << _HASH_BITS
    keys = np.concatenate(
        [np.repeat(owners, side.sizes) | (side.in_order() >> np.uint64(_OWNER_BITS)) for side in (one, two)]
    )
    keys.sort()
    met = keys[1:][keys[1:] == keys[:-1]] >> _HASH_BITS
    return np.bincount(met.astype(np.int64), minlength=len(owners))


def _codes(text: str) -> npt.NDArray[np.uint8 | np.uint32]:
    """One number a character: its code point."""
    if text.isascii():
        return np.frombuffer(text.encode(), np.uint8)
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")


def spread(starts: Places, sizes: Places) -> Places:
    """The places from each start on, so many of each, one after the other."""
    before = np.cumsum(sizes) - sizes
    return np.repeat(starts - before, sizes) + np.arange(int(sizes.sum()))


def _powers(base: int, count: int) -> Hashes:
    """At least so many of them: 1, base, base² …"""
    return _first_powers(base) if count <= CHARACTERS_AT_ONCE else _powers_of(base, count)


def _powers_of(base: int, count: int) -> Hashes:
    powers = np.full(count, base, np.uint64)
    powers[0] = 1
    return np.multiply.accumulate(powers)


@cache
def _first_powers(base: int) -> Hashes:
    return _powers_of(base, CHARACTERS_AT_ONCE)
