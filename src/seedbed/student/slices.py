"""Slices of rows in which a student may be weak: by label, length, cluster, what a field or slot holds.

What a slice is comes from the train rows and from the rows' own fields, never from how they were answered.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Literal

import numpy as np

from seedbed.core.protocols import Task
from seedbed.student.rows import Row
from seedbed.text.clusters import Vectors, assign, cluster_count, fix_clusters
from seedbed.text.lexical import Lexical
from seedbed.text.normalise import normalise, tokens, units

Kind = Literal["label", "confusion", "length", "cluster", "field", "slot"]

LEAST_ROWS = 5
"""Of fewer rows nothing is said: one of them more or less would be a fifth of the rate and more."""
_BANDS = 4
_FEWEST_TRAIN = 20
"""Train rows below which there are neither bands nor clusters to speak of."""
_MOST_VALUES = 50
_TYPICAL_WORDS = 5
_SHORTEST_WORD = 3


@dataclass(frozen=True, slots=True)
class Slice:
    """Rows that have something in common, by their positions.

    `about` is what a next recipe needs to ask for more of it: the label, the lengths in words (`least`,
    `most`, None where the band is open), or the field or slot and its value. `words` are typical of a
    cluster.
    """

    kind: Kind
    name: str
    rows: tuple[int, ...]
    about: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()


class Slicing:
    """The slices that train rows give: their length quartiles, and clusters of their texts."""

    def __init__(self, task: Task, train: Sequence[Row], *, seed: int = 0) -> None:
        self._task = task
        enough = len(train) >= _FEWEST_TRAIN
        self._bands = _bands([words_in(row.text) for row in train]) if enough else []
        self._clusters = _Clusters([row.text for row in train], seed) if enough else None

    def of(self, rows: Sequence[Row]) -> list[Slice]:
        """Every slice of these rows with enough of them in it, and enough outside; none stands twice."""
        found: list[Slice] = []
        seen: set[tuple[int, ...]] = set()
        for each in self._all(rows):
            if LEAST_ROWS <= len(each.rows) <= len(rows) - LEAST_ROWS and each.rows not in seen:
                seen.add(each.rows)
                found.append(each)
        return found

    def _all(self, rows: Sequence[Row]) -> Iterator[Slice]:
        if self._task.label_field is not None:
            for label, members in _grouped([row.answer for row in rows]):
                yield Slice("label", label, members, {"label": label})
        lengths = [words_in(row.text) for row in rows]
        for least, most in self._bands:
            members = tuple(at for at, n in enumerate(lengths) if n >= least and (most is None or n <= most))
            yield Slice("length", length_name(least, most), members, {"least": least, "most": most})
        if self._clusters is not None:
            yield from self._clusters.slices([row.text for row in rows])
        yield from _by_value("field", [self._further_fields(row) for row in rows])
        yield from _by_value("slot", [row.slots for row in rows])

    def _further_fields(self, row: Row) -> dict[str, str]:
        """Fields that are neither what is read nor what is answered, where they hold a single short value."""
        known = {*self._task.text_fields, self._task.label_field}
        return {
            name: str(value)
            for name, value in row.fields.items()
            if name not in known and isinstance(value, str | int | bool) and 0 < len(str(value)) <= 80
        }


def words_in(text: str) -> int:
    """Words, or characters of a script without spaces."""
    return len(units(normalise(text)))


def length_name(least: int, most: int | None) -> str:
    if most is None:
        return f"{least} words and more"
    return f"up to {most} words" if least == 0 else f"{least} to {most} words"


def _bands(lengths: Sequence[int]) -> list[tuple[int, int | None]]:
    """The quartiles of the lengths as (least, most) words; fewer bands where many lengths are the same."""
    cuts = sorted({int(np.quantile(lengths, at / _BANDS)) for at in range(1, _BANDS)} - {max(lengths)})
    edges: list[int | None] = [-1, *cuts, None]
    return [((low or 0) + 1 if low != -1 else 0, high) for low, high in pairwise(edges)]


def _grouped(values: Sequence[str]) -> list[tuple[str, tuple[int, ...]]]:
    """Positions by value, the values in order."""
    members: dict[str, list[int]] = defaultdict(list)
    for at, value in enumerate(values):
        members[value].append(at)
    return [(value, tuple(members[value])) for value in sorted(members)]


def _by_value(kind: Literal["field", "slot"], values: Sequence[Mapping[str, str]]) -> Iterator[Slice]:
    names = sorted({name for of_row in values for name in of_row})
    for name in names:
        there = [at for at, of_row in enumerate(values) if name in of_row]
        groups = _grouped([values[at][name] for at in there])
        if len(groups) > _MOST_VALUES:  # a free text or an identifier
            continue
        for value, members in groups:
            about = {"name": name, "value": value}
            yield Slice(kind, f"{name}={value}", tuple(there[at] for at in members), about)


class _Clusters:
    """Clusters of the train texts by the lexical embedder, and the words that set each apart."""

    def __init__(self, texts: Sequence[str], seed: int) -> None:
        self._embedder = Lexical.fit(texts, seed=seed)
        vectors = self._embedder.embed(texts)
        self._centres: Vectors = fix_clusters(vectors, cluster_count(len(texts)), seed=seed)
        self._words = _typical(texts, assign(vectors, self._centres).tolist())

    def slices(self, texts: Sequence[str]) -> Iterator[Slice]:
        nearest = assign(self._embedder.embed(texts), self._centres).tolist()
        for number, words in sorted(self._words.items()):
            members = tuple(at for at, cluster in enumerate(nearest) if cluster == number)
            yield Slice("cluster", "about " + ", ".join(words), members, {"cluster": number}, words)


def _typical(texts: Sequence[str], clusters: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """By cluster the words whose share of its texts is furthest above their share of all others.

    A cluster without such words, of one text or of none, is left out: nobody could say what it is about.
    """
    sizes = Counter(clusters)
    everywhere: Counter[str] = Counter()
    within: dict[int, Counter[str]] = defaultdict(Counter)
    for text, cluster in zip(texts, clusters, strict=True):
        there = {word for word in tokens(text) if len(word) >= _SHORTEST_WORD or not word.isascii()}
        everywhere.update(there)
        within[cluster].update(there)
    found: dict[int, tuple[str, ...]] = {}
    for cluster, counts in within.items():
        rest = len(texts) - sizes[cluster]
        if sizes[cluster] < 2 or not rest:
            continue
        apart = {
            word: count / sizes[cluster] - (everywhere[word] - count) / rest
            for word, count in counts.items()
            if count > 1
        }
        ranked = sorted((word for word in apart if apart[word] > 0), key=lambda word: (-apart[word], word))
        if ranked:
            found[cluster] = tuple(ranked[:_TYPICAL_WORDS])
    return found
