"""Which of many hashes may be among known ones: a look at one byte each, before any is searched for."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seedbed.text.runs import Hashes

# About one hash in a hundred that is not known passes for one that may be.
_PLACES_A_HASH = 100
_MOST_PLACES = 1 << 22


class Likely:
    """A place for each of many hashes of 64 bits, by their upper bits."""

    def __init__(self, known: Hashes) -> None:
        bits = min(_MOST_PLACES, max(1, _PLACES_A_HASH * len(known))).bit_length()
        self._shift = np.uint64(64 - bits)
        self._taken = np.zeros(1 << bits, np.bool_)
        self._taken[known >> self._shift] = True

    def among(self, hashes: Hashes) -> npt.NDArray[np.intp]:
        """Where those stand that may be known, in order: all that are, and few others."""
        return np.flatnonzero(self._taken[hashes >> self._shift])
