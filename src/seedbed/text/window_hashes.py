"""Where texts hold one of many windows of equal length: by hashes of all their windows at once.

The hash of a window is a polynomial of its code points modulo 2**64 (Karp & Rabin 1987), taken for all
windows together in a few passes of numpy over a block of text.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from seedbed.text.likely import Likely

Hashes = npt.NDArray[np.uint64]

_FACTOR = 5
WIDTH = _FACTOR * _FACTOR
_BASE = 0x9E3779B97F4A7C15
_BETWEEN = "\0"  # stands in no normal form
_BLOCK = 1 << 16


class WindowHashes:
    """The windows of 25 characters at every `stride`-th place of some texts, 16 bytes each."""

    def __init__(self, texts: Sequence[str], stride: int) -> None:
        sizes = np.array([len(text) for text in texts], np.int64)
        counts = np.maximum(0, 1 + (sizes - WIDTH) // stride)
        starts = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        self._starts = (starts * stride).astype(np.int32)
        self._texts = np.repeat(np.arange(len(texts), dtype=np.int32), counts)
        places = np.repeat(np.cumsum(sizes + 1) - sizes - 1, counts) + self._starts
        self._hashes = np.empty(len(places), np.uint64)
        for start, hashes in _by_block(_BETWEEN.join(texts)):
            low, high = np.searchsorted(places, (start, start + len(hashes)))
            self._hashes[low:high] = hashes[places[low:high] - start]
        order = np.argsort(self._hashes, kind="stable")
        self._hashes, self._texts, self._starts = self._hashes[order], self._texts[order], self._starts[order]
        self._likely = Likely(self._hashes)

    def hits(self, texts: Sequence[str]) -> Iterator[tuple[int, int, list[tuple[int, int]]]]:
        """(text, place in it, (text, place) of each window with the hash of the one there), in order.

        All that are equal are among them, and hardly any other.
        """
        sizes = np.array([len(text) for text in texts], np.int64)
        ends = np.cumsum(sizes + 1)
        for start, hashes in _by_block(_BETWEEN.join(texts)):
            likely = self._likely.among(hashes)
            low = np.searchsorted(self._hashes, hashes[likely], "left")
            high = np.searchsorted(self._hashes, hashes[likely], "right")
            for one in np.flatnonzero(high > low).tolist():
                at = start + int(likely[one])
                text = int(np.searchsorted(ends, at, "right"))
                same = slice(low[one], high[one])
                equal = zip(self._texts[same].tolist(), self._starts[same].tolist(), strict=True)
                yield text, at - int(ends[text] - sizes[text] - 1), list(equal)


def window_hashes(text: str) -> Hashes:
    """The hash of the window at each place of a text."""
    return np.concatenate([hashes for _, hashes in _by_block(text)] or [np.empty(0, np.uint64)])


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
