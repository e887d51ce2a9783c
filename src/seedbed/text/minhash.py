"""MinHash signatures and the band keys under which likely twins meet.

Broder 1997 (min-wise hashing) with permutations that multiply (Dietzfelbinger et al. 1997), here of 32
bits that are mixed before, and banded locality-sensitive hashing (Leskovec, Rajaraman, Ullman, *Mining
of Massive Datasets*, ch. 3).
Keys are written into run folders and meet those of later rounds, so every constant is Seedbed's
own and golden tests pin the result: it depends on no library's release.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from seedbed.text.runs import Hashes, Runs, splitmix

PERMUTATIONS = 128
MAX_BANDS = 20
# So many are worked on together, a batch of texts: fewer take a call of numpy more often, and where 128
# permutations put these is 2 MB.
_HASHES_AT_ONCE = 4096
_SHIFT = np.uint64(32)

Minima = npt.NDArray[np.uint32]


def _constants(count: int, start: int) -> Hashes:
    return splitmix(np.arange(start, start + count, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15))


_MULTIPLIERS = ((_constants(PERMUTATIONS, 1) >> _SHIFT) | np.uint64(1)).astype(np.uint32)[:, None]
_PLACES = _constants(PERMUTATIONS, 1 + 2 * PERMUTATIONS) | np.uint64(1)


def signatures(runs: Runs, minima: int = PERMUTATIONS) -> Minima:
    """Shape (texts, minima): of each text, which is not empty, where so many permutations put its first hash.

    Of two texts the share of equal minima estimates the Jaccard similarity of their sets.
    """
    hashes, sizes = (runs.in_order() >> _SHIFT).astype(np.uint32), runs.sizes
    starts = np.cumsum(sizes) - sizes
    found = np.empty((len(sizes), minima), np.uint32)
    at = 0
    while at < len(sizes):
        # Texts that are worked on together, one at least.
        end = max(at + 1, int(np.searchsorted(starts + sizes, starts[at] + _HASHES_AT_ONCE, "right")))
        own = hashes[starts[at] : starts[end - 1] + sizes[end - 1]]
        if end == at + 1:
            # A megabyte of text needs no more memory than a page.
            parts = [own[first : first + _HASHES_AT_ONCE] for first in range(0, len(own), _HASHES_AT_ONCE)]
            found[at] = np.min([_permuted(part, minima).min(axis=1) for part in parts], axis=0)
        else:
            firsts = starts[at:end] - starts[at]
            found[at:end] = np.minimum.reduceat(_permuted(own, minima), firsts, axis=1).T
        at = end
    return found


def _permuted(hashes: Minima, count: int) -> Minima:
    """Shape (count, hashes): where each of so many permutations puts them."""
    return _MULTIPLIERS[:count] * hashes


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
    """The most selective bands, and the fewest, in which pairs at the threshold meet so probably."""
    for rows in range(PERMUTATIONS, 0, -1):
        for count in range(1, min(MAX_BANDS, PERMUTATIONS // rows) + 1):
            if (bands := Bands(count, rows)).recall(threshold) >= recall:
                return bands
    raise ValueError(f"no {MAX_BANDS} bands find pairs of similarity {threshold}; use at least 0.2")


def band_keys(signatures: Minima, bands: Bands, salt: int) -> npt.NDArray[np.int64]:
    """Shape (texts, bands): 63-bit numbers. Unlike salts (kinds of runs) never meet on purpose."""
    used = signatures[:, : bands.minima].astype(np.uint64)
    cut = used.reshape(len(used), bands.count, bands.rows)
    band = np.arange(salt << 8, (salt << 8) + bands.count, dtype=np.uint64)
    total = (cut * _PLACES[: bands.rows]).sum(axis=2, dtype=np.uint64) + splitmix(band)
    return (splitmix(total) >> np.uint64(1)).view(np.int64)


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
