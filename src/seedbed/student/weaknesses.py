"""Where a student is weak: slices of dev rows in which it errs more than in all others, by a corrected test.

Each slice is held against all other rows by Fisher's exact test, one-sided. Slices overlap and are many, so
that the largest of their error rates looks bad even where nothing is: p is corrected by Holm over the slices
of a kind, and by Bonferroni over the kinds, which keeps the chance that even one slice is named for nothing
below 1 - level whatever hangs together. That is stricter than a false discovery rate (Benjamini & Hochberg
1995), and meant to be: each name that is told is a thing to pay for in the next round.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from seedbed.core.protocols import Task
from seedbed.stats.hypergeometric import could_tell, holm, smallest_tail, upper_tail
from seedbed.stats.intervals import LEVEL, Estimate, wilson
from seedbed.student.examine import Examined
from seedbed.student.rows import Row
from seedbed.student.slices import LEAST_ROWS, Kind, Slice, Slicing

MOST_EXAMPLES = 5
_WRONG_BELOW = 0.5
"""A row counts as an error where it is less than half right: scores may lie between."""


@dataclass(frozen=True, slots=True)
class Example:
    """A row that was answered wrongly."""

    id: str
    text: str
    answer: str
    told: str


@dataclass(frozen=True, slots=True)
class Weakness:
    """A slice whose error is above the rest.

    `error` is its error rate with Wilson's interval, `rest` that of the rows it is held against: all others,
    or for a confusion those of no label of the pair. `p` is corrected. `about` and `words` are the slice's.
    """

    kind: Kind
    name: str
    rows: int
    errors: int
    error: Estimate
    rest: float
    p: float
    about: Mapping[str, Any] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    examples: tuple[Example, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "rows": self.rows,
            "errors": self.errors,
            "error": self.error.to_json(),
            "rest": round(self.rest, 6),
            "p": float(f"{self.p:.3g}"),
            "about": dict(self.about),
            "words": list(self.words),
            "examples": [
                {"id": each.id, "text": each.text, "answer": each.answer, "told": each.told}
                for each in self.examples
            ],
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Weakness:
        examples = tuple(Example(**each) for each in value["examples"])
        own = {"error": Estimate(**value["error"]), "words": tuple(value["words"]), "examples": examples}
        return cls(**{**value, **own})


@dataclass(frozen=True, slots=True)
class _Test:
    """Errors of a slice among those of all rows that it is held against, itself included."""

    of: Slice
    errors: tuple[int, ...]
    drawn: int
    marked: int
    total: int

    @property
    def p(self) -> float:
        return upper_tail(len(self.errors), self.drawn, self.marked, self.total)

    @property
    def smallest(self) -> float:
        return smallest_tail(self.drawn, self.marked, self.total)


def weaknesses_of(
    examined: Examined, arm: str, task: Task, slicing: Slicing, *, level: float = LEVEL
) -> list[Weakness]:
    """The slices in which an arm's student errs more than elsewhere, the surest first.

    The texts of rows are in what comes back, so `examined` is of dev rows and never of the eval.
    """
    if arm not in examined.right:
        return []
    rows, told = examined.rows, examined.answers[arm]
    wrong = np.flatnonzero(examined.right[arm] < _WRONG_BELOW).tolist()
    slices = slicing.of(rows)
    tests = [_of_slice(each, wrong, len(rows)) for each in slices]
    if task.label_field is not None:
        tests += _confusions(rows, told)
    found = [
        _weakness(test, p, rows, told, level) for test, p in _corrected(tests, 1 - level) if p <= 1 - level
    ]
    return sorted(found, key=lambda each: (each.p, -each.error.value, each.kind, each.name))


def _of_slice(each: Slice, wrong: Sequence[int], total: int) -> _Test:
    errors = tuple(sorted(set(each.rows).intersection(wrong)))
    return _Test(each, errors, len(each.rows), len(wrong), total)


def _confusions(rows: Sequence[Row], told: Sequence[str]) -> list[_Test]:
    """Whether rows of a label are told as another more often than the rows of third labels are.

    Membership is the row's own label, so that what was answered is only ever the outcome.
    """
    labels = Counter(row.answer for row in rows)
    as_other: dict[str, list[int]] = {}
    for at, (row, said) in enumerate(zip(rows, told, strict=True)):
        if said != row.answer and said in labels:
            as_other.setdefault(said, []).append(at)
    tests = []
    for other, errors in sorted(as_other.items()):
        against = len(rows) - labels[other]
        for label in sorted(labels):
            if label == other or not LEAST_ROWS <= labels[label] <= against - LEAST_ROWS:
                continue
            mine = tuple(at for at in errors if rows[at].answer == label)
            of = Slice("confusion", f"{label} told as {other}", mine, {"label": label, "told": other})
            tests.append(_Test(of, mine, labels[label], len(errors), against))
    return tests


def _corrected(tests: Sequence[_Test], level: float) -> list[tuple[_Test, float]]:
    """Each test that could tell anything, with its p corrected for all of them.

    Which kinds there are and which tests could tell hangs on the margins alone (Tarone 1990), never on
    what was found in a slice.
    """
    kinds = sorted({test.of.kind for test in tests})
    corrected = []
    for kind in kinds:
        of_kind = [test for test in tests if test.of.kind == kind]
        can = could_tell([test.smallest for test in of_kind], level / len(kinds))
        kept = [test for test, usable in zip(of_kind, can, strict=True) if usable]
        values = holm([test.p for test in kept])
        corrected += [(test, min(1.0, p * len(kinds))) for test, p in zip(kept, values, strict=True)]
    return corrected


def _weakness(test: _Test, p: float, rows: Sequence[Row], told: Sequence[str], level: float) -> Weakness:
    rest = (test.marked - len(test.errors)) / (test.total - test.drawn)
    # By id: which rows are shown hangs on no order of the file.
    shown = sorted(test.errors, key=lambda at: rows[at].id)[:MOST_EXAMPLES]
    return Weakness(
        kind=test.of.kind,
        name=test.of.name,
        rows=test.drawn,
        errors=len(test.errors),
        error=wilson(len(test.errors), test.drawn, level),
        rest=rest,
        p=p,
        about=test.of.about,
        words=test.of.words,
        examples=tuple(Example(rows[at].id, rows[at].text, rows[at].answer, told[at]) for at in shown),
    )
