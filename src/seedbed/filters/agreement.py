"""How far a classifier may contradict a label, learnt from real rows that it was not fitted on.

Take a draft that was asked for label a and that the classifier takes for b, with the margin m by which
b's score is above a's. Two kinds of real rows are told like that: rows of b (had such a text been asked
for as an a, the disagreement would be right) and rows of a (it is wrong). With

    t = share of the real rows of b that are told as b with a margin over a of at least m,
    f = share of the real rows of a that are told as b with a margin over a of at least m,

the precision of the disagreement is t·w / (t·w + f), where w = min(1, rows of b / rows of a). Where b is
the smaller class, these are the plain counts: of the real rows of either class so told, the share that
is truly b. Where b is the larger one, plain counts would let its size excuse any number of errors on a,
and w = 1 counts both classes alike. f is taken as (errors + 1) / (rows of a + 2): ten rows without an
error are no proof, and a class of ten can never reach a precision of .95.

Such a precision weighs a wrong label as high as a right one before it looks, and a teacher errs less
often than that. So a disagreement that is to drop a draft also has to be rare among the rows of a: of
those at most 1 in 100 may be contradicted, by whatever label, as clearly as that.

Scores are out of fold: each row's come from a model that was fitted on the other folds.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from seedbed.core.hashing import seed_from
from seedbed.filters.linear_text import LinearText, Scores, features, fit
from seedbed.text.normalise import normalise

FOLDS = 5
# Precisions for which the least margin is kept, the lowest first.
LEVELS = (0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99)
DROP_LEVEL = LEVELS.index(0.95)
MISSED_REAL = 0.01


class Told(NamedTuple):
    """The label told, by its number, and its margin over the given one. `precision` is the highest of
    LEVELS that the margin reaches, 0 where it reaches none; `sure`: whether that may drop a draft."""

    label: int
    margin: float
    precision: float
    sure: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """The model of all real rows, and for each pair of labels the margin that each precision takes.

    `margins` has the shape (labels, labels, levels): given, told, index in LEVELS; infinite where no
    margin reaches the level. It never falls along the levels. `sure` (labels, labels) has the margins
    from which a draft may be dropped. `rows` counts the real rows by label.
    """

    labels: tuple[str, ...]
    rows: tuple[int, ...]
    model: LinearText
    margins: npt.NDArray[np.float32]
    sure: npt.NDArray[np.float32]

    def told(self, text: str, given: int) -> Told:
        """What the classifier says of a text that was asked for under a label, by its number."""
        scores = self.model.scores(features(text))
        told = int(np.argmax(scores))
        margin = float(np.round(scores[told] - scores[given], 5))
        reached = np.flatnonzero(margin >= self.margins[given, told])
        precision = LEVELS[int(reached[-1])] if len(reached) else 0.0
        return Told(told, margin, precision, told != given and margin >= self.sure[given, told])


def learn(rows: Sequence[tuple[str, str]]) -> Agreement:
    """From (text, label) of the real rows, in any order: it is the same for every order."""
    ordered = sorted(rows)
    labels = tuple(sorted({label for _, label in ordered}))
    number = {label: at for at, label in enumerate(labels)}
    given = [number[label] for _, label in ordered]
    counted = [features(text) for text, _ in ordered]
    folds = _folds(ordered)
    scores: Scores = np.zeros((len(ordered), len(labels)), np.float64)
    for fold in sorted(set(folds)):
        inside = [at for at, other in enumerate(folds) if other != fold]
        model = fit([counted[at] for at in inside], [given[at] for at in inside], len(labels))
        for at, other in enumerate(folds):
            if other == fold:
                scores[at] = model.scores(counted[at])
    sizes = Counter(given)
    of_label = tuple(sizes[at] for at in range(len(labels)))
    margins = _margins(scores, np.asarray(given), of_label)
    sure = _sure(scores, np.asarray(given), margins[:, :, DROP_LEVEL])
    return Agreement(labels, of_label, fit(counted, given, len(labels)), margins, sure)


def _folds(rows: Sequence[tuple[str, str]]) -> list[int]:
    """The fold of each row: every label is dealt out evenly, and equal texts stay together."""
    forms = [normalise(text) for text, _ in rows]
    of_label: defaultdict[str, set[str]] = defaultdict(set)
    for form, (_, label) in zip(forms, rows, strict=True):
        of_label[label].add(form)
    dealt: dict[str, int] = {}
    turn = 0
    for label in sorted(of_label):
        for form in sorted(of_label[label], key=lambda form: (seed_from("fold", form), form)):
            if form not in dealt:
                dealt[form] = turn % FOLDS
                turn += 1
    return [dealt[form] for form in forms]


def _margins(scores: Scores, given: npt.NDArray[np.int64], rows: Sequence[int]) -> npt.NDArray[np.float32]:
    labels = len(rows)
    margins = np.full((labels, labels, len(LEVELS)), np.inf, np.float32)
    told = np.argmax(scores, axis=1)
    for b in range(labels):
        of_b = scores[(told == b) & (given == b)]
        for a in range(labels):
            if a == b or not rows[a] or not rows[b]:
                continue
            of_a = scores[(told == b) & (given == a)]
            right, wrong = of_b[:, b] - of_b[:, a], of_a[:, b] - of_a[:, a]
            margins[a, b] = _least(right, wrong, rows[b], rows[a])
    return margins


def _least(right: Scores, wrong: Scores, rows_b: int, rows_a: int) -> npt.NDArray[np.float32]:
    """The least margin for each level: in the tail from it on, the precision is at least that."""
    right = np.sort(right)
    weight = min(1.0, rows_b / rows_a)
    t = weight * (len(right) - np.arange(len(right))) / rows_b
    errors = len(wrong) - np.searchsorted(np.sort(wrong), right, side="left")
    precision = t / (t + (errors + 1) / (rows_a + 2))
    least = np.full(len(LEVELS), np.inf, np.float32)
    for at, level in enumerate(LEVELS):
        reaching = np.flatnonzero(precision >= level)
        if len(reaching):
            least[at] = np.nextafter(np.float32(right[reaching[0]]), np.float32(np.inf))
    return np.maximum.accumulate(least)


def _sure(
    scores: Scores, given: npt.NDArray[np.int64], margins: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """`margins`, for each given label no lower than what 1 in 100 of its real rows go beyond."""
    sure = margins.copy()
    for a in range(len(margins)):
        own = scores[given == a]
        told = np.argmax(own, axis=1)
        beyond = np.round(own[np.arange(len(own)), told] - own[:, a], 5)
        sorted_beyond = np.sort(beyond[(told != a) & (beyond >= margins[a, told])])[::-1]
        allowed = int(MISSED_REAL * len(own))
        if len(sorted_beyond) > allowed:
            sure[a] = np.maximum(
                sure[a], np.nextafter(np.float32(sorted_beyond[allowed]), np.float32(np.inf))
            )
    return sure
