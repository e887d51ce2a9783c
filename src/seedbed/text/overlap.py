"""Does a text repeat, in whole or in part, one of the locked texts? Exhaustive, in one process."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

import numpy as np

from seedbed.core.protocols import EvalHit
from seedbed.text.likely import Likely
from seedbed.text.normalise import normalise, normalise_all
from seedbed.text.runs import in_parts, word_runs
from seedbed.text.shared_runs import SharedRuns, common_from
from seedbed.text.similar import SimilarTexts

CONTAINED_TOKENS = 4
SIMILAR_TOKENS = 40
NGRAM_TOKENS = 8
NGRAM_COVERAGE = 0.5

RULES = ("equal", "contained", "similar", "ngrams", "run")


class EvalIndex:
    """All texts of an eval set, and for any other text the rows that it repeats.

    `equal`: same normal form, at any length (score 1). `contained`: the row's tokens, at least 4,
    stand in a row inside the text, or the text's inside the row. `similar`: character similarity
    (Indel) of at least 0.9 to a row of up to 40 tokens. `ngrams`: runs of 8 tokens shared with the
    text cover at least half of the row. `run`: 50 or more characters in a row are shared. The score
    is the share of the row that the text repeats, and the similarity itself for `similar`.

    Phrases that are common in real train texts say nothing about a leak: `common` (or
    `ignore_common`, later) takes them out of `ngrams` and `run`.
    """

    def __init__(self, texts: Sequence[str], common: Sequence[str] = ()) -> None:
        self._norms = [normalise(text) for text in texts]
        self._sizes = [len(norm.split()) for norm in self._norms]
        self._equal: defaultdict[str, list[int]] = defaultdict(list)
        for row, norm in enumerate(self._norms):
            if norm:
                self._equal[norm].append(row)
        self._contained = _Contained(self._norms)
        self._similar = SimilarTexts(
            {row: norm for row, norm in enumerate(self._norms) if norm and self._sizes[row] <= SIMILAR_TOKENS}
        )
        self._ngrams = _Ngrams(self._norms)
        self._runs = SharedRuns(self._norms)
        if common:
            self.ignore_common(common)

    def __len__(self) -> int:
        return len(self._norms)

    def ignore_common(self, train_texts: Sequence[str]) -> None:
        """Let n-grams and runs that stand in max(3, 1 %) of these texts count no longer.

        Calls add up: what one sample made common stays so.
        """
        norms = [normalise(text) for text in train_texts]
        at_least = common_from(len(norms))
        self._ngrams.ignore_common(norms, at_least)
        self._runs.ignore_common(norms, at_least)

    def check(self, texts: Sequence[str]) -> list[list[EvalHit]]:
        """For each text the rows that it repeats, the strongest first: leaks, then by score, rule and row.

        Each near rule that holds is named; a row that is equal is not named as near as well.
        """
        return [found for part in in_parts(normalise_all(texts)) for found in self._check(part)]

    def _check(self, norms: Sequence[str]) -> Iterator[list[EvalHit]]:
        known = self._contained.may_share(norms)
        for norm, runs, shares in zip(norms, self._runs.matches(norms), known, strict=True):
            yield self._hits(norm, runs, shares) if norm else []

    def _hits(self, norm: str, runs: Sequence[tuple[int, str]], shares: bool) -> list[EvalHit]:
        """`shares` tells whether it may have a 4-gram of some row."""
        equal = self._equal.get(norm, [])
        best: dict[tuple[int, int], float] = {}
        for rule, matches in (
            *(self._by_tokens(norm) if shares else ()),
            (2, self._similar.matches(norm)),
            (4, ((row, min(1.0, len(run) / len(self._norms[row]))) for row, run in runs)),
        ):
            for row, score in matches:
                if row not in equal:
                    best[rule, row] = max(score, best.get((rule, row), 0.0))
        near = sorted(best, key=lambda key: (-best[key], key))
        return [
            *(EvalHit("equal", 1.0, row) for row in equal),
            *(EvalHit(RULES[rule], best[rule, row], row) for rule, row in near),
        ]

    def _by_tokens(self, norm: str) -> Iterator[tuple[int, Iterator[tuple[int, float]]]]:
        """Both ways of being contained, and every longer n-gram, begin with a 4-gram that some row has."""
        ends = _token_ends(norm)
        yield 1, self._contained.matches(norm, _token_grams(norm, CONTAINED_TOKENS, ends))
        yield 3, self._ngrams.matches(norm, ends)


class _Contained:
    """One text's token sequence inside another's, both ways, by each sequence's rarest 4-gram."""

    def __init__(self, norms: Sequence[str]) -> None:
        self._padded = [f" {norm} " for norm in norms]
        self._sizes = [norm.count(" ") + 1 for norm in norms]
        self._rows: defaultdict[str, list[int]] = defaultdict(list)
        grams = [_token_grams(norm, CONTAINED_TOKENS) for norm in norms]
        for row, own in enumerate(grams):
            for gram in set(own):
                self._rows[gram].append(row)
        self._anchored: defaultdict[str, list[int]] = defaultdict(list)
        for row, own in enumerate(grams):
            if own:
                self._anchored[min(own, key=lambda gram: len(self._rows[gram]))].append(row)

        self._hashes = np.unique(word_runs([norm for norm in norms if norm], CONTAINED_TOKENS).hashes)
        self._likely = Likely(self._hashes)

    def may_share(self, norms: Sequence[str]) -> list[bool]:
        """Whether each text may have a 4-gram of some row; of a text that has one, always True."""
        if not len(self._hashes):
            return [False] * len(norms)
        filled = np.array([at for at, norm in enumerate(norms) if norm], np.int64)
        runs = word_runs([norms[at] for at in filled.tolist()], CONTAINED_TOKENS)
        likely = self._likely.among(runs.hashes)
        hashes = runs.hashes[likely]
        places = np.searchsorted(self._hashes, hashes)
        there = self._hashes[np.minimum(places, len(self._hashes) - 1)] == hashes
        found = np.zeros(len(norms), bool)
        found[np.repeat(filled, runs.sizes)[likely[there]]] = True
        shares: list[bool] = found.tolist()
        return shares

    def matches(self, norm: str, grams: Sequence[str]) -> Iterator[tuple[int, float]]:
        """`grams` are the text's own 4-grams."""
        padded = f" {norm} "
        for gram in set(grams) & self._anchored.keys():
            for row in self._anchored[gram]:
                if self._padded[row] in padded:
                    yield row, 1.0
        if grams and all(gram in self._rows for gram in grams):
            size = len(grams) + CONTAINED_TOKENS - 1
            for row in min((self._rows[gram] for gram in grams), key=len):
                if padded in self._padded[row]:
                    yield row, size / self._sizes[row]


