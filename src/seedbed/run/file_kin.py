"""Kin among all rows of a file, however many: their keys are held in memory, their texts on disk."""

from __future__ import annotations

import os
import tempfile
from array import array
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from seedbed.core.protocols import CorpusFilter
from seedbed.run.corpus import forms, kinship
from seedbed.run.filtering import Survey
from seedbed.store.kin import candidates_inside
from seedbed.text.reduce import reduce

_KEYS_AT_ONCE = 1_000_000

Numbers = npt.NDArray[np.int64]


class TextFile:
    """Texts in an unnamed file, each found again by its number."""

    def __init__(self, folder: Path | None = None) -> None:
        self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - open as long as this object
        self._ends = array("q", (0,))

    def add(self, text: str) -> None:
        data = text.encode("utf-8", "surrogatepass")
        self._file.write(data)
        self._ends.append(self._ends[-1] + len(data))

    def __getitem__(self, number: int) -> str:
        start, end = self._ends[number], self._ends[number + 1]
        return os.pread(self._file.fileno(), end - start, start).decode("utf-8", "surrogatepass")

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        self._file.close()


class FileKin:
    """Takes up the corpus keys of a file's rows in order, and finds those that fall to an earlier row.

    A row that fell to one filter is not looked at by the next, as in a run.
    """

    def __init__(self, filters: Sequence[CorpusFilter]) -> None:
        self._filters = filters
        self._counts = {each.name: array("q") for each in filters}
        self._keys = {each.name: array("q") for each in filters}
        self._texts = {each.name: TextFile() for each in filters}

    def add(self, survey: Survey, texts: Mapping[str, Sequence[str]]) -> None:
        """`texts` are what each filter's `text` gives of the surveyed rows."""
        for name, (counts, keys) in survey.keys.items():
            self._counts[name].extend(counts)
            self._keys[name].extend(keys)
        for each in self._filters:
            for form in forms(each, texts[each.name]):
                self._texts[each.name].add(form)

    def found(self) -> Iterator[tuple[CorpusFilter, list[dict[str, Any]]]]:
        """For each filter the rows that fall: `{row, twin, score}`, in the order of the file."""
        fallen: set[int] = set()
        for each in self._filters:
            losers = self._losers(each, fallen)
            yield (
                each,
                [
                    {"row": row, "twin": twin, "score": round(score, 4)}
                    for row, (twin, score) in losers.items()
                ],
            )
            fallen |= losers.keys()

    def close(self) -> None:
        for texts in self._texts.values():
            texts.close()

    def _shared(self, name: str) -> tuple[Numbers, Numbers]:
        """The rows and the keys that stand more than once: of most files few, so that all else is small."""
        keys = np.frombuffer(self._keys[name], np.int64)
        in_order = np.sort(keys)
        shared = np.unique(in_order[1:][in_order[1:] == in_order[:-1]])
        del in_order
        ends = np.cumsum(np.frombuffer(self._counts[name], np.int64))
        places = [np.empty(0, np.int64)]
        for start in range(0, len(keys) if len(shared) else 0, _KEYS_AT_ONCE):
            part = keys[start : start + _KEYS_AT_ONCE]
            near = shared[np.minimum(np.searchsorted(shared, part), len(shared) - 1)]
            places.append(start + np.flatnonzero(near == part))
        found = np.concatenate(places)
        return np.searchsorted(ends, found, side="right"), keys[found]

    def _losers(self, each: CorpusFilter, fallen: set[int]) -> dict[int, tuple[int, float]]:
        rows, keys = self._shared(each.name)
        if fallen:
            stays = ~np.isin(rows, np.fromiter(fallen, np.int64, len(fallen)))
            rows, keys = rows[stays], keys[stays]
        pairs = candidates_inside(rows, keys)
        texts = self._texts[each.name]
        texts.flush()
        edges = [(str(row), str(earlier), score) for row, earlier, score in kinship(each, pairs, texts)]
        ranked = sorted({int(row) for edge in edges for row in edge[:2]})
        return {
            int(loser): (int(twin), score)
            for loser, (twin, score) in reduce([str(r) for r in ranked], edges).items()
        }
