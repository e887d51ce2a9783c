"""How alike two sets can be at the most, told from sketches of them: for many pairs at once."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seedbed.text.runs import Hashes, Places, Runs

_BITS = 1024
_BIT_OF_HASH = np.uint64(64 - 10)  # its upper ten bits name one of them
_SETS_AT_ONCE = 64


def sketches(runs: Runs) -> Hashes:
    """Shape (texts, 18): `most`, `fewest`, and 1,024 bits of which each run of a text sets one.

    The bound is the closer the fewer runs are there twice.
    """
    drawn = np.zeros((len(runs.sizes), 2 + _BITS // 64), np.uint64)
    for at in range(0, len(drawn), _SETS_AT_ONCE):
        part = Runs(runs.hashes, *(side[at : at + _SETS_AT_ONCE] for side in (runs.starts, runs.sizes)))
        table = np.zeros(len(part.sizes) * _BITS, np.uint8)
        firsts = np.arange(0, len(table), _BITS, dtype=np.uint64)
        table[np.repeat(firsts, part.sizes) + (part.in_order() >> _BIT_OF_HASH)] = 1
        drawn[at : at + _SETS_AT_ONCE, 2:] = np.packbits(table).view(np.uint64).reshape(len(firsts), -1)
    drawn[:, 0], drawn[:, 1] = runs.sizes, _counted(drawn[:, 2:])
    return drawn


def most(drawn: Hashes) -> Places:
    """At most so many members a set has: it may hold a run once that a text has twice."""
    return drawn[:, 0].astype(np.int64)


def fewest(drawn: Hashes) -> Places:
    """At least so many members a set has: one for each bit."""
    return drawn[:, 1].astype(np.int64)


def most_alike(one: Hashes, two: Hashes) -> npt.NDArray[np.float64]:
    """An upper bound of the Jaccard similarity of sets whose sketches run in parallel.

    A bit that one sketch alone has is of a member that the other set lacks.
    """
    mine, theirs = _counted(one[:, 2:] & ~two[:, 2:]), _counted(two[:, 2:] & ~one[:, 2:])
    shared = np.minimum(most(one) - mine, most(two) - theirs)
    bound: npt.NDArray[np.float64] = shared / np.maximum(shared + mine + theirs, 1)
    return bound


def _counted(words: Hashes) -> Places:
    counts: Places = np.bitwise_count(words).sum(axis=1, dtype=np.int64)
    return counts
