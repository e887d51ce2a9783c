"""`near_duplicates`: two records that say nearly the same in nearly the same words."""

from __future__ import annotations

from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import Field

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.filters.subject import (
    Fields,
    FilterOptions,
    calibration_texts,
    chosen_text,
    no_text_fields,
)
from seedbed.text.minhash import band_keys, bands_for, candidate_pairs, signatures
from seedbed.text.normalise import normalise, normalise_all, units
from seedbed.text.reduce import reduce
from seedbed.text.runs import (
    CHARACTERS_AT_ONCE,
    SETS_AT_ONCE,
    Hashes,
    Places,
    Runs,
    char_runs,
    distinct,
    in_parts,
    shared,
    word_runs,
)
from seedbed.text.similarity_bound import fewest, most, most_alike, sketches
from seedbed.verify.programs import is_python, shape

On: TypeAlias = Fields | Literal["ast"] | None

CHAR_WIDTH = 3
TOKEN_WIDTH = 5
SHORT_RUNS = 100
LONG_THRESHOLD = 0.8
LOWEST, HIGHEST = 0.7, 0.95
MISSED_REAL = 0.01
ENOUGH_REAL = 50
UNCALIBRATED = 0.8


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The Jaccard similarity from which short and long texts are near duplicates."""

    short: float
    long: float


class NearDuplicates:
    """MinHash for candidates, exact Jaccard for the verdict.

    Exact up to the chance that two members of two sets of a hundred have one hash of 52 bits: 10⁻¹¹.
    A text of fewer than 100 distinct character trigrams (some 20 words) is short. A pair with a
    short text is compared by its character trigrams, any other by its 5-token runs, at J ≥ 0.8.
    Short real texts are alike to very different degrees in different tasks, so the threshold of
    short pairs is the lowest in 0.7 … 0.95 at which at most 1 % of the real train texts given would
    fall against one another; 0.8 without 50 of them. `threshold` sets both.

    Keys: 20 bands or fewer for each kind of run, chosen by the lowest threshold possible and
    not by the calibrated one, so that keys in a run folder stay comparable. J ≥ t means that the
    larger set has at most 1/t times the shingles of the smaller; so a text of up to 100/t trigrams
    carries the keys of both kinds, and meets a twin on the other side of the border.
    """

    name: ClassVar = "near_duplicates"
    version: ClassVar = 3
    kind: ClassVar = "corpus"
    reason: ClassVar = "near_duplicate"

    class Options(FilterOptions):
        threshold: float | None = Field(
            None, ge=0.5, le=1.0, description="Jaccard similarity from which texts are near duplicates"
        )
        on: On = Field(
            None,
            description="fields that are compared (default: the whole record); `ast`: programs in Python, by "
            "their syntax trees and whatever their names are",
        )

    def __init__(
        self,
        task: Task,
        thresholds: Thresholds,
        lowest: Thresholds,
        on: On = None,
    ) -> None:
        """`lowest` are the thresholds that the bands are made for, `on` the fields that are compared."""
        self._task = task
        self._on = on
        self.thresholds = thresholds
        self._lowest = lowest

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> NearDuplicates:
        if options.threshold is not None:
            same = Thresholds(options.threshold, options.threshold)
            return cls(context.task, same, same, options.on)
        lowest = Thresholds(LOWEST, LONG_THRESHOLD)
        widest = cls(context.task, lowest, lowest, options.on)
        short = widest._calibrate(calibration_texts(context, widest.text if options.on else None))
        return cls(context.task, Thresholds(short, LONG_THRESHOLD), lowest, options.on)

    @staticmethod
    def problems(options: Options, task: Task) -> list[tuple[tuple[str, ...], str]]:
        if options.on == "ast":
            python = task.kind == "code" and is_python(task.prompt_values["language"])
            return [] if python else [(("on",), "ast is for tasks of kind code in Python; name fields")]
        return [(("on",), message) for _, message in no_text_fields(options.on or (), task)]

    def text(self, record: Record) -> str:
        if self._on != "ast":
            return chosen_text(self._task, record.fields, self._on)
        program = "\n".join(texts_in(record.fields.get(self._task.fields[1])))
        return shape(program) or program

    def keys(self, texts: Sequence[str]) -> list[array[int]]:
        norms = normalise_all(texts)
        found = (keys for part in in_parts([norm for norm in norms if norm]) for keys in self._keys(part))
        return [next(found) if norm else array("q") for norm in norms]

    def _keys(self, norms: Sequence[str]) -> list[array[int]]:
        chars = char_runs(norms)
        drawn = sketches(chars)
        most_of_both = SHORT_RUNS / self._lowest.short
        # By bounds of its size first: to sort the runs of every text takes longer than all else.
        short = np.flatnonzero(fewest(drawn) <= most_of_both)
        sets = distinct(chars.of(short))
        short, sets = short[sets.sizes <= most_of_both], sets.of(np.flatnonzero(sets.sizes <= most_of_both))
        long = np.flatnonzero(most(drawn) >= SHORT_RUNS)
        keys: list[array[int]] = [array("q") for _ in norms]
        for texts, runs, bands, salt in (
            (short, sets, bands_for(self._lowest.short), CHAR_WIDTH),
            (long, _word_runs(norms, long), bands_for(self._lowest.long), 64 + TOKEN_WIDTH),
        ):
            found = band_keys(signatures(runs, bands.minima), bands, salt)
            for at, own in zip(texts.tolist(), found, strict=True):
                keys[at].frombytes(own.tobytes())
        return keys

    def forms(self, texts: Sequence[str]) -> list[str]:
        return normalise_all(texts)

    def sketches(self, forms: Sequence[str]) -> Hashes:
        """Of each text those of its character trigrams, and of its 5-token runs where it may be long."""
        parts = [_sketches(norms) for norms in in_parts(forms)]
        return np.concatenate(parts) if parts else _sketches([])

    def can_be_kin(self, drawn: Hashes, one: Places, two: Places) -> npt.NDArray[np.bool_]:
        """By an upper bound of their similarity, which is a hundredth of the work of `edge`."""
        chars, tokens = np.split(drawn, 2, axis=1)
        low, high = fewest(chars), most(chars)
        possible = np.zeros(len(one), bool)
        short = np.flatnonzero(np.minimum(low[one], low[two]) < SHORT_RUNS)
        possible[short] = most_alike(chars[one[short]], chars[two[short]]) >= self.thresholds.short
        long = np.flatnonzero(np.minimum(high[one], high[two]) >= SHORT_RUNS)
        possible[long] |= most_alike(tokens[one[long]], tokens[two[long]]) >= self.thresholds.long
        return possible

    def edge(self, a: str, b: str) -> float | None:
        """Their similarity if it reaches the threshold of their kind."""
        one, two = self.forms([a, b])
        return self.edges([(one, two)])[0]

    def edges(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        """`edge` of many pairs of forms, some of which are the same."""
        unlike = [(a, b) for a, b in pairs if a != b]
        found = (edge for part in _pairs_in_parts(unlike) for edge in self._edges(part))
        return [next(found) if a != b else 1.0 if a else None for a, b in pairs]

    def _edges(self, norms: Sequence[tuple[str, str]]) -> list[float | None]:
        texts = list(dict.fromkeys(chain.from_iterable(norms)))
        places = {text: at for at, text in enumerate(texts)}
        one, two = (np.array([places[pair[side]] for pair in norms]) for side in (0, 1))
        chars = distinct(char_runs(texts))
        short = np.minimum(chars.sizes[one], chars.sizes[two]) < SHORT_RUNS
        scores = np.empty(len(norms))
        scores[short] = _jaccard(chars, one[short], two[short])
        long = np.unique(np.r_[one[~short], two[~short]])
        tokens = distinct(_word_runs(texts, long))
        scores[~short] = _jaccard(tokens, *(np.searchsorted(long, side[~short]) for side in (one, two)))
        thresholds = np.where(short, self.thresholds.short, self.thresholds.long)
        return [
            score if near else None for score, near in zip(scores.tolist(), scores >= thresholds, strict=True)
        ]

    def _calibrate(self, real: Sequence[str]) -> float:
        """The lowest threshold, in steps of 0.01, at which at most 1 % of these short texts would fall.

        Equal texts are left out: they are the business of `duplicates`.
        """
        norms = [norm for norm in dict.fromkeys(map(normalise, real)) if norm]
        texts = [
            norm
            for norm, size in zip(norms, distinct(char_runs(norms)).sizes, strict=True)
            if size < SHORT_RUNS
        ]
        if len(texts) < ENOUGH_REAL:
            return UNCALIBRATED
        pairs = list(candidate_pairs(self.keys(texts)))
        scores = self.edges([(texts[a], texts[b]) for a, b in pairs])
        edges = [
            (str(a), str(b), score) for (a, b), score in zip(pairs, scores, strict=True) if score is not None
        ]
        ranked = [str(place) for place in range(len(texts))]
        steps = range(round(LOWEST * 100), round(HIGHEST * 100))
        for step in steps:
            losers = reduce(ranked, [edge for edge in edges if edge[2] >= step / 100])
            if len(losers) <= MISSED_REAL * len(texts):
                return step / 100
        return HIGHEST


def _sketches(norms: Sequence[str]) -> Hashes:
    runs = char_runs(norms)
    chars = sketches(runs)
    tokens = np.zeros_like(chars)
    long = np.flatnonzero(most(chars) >= SHORT_RUNS)
    tokens[long] = sketches(_word_runs(norms, long))
    # The bound of a short text's similarity is close only by its exact size.
    short = np.flatnonzero(fewest(chars) < SHORT_RUNS)
    chars[short, 0] = distinct(runs.of(short)).sizes
    return np.concatenate((chars, tokens), axis=1)


def _word_runs(norms: Sequence[str], which: Places) -> Runs:
    """The 5-token runs of some of the texts."""
    texts = [norms[at] for at in which.tolist()]
    return word_runs([norm if norm.isascii() else " ".join(units(norm)) for norm in texts], TOKEN_WIDTH)


def _jaccard(sets: Runs, one: Places, two: Places) -> npt.NDArray[np.float64]:
    both = shared(sets.of(one), sets.of(two))
    similarity: npt.NDArray[np.float64] = both / np.maximum(sets.sizes[one] + sets.sizes[two] - both, 1)
    return similarity


def _pairs_in_parts(pairs: Sequence[tuple[str, str]]) -> Iterator[Sequence[tuple[str, str]]]:
    """In order, in parts that `distinct` and `shared` take and whose texts are not too much at once."""
    start = size = 0
    for at, (a, b) in enumerate(pairs):
        size += len(a) + len(b)
        if at > start and (size > CHARACTERS_AT_ONCE or at - start == SETS_AT_ONCE // 2):
            yield pairs[start:at]
            start, size = at, len(a) + len(b)
    if start < len(pairs):
        yield pairs[start:]