class _Ngrams:
    """Rows of which shared 8-grams cover at least half."""

    def __init__(self, norms: Sequence[str]) -> None:
        self._sizes = [norm.count(" ") + 1 for norm in norms]
        self._places: defaultdict[str, list[tuple[int, int]]] = defaultdict(list)
        for row, norm in enumerate(norms):
            for at, gram in enumerate(_token_grams(norm, NGRAM_TOKENS)):
                self._places[gram].append((row, at))

    def ignore_common(self, norms: Iterable[str], at_least: int) -> None:
        frequency: Counter[str] = Counter()
        for norm in norms:
            frequency.update(self._places.keys() & set(_token_grams(norm, NGRAM_TOKENS)))
        for gram, count in frequency.items():
            if count >= at_least:
                del self._places[gram]

    def matches(self, norm: str, ends: Sequence[int]) -> Iterator[tuple[int, float]]:
        starts: defaultdict[int, list[int]] = defaultdict(list)
        for gram in set(_token_grams(norm, NGRAM_TOKENS, ends)) & self._places.keys():
            for row, at in self._places[gram]:
                starts[row].append(at)
        for row, own in starts.items():
            coverage = _covered(sorted(own)) / self._sizes[row]
            if coverage >= NGRAM_COVERAGE:
                yield row, coverage


def _covered(starts: list[int]) -> int:
    """Number of tokens under the 8-grams that begin at these positions (ascending)."""
    covered, end = 0, 0
    for start in starts:
        covered += start + NGRAM_TOKENS - max(start, end)
        end = start + NGRAM_TOKENS
    return covered


def _token_ends(norm: str) -> list[int]:
    """Where each token of a normalised text begins, and one past the end."""
    return list(accumulate([len(token) + 1 for token in norm.split(" ")], initial=0))


def _token_grams(norm: str, width: int, ends: Sequence[int] | None = None) -> list[str]:
    """The runs of `width` tokens of a normalised text, as they stand in it."""
    ends = _token_ends(norm) if ends is None else ends
    return [norm[ends[at] : ends[at + width] - 1] for at in range(len(ends) - width)]
