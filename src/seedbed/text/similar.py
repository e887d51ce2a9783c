"""Search for short texts that differ by a few characters."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

CUTOFF = 0.9
_FACTOR = (2 - CUTOFF) / CUTOFF + 1e-9
# A letter of the alphabet has a count of its own; other characters share one with some other.
_COUNTS = 32


class SimilarTexts:
    """Finds every indexed text whose Indel similarity to a query is at least 0.9. Exact.

    Indel similarity of lengths m and n at d insertions and deletions is 1 - d / (m + n). Each of these
    changes one count of a character by one, so that texts whose counts differ by more than d in all are
    further apart (the bag distance of Bartolini, Ciaccia and Patella 2002). Hardly any other text is left
    to be compared letter by letter.
    """

    def __init__(self, texts: Mapping[int, str]) -> None:
        """`texts` maps a row number to its normalised, non-empty text."""
        self._texts = sorted(texts.items(), key=lambda item: len(item[1]))
        self._sizes = [len(text) for _, text in self._texts]
        self._lengths = np.array(self._sizes, np.int64)
        self._counts = np.array([_counts(text) for _, text in self._texts], np.int32).reshape(-1, _COUNTS)

    def matches(self, norm: str) -> Iterator[tuple[int, float]]:
        """(row, similarity) of each text at or above the cutoff, equal ones included."""
        # 2·min / (m + n) bounds the similarity: lengths of a match are within a factor of 11/9.
        size = len(norm)
        first, last = (bisect_right(self._sizes, bound) for bound in (size / _FACTOR, size * _FACTOR))
        if first < last:
            yield from self._among(first, last, norm)

    def _among(self, first: int, last: int, norm: str) -> Iterator[tuple[int, float]]:
        from rapidfuzz.distance import Indel

        apart = np.abs(self._counts[first:last] - _counts(norm)).sum(axis=1)
        farthest = (1 - CUTOFF + 1e-9) * (self._lengths[first:last] + len(norm))
        for place in np.flatnonzero(apart <= farthest).tolist():
            row, text = self._texts[first + place]
            ratio = Indel.normalized_similarity(norm, text, score_cutoff=CUTOFF)
            if ratio >= CUTOFF:
                yield row, ratio


def _counts(text: str) -> npt.NDArray[np.int32]:
    codes = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), np.uint32)
    return np.bincount(codes % _COUNTS, minlength=_COUNTS).astype(np.int32)
