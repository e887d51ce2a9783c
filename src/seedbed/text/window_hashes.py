"""Which texts hold one of many pieces of equal length: by hashes of all their windows at once.

The hash of a window is a polynomial of its code points modulo 2**64 (Karp & Rabin 1987), taken for all
windows together in a few passes of numpy over a block of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Hashes = npt.NDArray[np.uint64]

_FACTOR = 5
WIDTH = _FACTOR * _FACTOR
_BASE = 0x9E3779B97F4A7C15
_BETWEEN = "\0"  # stands in no normal form
_BLOCK = 1 << 16
# One byte a place: about one window in a hundred that equals no piece is looked up among the hashes.
_PLACES_A_PIECE = 100
_MOST_PLACES = 1 << 22


class WindowHashes:
    """Pieces of 25 characters; tells texts that hold one from those that surely do not."""

    def __init__(self, pieces: Sequence[str]) -> None:
        joined = _BETWEEN.join(pieces)
        of_all = np.concatenate([hashes for _, hashes in _by_block(joined)] or [np.empty(0, np.uint64)])
        self._hashes = np.unique(of_all[:: WIDTH + 1])
        bits = min(_MOST_PLACES, max(1, _PLACES_A_PIECE * len(pieces))).bit_length()
        self._shift = np.uint64(64 - bits)
        self._taken = np.zeros(1 << bits, np.bool_)
        self._taken[self._hashes >> self._shift] = True

    def holders(self, texts: Sequence[str]) -> set[int]:
        """Places of the texts of which a window has a piece's hash: all that hold a piece are among them."""
        ends = np.cumsum([len(text) + 1 for text in texts])
        found: set[int] = set()
        for start, hashes in _by_block(_BETWEEN.join(texts)):
            likely = np.flatnonzero(self._taken[hashes >> self._shift])
            place = np.minimum(np.searchsorted(self._hashes, hashes[likely]), len(self._hashes) - 1)
            at = likely[self._hashes[place] == hashes[likely]]
            found.update(np.searchsorted(ends, start + at, "right").tolist())
        return found


def _by_block(text: str) -> Iterator[tuple[int, Hashes]]:
    """(start, hashes of the windows that begin from there on), a bounded number at a time."""
    for start in range(0, len(text) - WIDTH + 1, _BLOCK):
        part = text[start : start + _BLOCK + WIDTH - 1]
        points = np.frombuffer(part.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.uint64)
        yield start, _folded(_folded(points, 1, _BASE), _FACTOR, pow(_BASE, _FACTOR, 1 << 64))


def _folded(values: Hashes, stride: int, base: int) -> Hashes:
    """For each place the polynomial of the five values that stand there and at every stride after it."""
    count = len(values) - (_FACTOR - 1) * stride
    total = values[:count].copy()
    for step in range(1, _FACTOR):
        total *= np.uint64(base)
        total += values[step * stride : step * stride + count]
    return total
