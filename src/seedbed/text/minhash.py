"""MinHash signatures and the band keys under which likely twins meet.

Broder 1997 (min-wise hashing) with linear permutations (Bohman, Cooper, Frieze 2000), here of 32 bits
that are mixed before, and banded locality-sensitive hashing (Leskovec, Rajaraman, Ullman, *Mining of
Massive Datasets*, ch. 3).
Keys are written into run folders and meet those of later rounds, so every constant is Seedbed's
own and golden tests pin the result: it depends on no library's release.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate, pairwise

import numpy as np
import numpy.typing as npt

PERMUTATIONS = 128
MAX_BANDS = 20
_BLOCK = 4096
# Hashes of short texts that are worked on together: 128 permutations of them stay in a core's cache.
_TOGETHER = 512
_SHIFT = np.uint64(32)

Hashes = npt.NDArray[np.uint64]
Minima = npt.NDArray[np.uint32]


def splitmix(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): a bijection of 64 bits that mixes well."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _constants(count: int, start: int) -> Hashes:
    return splitmix(np.arange(start, start + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


_MULTIPLIERS = ((_constants(PERMUTATIONS, 1) >> _SHIFT) | np.uint64(1)).astype(np.uint32)[:, None]
_OFFSETS = (_constants(PERMUTATIONS, 1 + PERMUTATIONS) >> _SHIFT).astype(np.uint32)[:, None]
_SPACE, _BASE = ord(" "), np.uint64(0x9E3779B97F4A7C15)
_PLACES = _constants(PERMUTATIONS, 1 + 2 * PERMUTATIONS) | np.uint64(1)


def char_codes(text: str) -> Hashes:
    """One number a character: its code point."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)


def token_codes(tokens: Sequence[str]) -> Hashes:
    """One number a token (text without white space): its CRC-32, the same on every machine."""
    # Encoded in one piece: a token holds no line end. No token at all is no empty one either.
    raw = "\n".join(tokens).encode("utf-8", "surrogatepass").split(b"\n") if tokens else []
    return np.fromiter(map(zlib.crc32, raw), np.uint64, len(raw))


def word_codes_of(texts: Sequence[str]) -> list[Hashes]:
    """One number a word, for texts of words with one space between two: a polynomial of its characters."""
    if not texts:
        return []
    codes = char_codes(" ".join(texts) + " ")
    ends = np.flatnonzero(codes == _SPACE)
    starts = np.r_[0, ends[:-1] + 1]
    lengths = ends - starts
    powers = np.multiply.accumulate(np.full(int(lengths.max()) + 1, _BASE))
    places = np.arange(len(codes)) - np.repeat(starts, lengths + 1)
    words = splitmix(np.add.reduceat(codes * powers[places], starts))
    bounds = accumulate((text.count(" ") + 1 for text in texts), initial=0)
    return [words[start:end] for start, end in pairwise(bounds)]


def shingle_hashes(codes: Hashes, width: int) -> Hashes:
    """64-bit hashes of the runs of `width` codes, in order; of fewer codes, of the one run there is."""
    width = min(width, len(codes))
    if not width:
        return codes
    runs = len(codes) - width + 1
    total = np.full(runs, width, dtype=np.uint64)
    for place in range(width):
        total += (codes[place : place + runs] + np.uint64(1)) * _PLACES[place]
    return splitmix(total)


def shingle_hashes_of(codes: Sequence[Hashes], width: int) -> list[Hashes]:
    """`shingle_hashes` of many texts at once: numpy costs a call more than it costs a short text."""
    together = [len(own) >= width for own in codes]
    joined = [own for own, long_enough in zip(codes, together, strict=True) if long_enough]
    runs = shingle_hashes(np.concatenate(joined), width) if joined else np.empty(0, np.uint64)
    hashes, at = [], 0
    for own, long_enough in zip(codes, together, strict=True):
        if long_enough:
            # Runs that reach into the next text lie between; they are nobody's.
            hashes.append(runs[at : at + len(own) - width + 1])
            at += len(own)
        else:
            hashes.append(shingle_hashes(own, width))
    return hashes


def char_shingles_of(texts: Sequence[str], width: int) -> list[Hashes]:
    """`distinct_of` the hashes of runs of `width` characters, for texts that are at least so long."""
    hashes = shingle_hashes(char_codes("".join(texts)), width)
    sets, at = [], 0
    for text in texts:
        sets.append(
            hashes[at : at + len(text) - width + 1]
        )  # runs that reach into the next text are nobody's
        at += len(text)
    return distinct_of(sets)


