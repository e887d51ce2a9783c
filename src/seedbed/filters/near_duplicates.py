"""`near_duplicates`: two records that say nearly the same in nearly the same words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
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
from seedbed.text.minhash import (
    Hashes,
    band_keys,
    bands_for,
    candidate_pairs,
    char_shingles_of,
    distinct_of,
    shingle_hashes_of,
    signatures,
    word_codes_of,
)
from seedbed.text.normalise import normalise, units
from seedbed.text.reduce import reduce
from seedbed.text.remembered import remembered
from seedbed.text.similarity import char_shingles, jaccard, token_shingles
from seedbed.text.similarity_bound import most_alike, sizes_of, sketches
from seedbed.verify.programs import is_python, shape

On: TypeAlias = Fields | Literal["ast"] | None

CHAR_WIDTH = 3
TOKEN_WIDTH = 5
SHORT_SHINGLES = 100
LONG_THRESHOLD = 0.8
LOWEST, HIGHEST = 0.7, 0.95
MISSED_REAL = 0.01
ENOUGH_REAL = 50
UNCALIBRATED = 0.8
# One text in 100,000 has two trigrams with one hash, and its sets look a little less alike than they are.
_MARGIN, _MISCOUNTED = 0.02, 2


@dataclass(frozen=True, slots=True)
class Thresholds:
    """The Jaccard similarity from which short and long texts are near duplicates."""

    short: float
    long: float


class NearDuplicates:
    """MinHash for candidates (128 permutations), exact Jaccard for the verdict.

    A text of fewer than 100 distinct character trigrams (some 20 words) is short. A pair with a
    short text is compared by its character trigrams, any other by its 5-token shingles, at J ≥ 0.8.
    Short real texts are alike to very different degrees in different tasks, so the threshold of
    short pairs is the lowest in 0.7 … 0.95 at which at most 1 % of the real train texts given would
    fall against one another; 0.8 without 50 of them. `threshold` sets both.

    Keys: 20 bands or fewer for each kind of shingle, chosen by the lowest threshold possible and
    not by the calibrated one, so that keys in a run folder stay comparable. J ≥ t means that the
    larger set has at most 1/t times the shingles of the smaller; so a text of up to 100/t trigrams
    carries the keys of both kinds, and meets a twin on the other side of the border.
    """

    name: ClassVar = "near_duplicates"
    version: ClassVar = 2
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

    def keys(self, texts: Sequence[str]) -> list[list[int]]:
        norms = [normalise(text) for text in texts]
        filled = [at for at, norm in enumerate(norms) if norm]
        chars = char_shingles_of([f" {norms[at]} " for at in filled], CHAR_WIDTH)
        counts = [len(own) for own in chars]
        short = [at for at, count in enumerate(counts) if count <= SHORT_SHINGLES / self._lowest.short]
        long = [at for at, count in enumerate(counts) if count >= SHORT_SHINGLES]
        words = word_codes_of([_spaced(norms[filled[at]]) for at in long])
        tokens = shingle_hashes_of(words, TOKEN_WIDTH)
        keys: list[list[int]] = [[] for _ in texts]
        for places, hashes, bands, salt in (
            (short, [chars[at] for at in short], bands_for(self._lowest.short), CHAR_WIDTH),
            (long, tokens, bands_for(self._lowest.long), 64 + TOKEN_WIDTH),
        ):
            minima = list(signatures(hashes, bands.minima))
            for at, own in zip(places, band_keys(minima, bands, salt), strict=True):
                keys[filled[at]] += own
        return keys

    def sketches(self, texts: Sequence[str]) -> Hashes:
        """Of each text its character trigrams, and its 5-token shingles where it may be long."""
        norms = [normalise(text) for text in texts]
        chars = char_shingles_of([f" {norm} " for norm in norms], CHAR_WIDTH)
        long = [at for at, own in enumerate(chars) if len(own) >= SHORT_SHINGLES - _MISCOUNTED]
        words = word_codes_of([_spaced(norms[at]) for at in long])
        tokens = [np.empty(0, np.uint64)] * len(texts)
        for at, own in zip(long, distinct_of(shingle_hashes_of(words, TOKEN_WIDTH)), strict=True):
            tokens[at] = own
        return np.concatenate((sketches(chars), sketches(tokens)), axis=1)

    def can_be_kin(self, one: Hashes, two: Hashes) -> npt.NDArray[np.bool_]:
        """By an upper bound of their similarity, which is a hundredth of the work of `edge`."""
        (chars, tokens), (other_chars, other_tokens) = (np.split(drawn, 2, axis=1) for drawn in (one, two))
        smaller = np.minimum(sizes_of(chars), sizes_of(other_chars))
        close = most_alike(chars, other_chars) >= self.thresholds.short - _MARGIN
        close &= smaller < SHORT_SHINGLES
        long = most_alike(tokens, other_tokens) >= self.thresholds.long - _MARGIN
        close |= long & (smaller >= SHORT_SHINGLES - _MISCOUNTED)
        return close

    def edge(self, a: str, b: str) -> float | None:
        """Their similarity if it reaches the threshold of their kind."""
        if (norm := normalise(a)) and norm == normalise(b):
            return 1.0
        one, two = _chars(a), _chars(b)
        if _is_short(one) or _is_short(two):
            score, threshold = jaccard(one, two), self.thresholds.short
        else:
            score, threshold = jaccard(_tokens(a), _tokens(b)), self.thresholds.long
        return score if score >= threshold else None

    def _calibrate(self, real: Sequence[str]) -> float:
        """The lowest threshold, in steps of 0.01, at which at most 1 % of these short texts would fall.

        Equal texts are left out: they are the business of `duplicates`.
        """
        norms = dict.fromkeys(normalise(text) for text in real)
        texts = [norm for norm in norms if norm and _is_short(_chars(norm))]
        if len(texts) < ENOUGH_REAL:
            return UNCALIBRATED
        pairs = candidate_pairs(self.keys(texts))
        edges = [
            (str(a), str(b), score) for a, b in pairs if (score := self.edge(texts[a], texts[b])) is not None
        ]
        ranked = [str(place) for place in range(len(texts))]
        steps = range(round(LOWEST * 100), round(HIGHEST * 100))
        for step in steps:
            losers = reduce(ranked, [edge for edge in edges if edge[2] >= step / 100])
            if len(losers) <= MISSED_REAL * len(texts):
                return step / 100
        return HIGHEST


def _spaced(norm: str) -> str:
    """Its units with spaces between them."""
    return norm if norm.isascii() else " ".join(units(norm))


def _is_short(chars: frozenset[str]) -> bool:
    return len(chars) < SHORT_SHINGLES


# A group of kin compares each member with many.
@remembered(texts=512)
def _chars(text: str) -> frozenset[str]:
    return char_shingles(normalise(text), CHAR_WIDTH)


@remembered(texts=512)
def _tokens(text: str) -> frozenset[str]:
    return token_shingles(units(normalise(text)), TOKEN_WIDTH)
