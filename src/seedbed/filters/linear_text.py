"""A plain linear classifier of texts whose use needs numpy alone.

It is of the student's family: sublinear TF-IDF of words and pairs of neighbours into one-against-rest
linear support vector machines (Joachims 1998). scikit-learn fits it; what is kept are two arrays, so
that a worker process neither imports scikit-learn nor holds a vocabulary of strings: a feature is the
CRC-32 of its words (of 60,000 features about one pair collides, which no verdict hangs on).
"""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from seedbed.text.normalise import normalise, units

Scores: TypeAlias = npt.NDArray[np.float64]

# From so many rows on, a feature of a single row is left out: it halves the model and decides nothing.
MANY_ROWS = 2000
MAX_ITERATIONS = 2000
NO_SCORE = -1e6


def features(text: str) -> Counter[int]:
    """Words and pairs of neighbours with their counts."""
    words = units(normalise(text))
    pairs = (f"{one} {other}" for one, other in pairwise(words))
    return Counter(zlib.crc32(gram.encode("utf-8", "surrogatepass")) for gram in (*words, *pairs))


@dataclass(frozen=True, slots=True)
class LinearText:
    """`known` are the features in ascending order, `idf` and the rows of `weights` go with them.

    Shapes: `known` (f,), `idf` (f,), `weights` (f, labels), `bias` (labels,).
    """

    known: npt.NDArray[np.uint32]
    idf: npt.NDArray[np.float32]
    weights: npt.NDArray[np.float16]
    bias: npt.NDArray[np.float32]

    def scores(self, counted: Counter[int]) -> Scores:
        """One score a label, the higher the likelier; of a text without a known word the bias alone."""
        wanted = np.fromiter(sorted(counted), np.uint32, len(counted))
        places = np.searchsorted(self.known, wanted)
        there = places < len(self.known)
        there[there] = self.known[places[there]] == wanted[there]
        found = places[there]
        counts = np.array([counted[int(feature)] for feature in wanted[there]], np.float64)
        values = (1 + np.log(counts)) * self.idf[found]
        norm = float(np.sqrt(np.sum(values * values)))
        if not norm:
            return self.bias.astype(np.float64)
        # A sum over rows in the order of the features: no library's blocking decides the last digits.
        total = np.sum(self.weights[found].astype(np.float64) * (values / norm)[:, None], axis=0)
        rounded: Scores = np.round(total + self.bias, 5)
        return rounded


def fit(counted: Sequence[Counter[int]], labels: Sequence[int], classes: int) -> LinearText:
    """Learn from features and class numbers. A class without a row gets a score that never wins."""
    from sklearn.svm import LinearSVC

    frequency: Counter[int] = Counter()
    for row in counted:
        frequency.update(row.keys())
    fewest = 2 if len(counted) >= MANY_ROWS else 1
    known = np.array(sorted(f for f, rows in frequency.items() if rows >= fewest), np.uint32)
    place = {int(feature): at for at, feature in enumerate(known)}
    rows = np.array([frequency[int(feature)] for feature in known], np.float64)
    idf = (np.log((1 + len(counted)) / (1 + rows)) + 1).astype(np.float32)
    present = sorted(set(labels))
    weights = np.zeros((len(known), classes), np.float16)
    bias = np.full(classes, NO_SCORE, np.float32)
    if len(present) == 1:
        bias[present[0]] = 0
        return LinearText(known, idf, weights, bias)
    machine = LinearSVC(C=1.0, random_state=0, max_iter=MAX_ITERATIONS)
    _fit_quietly(machine, _matrix(counted, place, idf), labels)
    coefficients, intercept = machine.coef_, machine.intercept_
    if len(present) == 2:  # scikit-learn then has one machine, for the second class
        coefficients = np.concatenate([-coefficients, coefficients])
        intercept = np.concatenate([-intercept, intercept])
    weights[:, present] = coefficients.T.astype(np.float16)
    bias[present] = intercept.astype(np.float32)
    return LinearText(known, idf, weights, bias)


def _matrix(counted: Sequence[Counter[int]], place: dict[int, int], idf: npt.NDArray[np.float32]) -> Any:
    from scipy.sparse import csr_matrix

    values: list[float] = []
    columns: list[int] = []
    ends = [0]
    for row in counted:
        found = sorted((place[feature], count) for feature, count in row.items() if feature in place)
        weighted = np.array([(1 + np.log(count)) * idf[at] for at, count in found], np.float64)
        norm = float(np.sqrt(np.sum(weighted * weighted)))
        values.extend((weighted / norm).tolist() if norm else [])
        columns.extend(at for at, _ in found)
        ends.append(len(columns))
    return csr_matrix((values, columns, ends), shape=(len(counted), len(place)))


def _fit_quietly(machine: Any, matrix: Any, labels: Sequence[int]) -> None:
    """A machine that stopped early is a little worse, which its out-of-fold figures show."""
    import warnings

    from sklearn.exceptions import ConvergenceWarning

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        machine.fit(matrix, np.asarray(labels))
