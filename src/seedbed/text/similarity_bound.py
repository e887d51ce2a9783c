"""How alike two sets can be at the most, told from drawings of them: for many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seedbed.text.minhash import Hashes

_WORDS = 32
_BIT_OF_HASH = np.uint64(64 - 11)  # its upper eleven bits name one of 32 times 64
_WORD_OF_BIT, _PLACE_IN_WORD = np.uint64(6), np.uint64(63)

Places = npt.NDArray[np.int64]


def most_alike(sets: Sequence[Hashes], one: Places, two: Places) -> npt.NDArray[np.float64]:
    """An upper bound of the Jaccard similarity of the sets at `one` and `two`, which run in parallel.

    The sets are sorted and hold a hash once each. Each is drawn as 2,048 bits, one for each member; a bit
    that stands in one drawing alone is of a member that the other set lacks, so that of two sets at most as
    many are shared as the smaller rest.
    """
    sizes = np.array([len(own) for own in sets], np.int64)
    drawn = _drawn(sets, sizes)
    mine, theirs = drawn[one], drawn[two]
    rest = sizes[one] - np.bitwise_count(mine & ~theirs).sum(axis=1, dtype=np.int64)
    other_rest = sizes[two] - np.bitwise_count(theirs & ~mine).sum(axis=1, dtype=np.int64)
    shared = np.minimum(rest, other_rest)
    bound: npt.NDArray[np.float64] = shared / np.maximum(sizes[one] + sizes[two] - shared, 1)
    return bound


def _drawn(sets: Sequence[Hashes], sizes: Places) -> Hashes:
    drawn = np.zeros(len(sets) * _WORDS, np.uint64)
    hashes = np.concatenate(sets) if len(sets) else np.empty(0, np.uint64)
    if len(hashes):
        bits = hashes >> _BIT_OF_HASH
        owners = np.repeat(np.arange(len(sets), dtype=np.int64), sizes)
        words = owners * _WORDS + (bits >> _WORD_OF_BIT).astype(np.int64)
        starts = np.flatnonzero(np.r_[True, words[1:] != words[:-1]])
        drawn[words[starts]] = np.bitwise_or.reduceat(np.uint64(1) << (bits & _PLACE_IN_WORD), starts)
    return drawn.reshape(len(sets), _WORDS)
