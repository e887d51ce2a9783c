"""Search for short texts that differ by a few characters."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

CUTOFF = 0.9
_GRAM = 3
_FACTOR = (2 - CUTOFF) / CUTOFF + 1e-9


class SimilarTexts:
    """Finds every indexed text whose Indel similarity to a query is at least 0.9. Exact.

    Indel similarity of lengths m and n with longest common subsequence l is 2l / (m + n).
    Candidates come from an inverted index of character trigrams by the q-gram lemma (Ukkonen 1992;
    Gravano et al. 2001). Pad both texts with a space at either end and let μ = (m + n) / 2: the
    padded texts have m and n trigrams; at d insertions and deletions, of which each deletion breaks
    three of them and each insertion two, at least μ − 2.5·d are left in common. At similarity 0.9,
    d ≤ 0.2·μ, so a match shares at least μ / 2 trigrams. An i-th occurrence of a trigram is a
    trigram of its own, which makes the count that of bags.
    """

    def __init__(self, texts: Mapping[int, str]) -> None:
        """`texts` maps a row number to its normalised, non-empty text."""
        self._rows = list(texts)
        self._texts = list(texts.values())
        self._lengths = np.array([len(text) for text in self._texts], dtype=np.float32)
        self._ascending = sorted(map(len, self._texts))
        postings: defaultdict[str, list[int]] = defaultdict(list)
        for place, text in enumerate(self._texts):
            for gram in _grams(text):
                postings[gram].append(place)
        self._postings: dict[str, npt.NDArray[np.int32]] = {
            gram: np.array(places, dtype=np.int32) for gram, places in postings.items()
        }

    def matches(self, norm: str) -> Iterator[tuple[int, float]]:
        """(row, similarity) of each text at or above the cutoff, equal ones included."""
        from rapidfuzz.distance import Indel

        # 2·min / (m + n) bounds the similarity: lengths of a match are within a factor of 11/9.
        first = bisect_left(self._ascending, len(norm) / _FACTOR)
        if not norm or first == bisect_right(self._ascending, len(norm) * _FACTOR):
            return
        found = [places for gram in _grams(norm) if (places := self._postings.get(gram)) is not None]
        if not found:
            return
        shared = np.bincount(np.concatenate(found), minlength=len(self._texts))
        for place in np.flatnonzero(shared >= (self._lengths + len(norm)) / 4).tolist():
            ratio = Indel.normalized_similarity(norm, self._texts[place], score_cutoff=CUTOFF)
            if ratio >= CUTOFF:
                yield self._rows[place], ratio


def _grams(norm: str) -> list[str]:
    """The trigrams of a padded text; a repeated one carries the number of its occurrence."""
    padded = f" {norm} "
    counts = Counter(padded[at : at + _GRAM] for at in range(len(norm)))
    repeated = [f"{gram}{nth}" for gram, count in counts.items() for nth in range(1, count)]
    return [*counts, *repeated]