def distinct_of(sets: Sequence[Hashes]) -> list[Hashes]:
    """The distinct hashes of each text, sorted, as signatures see them: the upper 32 bits alone."""
    if not sets:
        return []
    owners = np.arange(len(sets) + 1, dtype=np.uint64) << _SHIFT
    keys = (np.concatenate(sets) >> _SHIFT) | np.repeat(owners[:-1], [len(own) for own in sets])
    keys.sort()
    keys = keys[np.r_[True, keys[1:] != keys[:-1]]] if len(keys) else keys
    bounds = np.searchsorted(keys, owners).tolist()
    keys <<= _SHIFT
    return [keys[start:end] for start, end in pairwise(bounds)]


def signatures(sets: Sequence[Hashes], minima: int = PERMUTATIONS) -> Iterator[Minima]:
    """The first `minima` of the `signature` of each non-empty set of shingle hashes, many at once."""
    at = 0
    while at < len(sets):
        if len(sets[at]) >= _TOGETHER:
            yield signature(sets[at], minima)
            at += 1
            continue
        end, size = at, 0
        while end < len(sets) and size + len(sets[end]) <= _TOGETHER:
            size += len(sets[end])
            end += 1
        starts = np.cumsum([0, *(len(own) for own in sets[at : end - 1])])
        block = _permuted(np.concatenate(sets[at:end]), minima)
        yield from np.minimum.reduceat(block, starts, axis=1).T
        at = end


def signature(hashes: Hashes, minima: int = PERMUTATIONS) -> Minima:
    """The minima over a non-empty set of shingle hashes; equal shares of two estimate the Jaccard.

    Works through a long text in blocks, so that a megabyte of text needs no more memory than a page.
    """
    lowest = np.full(minima, np.iinfo(np.uint32).max, dtype=np.uint32)
    for at in range(0, len(hashes), _BLOCK):
        np.minimum(lowest, _permuted(hashes[at : at + _BLOCK], minima).min(axis=1), out=lowest)
    return lowest


def _permuted(hashes: Hashes, count: int) -> Minima:
    """Shape (count, hashes): where each of so many permutations puts the upper 32 bits."""
    block: Minima = _MULTIPLIERS[:count] * (hashes >> _SHIFT).astype(np.uint32)
    block += _OFFSETS[:count]
    return block


@dataclass(frozen=True, slots=True)
class Bands:
    """How a signature is cut: `count` bands of `rows` minima each."""

    count: int
    rows: int

    @property
    def minima(self) -> int:
        """So many of a signature are looked at."""
        return self.count * self.rows

    def recall(self, similarity: float) -> float:
        """Probability that two texts of that Jaccard similarity share at least one band."""
        return float(1 - (1 - similarity**self.rows) ** self.count)


@cache
def bands_for(threshold: float, recall: float = 0.97) -> Bands:
    """The most selective bands that still let pairs at the threshold meet with that probability."""
    choices = (Bands(min(MAX_BANDS, PERMUTATIONS // rows), rows) for rows in range(PERMUTATIONS, 0, -1))
    for bands in choices:
        if bands.recall(threshold) >= recall:
            return bands
    raise ValueError(f"no {MAX_BANDS} bands find pairs of similarity {threshold}; use at least 0.2")


def band_keys(minima: Sequence[Minima], bands: Bands, salt: int) -> list[list[int]]:
    """One 63-bit number a band, for each signature. Unlike salts (kinds of shingle) never meet on purpose."""
    if not minima:
        return []
    used = np.stack(minima)[:, : bands.minima].astype(np.uint64)
    cut = used.reshape(len(minima), bands.count, bands.rows)
    band = np.arange(salt << 8, (salt << 8) + bands.count, dtype=np.uint64)
    total = (cut * _PLACES[: bands.rows]).sum(axis=2, dtype=np.uint64) + splitmix(band)
    keys: list[list[int]] = (splitmix(total) >> np.uint64(1)).tolist()
    return keys


def candidate_pairs(keys: Sequence[Sequence[int]]) -> Iterator[tuple[int, int]]:
    """Each pair (i < j) of texts that share a key, once; `keys[i]` are those of text i."""
    members: defaultdict[int, list[int]] = defaultdict(list)
    for this, own in enumerate(keys):
        met: set[int] = set()
        for key in own:
            met.update(members[key])
            members[key].append(this)
        met.discard(this)
        for other in sorted(met):
            yield other, this
