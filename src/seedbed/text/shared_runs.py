"""Search for long runs of characters that a text shares with indexed texts."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from seedbed.text.window_hashes import WIDTH, WindowHashes

RUN = 50
COMMON_TEXTS = 3
COMMON_SHARE = 0.01
_CHUNK = WIDTH
_STRIDE = RUN - _CHUNK + 1


def common_from(texts: int) -> int:
    """In so many of these texts a phrase is common, and says nothing of where it was taken from."""
    return max(COMMON_TEXTS, math.ceil(COMMON_SHARE * texts))


@dataclass(frozen=True, slots=True)
class _Stretch:
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
        self._stretches: list[_Stretch] = []
        self._chunks: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
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
        frequency: Counter[str] = Counter()
        for norm in self._holders(norms).values():
            shared = (self._stretches[place].text[start:end] for place, start, end in self._shared(norm))
            frequency.update({window for run in shared for window in _windows(run)})
        common = {window for window, count in frequency.items() if count >= at_least}
        if common:
            self._index([part for stretch in self._stretches for part in _without(stretch, common)])

    def matches(self, norms: Sequence[str]) -> list[list[tuple[int, str]]]:
        """For each text (row, what is shared) of each maximal run of at least 50 characters."""
        found: list[list[tuple[int, str]]] = [[] for _ in norms]
        for at, norm in self._holders(norms).items():
            for place, start, end in self._shared(norm):
                stretch = self._stretches[place]
                found[at].append((stretch.row, stretch.text[start:end]))
        return found

    def _index(self, stretches: Sequence[_Stretch]) -> None:
        self._stretches = [stretch for stretch in stretches if len(stretch.text) >= RUN]
        self._chunks = defaultdict(list)
        for place, stretch in enumerate(self._stretches):
            for start in range(0, len(stretch.text) - _CHUNK + 1, _STRIDE):
                self._chunks[stretch.text[start : start + _CHUNK]].append((place, start))
        self._hashes = WindowHashes(list(self._chunks))

    def _holders(self, norms: Sequence[str]) -> dict[int, str]:
        """The texts that may hold a chunk, by their place: in most there is nothing to look for."""
        return {at: norms[at] for at in sorted(self._hashes.holders(norms)) if len(norms[at]) >= RUN}

    def _shared(self, norm: str) -> Iterator[tuple[int, int, int]]:
        """(stretch, start, end) of the maximal shared runs of at least 50 characters, each once."""
        chunks = self._chunks
        # Chunks of one shared run lie on one diagonal (position in the query − position in the stretch).
        seen_to: dict[tuple[int, int], int] = {}
        for at in range(len(norm) - _CHUNK + 1):
            chunk = norm[at : at + _CHUNK]
            if chunk not in chunks:
                continue
            for place, start in chunks[chunk]:
                diagonal = (place, at - start)
                if seen_to.get(diagonal, -1) >= at:
                    continue
                left, right = _extend(norm, at, self._stretches[place].text, start)
                seen_to[diagonal] = at + right
                if left + right >= RUN:
                    yield place, start - left, start + right


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
    right = _CHUNK
    limit = min(len(a) - at, len(b) - start)
    while right < limit and a[at + right] == b[start + right]:
        right += 1
    return left, right
