"""py3langid's model over many texts at once.

Its features are runs of bytes, found by an Aho-Corasick automaton (Aho and Corasick 1975): a state is the
longest end of what was read that begins a feature. So it hangs on the last few bytes alone, and instead
of a walk through one text after the other, every place of all of them reads its last few bytes at once.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

_BYTES_AT_ONCE = 65_536

Numbers = npt.NDArray[np.int64]


class LanguageWalk:
    """The automaton of an identifier, and the naive Bayes model that weighs what it finds."""

    def __init__(self, identifier: Any) -> None:
        self._identifier = identifier
        self._next = np.asarray(identifier.tk_nextmove)
        self._rows = np.asarray(identifier.tk_row, np.int64) << 8
        self._features = np.asarray(identifier.tk_output, np.int64)
        self._longest = self._longest_feature()

    def likeliest(self, texts: Sequence[str]) -> list[str]:
        """What `identifier.classify` says of each text, the probabilities left out."""
        return [
            code for part in _parts([self._encoded(text) for text in texts]) for code in self._codes(part)
        ]

    def _encoded(self, text: str) -> bytes:
        encoded: bytes = self._identifier._encode(text)
        return encoded

    def _codes(self, texts: Sequence[bytes]) -> Iterator[str]:
        model = self._identifier
        sizes = np.array([len(text) for text in texts], np.int64)
        scores = np.zeros((len(texts), len(model.nb_classes)), np.float32)
        for at, (found, counts) in enumerate(self.counted(texts)):
            if len(found):
                scores[at] = np.log1p(counts) @ model.nb_ptc[found] + model.nb_pc
        # Two columns of one language add up, so that they have to be probabilities.
        scores /= np.sqrt(sizes, dtype=np.float32)[:, None]
        scores = np.exp(scores - scores.max(axis=1, keepdims=True))
        first: dict[str, int] = {}
        for column, code in enumerate(model.nb_classes):
            if first.setdefault(code, column) != column:
                scores[:, first[code]] += scores[:, column]
        return (model.nb_classes[column] for column in scores.argmax(axis=1))

    def counted(self, texts: Sequence[bytes]) -> Iterator[tuple[Numbers, npt.NDArray[np.float32]]]:
        """The features of each text, none of which is empty, and how often each of them is there."""
        sizes = np.array([len(text) for text in texts], np.int64)
        read = np.frombuffer(b"".join(texts), np.uint8)
        starts = np.cumsum(sizes) - sizes
        places = np.arange(len(read)) - np.repeat(starts, sizes)
        states = np.zeros(len(read), np.int64)
        for back in range(min(self._longest, int(sizes.max())) - 1, -1, -1):
            there = np.flatnonzero(places >= back)
            states[there] = self._next[self._rows[states[there]] + read[there - back]]
        features = self._features[states]
        owners = np.repeat(np.arange(len(texts)), sizes)[features >= 0]
        width = len(self._identifier.nb_ptc)
        found, counts = np.unique(owners * width + features[features >= 0], return_counts=True)
        bounds = np.searchsorted(found, np.arange(len(texts) + 1) * width)
        for start, end in pairwise(bounds.tolist()):
            yield found[start:end] % width, counts[start:end].astype(np.float32)

    def _longest_feature(self) -> int:
        """Bytes from the root to the state that is furthest from it."""
        moves, rows = self._next.reshape(-1, 256), self._rows >> 8
        known = np.zeros(len(self._features), bool)
        newest, depth = np.zeros(1, np.int64), -1
        while len(newest):
            known[newest] = True
            reached = np.zeros_like(known)
            reached[moves[np.unique(rows[newest])]] = True
            newest, depth = np.flatnonzero(reached & ~known), depth + 1
        return depth


@cache
def walk_of(identifier: Any) -> LanguageWalk:
    return LanguageWalk(identifier)


def _parts(texts: Sequence[bytes]) -> Iterator[list[bytes]]:
    """So many texts that what they take does not leave the cache, but one at least."""
    part: list[bytes] = []
    size = 0
    for text in texts:
        if part and size + len(text) > _BYTES_AT_ONCE:
            yield part
            part, size = [], 0
        part.append(text)
        size += len(text)
    if part:
        yield part
