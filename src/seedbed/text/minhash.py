"""MinHash signatures and the band keys under which likely twins meet.

Broder 1997 (min-wise hashing) with multiply-shift hash functions (Dietzfelbinger et al. 1997) and
banded locality-sensitive hashing (Leskovec, Rajaraman, Ullman, *Mining of Massive Datasets*, ch. 3).
Keys are written into run folders and meet those of later rounds, so every constant is Seedbed's
own and golden tests pin the result: it depends on no library's release.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

PERMUTATIONS = 128
MAX_BANDS = 20
_BLOCK = 4096
# Hashes of short texts that are worked on together: 128 permutations of them stay in a core's cache.
_TOGETHER = 1024
_SHIFT = np.uint64(32)

Hashes = npt.NDArray[np.uint64]


def splitmix(values: Hashes) -> Hashes:
    """The finaliser of SplitMix64 (Steele et al. 2014): a bijection of 64 bits that mixes well."""
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _constants(count: int, start: int) -> Hashes:
    return splitmix(np.arange(start, start + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


_MULTIPLIERS = (_constants(PERMUTATIONS, 1) | np.uint64(1))[:, None]
_OFFSETS = _constants(PERMUTATIONS, 1 + PERMUTATIONS)[:, None]
_PLACES = _constants(PERMUTATIONS, 1 + 2 * PERMUTATIONS) | np.uint64(1)


def char_codes(text: str) -> Hashes:
    """One number a character: its code point."""
    return np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4").astype(np.uint64)


def token_codes(tokens: Sequence[str]) -> Hashes:
    """One number a token (text without white space): its CRC-32, the same on every machine."""
    # Encoded in one piece: a token holds no line end. No token at all is no empty one either.
    raw = "\n".join(tokens).encode("utf-8", "surrogatepass").split(b"\n") if tokens else []
    return np.fromiter(map(zlib.crc32, raw), np.uint64, len(raw))


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


def distinct(hashes: Hashes) -> int:
    """How many different hashes there are."""
    ordered = np.sort(hashes)
    return 1 + int(np.count_nonzero(ordered[1:] != ordered[:-1])) if len(ordered) else 0


def signatures(sets: Sequence[Hashes]) -> Iterator[Hashes]:
    """The `signature` of each non-empty set of shingle hashes, in order, many at once."""
    at = 0
    while at < len(sets):
        if len(sets[at]) >= _TOGETHER:
            yield signature(sets[at])
            at += 1
            continue
        end, size = at, 0
        while end < len(sets) and size + len(sets[end]) <= _TOGETHER:
            size += len(sets[end])
            end += 1
        starts = np.cumsum([0, *(len(own) for own in sets[at : end - 1])])
        folded = np.concatenate(sets[at:end]) >> _SHIFT
        block = _MULTIPLIERS * folded[None, :]
        block += _OFFSETS
        yield from (np.minimum.reduceat(block, starts, axis=1) >> _SHIFT).T
        at = end


def signature(hashes: Hashes) -> Hashes:
    """The 128 minima over a non-empty set of shingle hashes; equal shares of two estimate the Jaccard.

    Works through a long text in blocks, so that a megabyte of text needs no more memory than a page.
    """
    folded = hashes >> _SHIFT
    minima = np.full(PERMUTATIONS, np.iinfo(np.uint64).max, dtype=np.uint64)
    for at in range(0, len(folded), _BLOCK):
        block = _MULTIPLIERS * folded[None, at : at + _BLOCK]
        block += _OFFSETS
        np.minimum(minima, block.min(axis=1), out=minima)
    return minima >> _SHIFT


@dataclass(frozen=True, slots=True)
class Bands:
    """How a signature is cut: `count` bands of `rows` minima each."""

    count: int
    rows: int

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


def band_keys(minima: Sequence[Hashes], bands: Bands, salt: int) -> list[list[int]]:
    """One 63-bit number a band, for each signature. Unlike salts (kinds of shingle) never meet on purpose."""
    if not minima:
        return []
    cut = np.stack(minima)[:, : bands.count * bands.rows].reshape(len(minima), bands.count, bands.rows)
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
