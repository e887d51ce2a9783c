"""How alike two sets can be at the most, told from sketches of them: for many pairs at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seedbed.text.minhash import Hashes

_WORDS = 16
_BIT_OF_HASH = np.uint64(64 - 10)  # its upper ten bits name one of 16 times 64
_WORD_OF_BIT, _PLACE_IN_WORD = np.uint64(6), np.uint64(63)

Sizes = npt.NDArray[np.int64]


def sketches(sets: Sequence[Hashes]) -> Hashes:
    """Shape (sets, 17): how many members a set has, and 1,024 bits of which each member sets one.

    The sets are sorted and hold a hash once each.
    """
    drawn = np.zeros((len(sets), 1 + _WORDS), np.uint64)
    sizes = np.array([len(own) for own in sets], np.int64)
    drawn[:, 0] = sizes
    if sizes.any():
        hashes = np.concatenate(sets)
        bits = hashes >> _BIT_OF_HASH
        owners = np.repeat(np.arange(len(sets)), sizes)
        places = (bits >> _WORD_OF_BIT).astype(np.int64)
        changes = (owners[1:] != owners[:-1]) | (places[1:] != places[:-1])
        starts = np.flatnonzero(np.r_[True, changes])
        words = np.bitwise_or.reduceat(np.uint64(1) << (bits & _PLACE_IN_WORD), starts)
        drawn[owners[starts], 1 + places[starts]] = words
    return drawn


def sizes_of(drawn: Hashes) -> Sizes:
    return drawn[:, 0].astype(np.int64)


def most_alike(one: Hashes, two: Hashes) -> npt.NDArray[np.float64]:
    """An upper bound of the Jaccard similarity of sets whose sketches run in parallel.

    A bit that one sketch alone has is of a member that the other set lacks, so that of two sets at most as
    many members are shared as the smaller rest.
    """
    sizes, other_sizes = sizes_of(one), sizes_of(two)
    mine, theirs = one[:, 1:], two[:, 1:]
    rest = sizes - np.bitwise_count(mine & ~theirs).sum(axis=1, dtype=np.int64)
    other_rest = other_sizes - np.bitwise_count(theirs & ~mine).sum(axis=1, dtype=np.int64)
    shared = np.minimum(rest, other_rest)
    bound: npt.NDArray[np.float64] = shared / np.maximum(sizes + other_sizes - shared, 1)
    return bound
