"""Search for long runs of characters that a text shares with indexed texts."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from seedbed.text.window_hashes import WIDTH, WindowHashes, window_hashes

RUN = 50
COMMON_TEXTS = 3
COMMON_SHARE = 0.01
_STRIDE = RUN - WIDTH + 1


def common_from(texts: int) -> int:
    """In so many of these texts a phrase is common, and says nothing of where it was taken from."""
    return max(COMMON_TEXTS, math.ceil(COMMON_SHARE * texts))


class _Stretch(NamedTuple):
    """A part of row `row` that still counts."""

    row: int
    text: str


class SharedRuns:
    """Finds every run of 50 or more characters shared with an indexed text, at 1/26 of its windows.

    Only chunks of 25 characters at multiples of 26 are indexed: any 50 characters in a row hold one
    whole chunk (25 + 26 − 1 = 50), which is then extended as far as both texts agree. Pickled are the
    texts alone.
    """

    def __init__(self, norms: Sequence[str]) -> None:
        self._index([_Stretch(row, norm) for row, norm in enumerate(norms)])

    def __getstate__(self) -> list[_Stretch]:
        return self._stretches

    def __setstate__(self, stretches: list[_Stretch]) -> None:
        self._index(stretches)

    def ignore_common(self, norms: Sequence[str], at_least: int) -> None:
        """Take out of the index what is common: windows of 50 characters in `at_least` of these texts.

        Every character of such a window goes, so that a boilerplate phrase does not count again for
        the letter or two that happen to follow it alike; what is left must share 50 of its own.
        """
        common = _common_windows(norms, at_least)
        if not common:
            return
        texts = [stretch.text for stretch in self._stretches]
        beginnings = WindowHashes([window[:WIDTH] for window in sorted(common)], WIDTH)
        touched = {text for text, _, _ in beginnings.hits(texts)}
        self._index(
            [
                part
                for place, stretch in enumerate(self._stretches)
                for part in (_without(stretch, common) if place in touched else (stretch,))
            ]
        )

    def matches(self, norms: Sequence[str]) -> list[list[tuple[int, str]]]:
        """For each text (row, what is shared) of each maximal run of at least 50 characters."""
        found: list[list[tuple[int, str]]] = [[] for _ in norms]
        for at, place, start, end in self._shared(norms):
            stretch = self._stretches[place]
            found[at].append((stretch.row, stretch.text[start:end]))
        return found

    def _index(self, stretches: Sequence[_Stretch]) -> None:
        self._stretches = [stretch for stretch in stretches if len(stretch.text) >= RUN]
        self._chunks = WindowHashes([stretch.text for stretch in self._stretches], _STRIDE)

    def _shared(self, norms: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
        """(text, stretch, start, end) of the maximal shared runs of at least 50 characters, each once."""
        # Chunks of one shared run lie on one diagonal (position in the text − position in the stretch).
        seen_to: dict[tuple[int, int, int], int] = {}
        for number, at, chunks in self._chunks.hits(norms):
            norm = norms[number]
            for place, start in chunks:
                diagonal = (number, place, at - start)
                stretch = self._stretches[place].text
                if seen_to.get(diagonal, -1) >= at or not stretch.startswith(norm[at : at + WIDTH], start):
                    continue
                left, right = _extend(norm, at, stretch, start)
                seen_to[diagonal] = at + right
                if left + right >= RUN:
                    yield number, place, start - left, start + right


def _common_windows(norms: Sequence[str], at_least: int) -> set[str]:
    """Windows of 50 characters in so many of these texts; looked for where both halves are common by hash."""
    hashes = [window_hashes(norm) for norm in norms]
    found, counts = np.unique(
        np.concatenate([np.unique(own) for own in hashes] or [np.empty(0, np.uint64)]), return_counts=True
    )
    halves = found[counts >= at_least]
    frequency: Counter[str] = Counter()
    for norm, own in zip(norms, hashes, strict=True):
        common = np.isin(own, halves)
        places = np.flatnonzero(common[:-WIDTH] & common[WIDTH:]).tolist()
        frequency.update({norm[at : at + RUN] for at in places})
    return {window for window, count in frequency.items() if count >= at_least}


def _windows(run: str) -> Iterator[str]:
    return (run[at : at + RUN] for at in range(len(run) - RUN + 1))


def _without(stretch: _Stretch, common: set[str]) -> Iterator[_Stretch]:
    """The parts of a stretch between its common windows."""
    begin = 0
    for at, window in enumerate(_windows(stretch.text)):
        if window in common:
            yield _Stretch(stretch.row, stretch.text[begin:at])
            begin = at + RUN
    yield _Stretch(stretch.row, stretch.text[begin:])


def _extend(a: str, at: int, b: str, start: int) -> tuple[int, int]:
    """How far the agreement at a[at], b[start] goes to the left, and to the right from there on."""
    left = 0
    while left < min(at, start) and a[at - left - 1] == b[start - left - 1]:
        left += 1
    right = WIDTH
    limit = min(len(a) - at, len(b) - start)
    while right < limit and a[at + right] == b[start + right]:
        right += 1
    return left, right
