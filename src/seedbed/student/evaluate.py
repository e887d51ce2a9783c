"""Fit a student on every arm, then score all of them on one reading of the eval set.

What comes out is labels and numbers. No text of the eval is in a result, a note or an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedbed.core.errors import InputError
from seedbed.stats.bootstrap import Ints, Scores, bootstrap_scores, percentile_interval
from seedbed.stats.intervals import Estimate, rows_to_decide, wilson
from seedbed.student import STUDENTS
from seedbed.student.arms import MIX, REAL_ONLY, SYNTHETIC_ONLY, Arm
from seedbed.student.job import Job
from seedbed.student.protocol import Fitted, Student, StudentError

ReadEval = Callable[[], Sequence[tuple[str, str]]]

MATERIAL = 0.02
"""A difference of macro-F1 below this is not worth acting on. An interval that lies within it on
both sides says "no material difference"; one that also reaches beyond says "undecided"."""

COMPARISONS = ((SYNTHETIC_ONLY, REAL_ONLY), (MIX, REAL_ONLY), (MIX, SYNTHETIC_ONLY))


@dataclass(frozen=True, slots=True)
class _Entry:
    """An arm with what was learnt from it, or the problem that kept the student from learning."""

    arm: Arm
    fitted: Fitted | None
    problem: str = ""


def score_arms(job: Job, read_eval: ReadEval) -> dict[str, Any]:
    """Fit all arms, read the eval once, and score them on the same bootstrap draws.

    `read_eval` gives (text, label) pairs. It is called once, after every arm was fitted and only if
    at least one could be: a job that cannot be scored leaves the eval closed. An arm from which
    the student cannot learn stands in the result with its `problem` and without scores.

    Raises StudentError where no arm can be fitted, InputError for an eval without rows or whose
    labels no arm knows, UnknownPlugin for an unknown student.

    Macro-F1 is the mean over the labels that the eval has rows of; a prediction of any other label
    counts against the label that would have been right.
    """
    student_type = STUDENTS.get(job.student)
    options = student_type.Options.model_validate(job.options)
    entries = [_fit(student_type(options), arm, job.seed) for arm in job.arms]
    _require_one_fitted(entries)
    dev = _Examined("dev", [(row.text, row.label) for row in job.dev], entries, job) if job.dev else None
    examined = _Examined("eval", read_eval(), entries, job)
    differences = [
        examined.difference(arm, against)
        for arm, against in COMPARISONS
        if {arm, against} <= examined.scored.keys()
    ]
    return {
        "student": {
            "name": student_type.name,
            "version": student_type.version,
            "options": options.model_dump(mode="json"),
        },
        "eval": {"rows": len(examined.labels), "labels": dict(sorted(Counter(examined.labels).items()))},
        "interval": {"level": job.level, "draws": job.draws, "seed": job.seed},
        "material": MATERIAL,
        "arms": [_arm_result(entry, examined, dev) for entry in entries],
        "differences": differences,
        "undecided": next(
            (d["undecided"] for d in differences if (d["arm"], d["against"]) == (MIX, REAL_ONLY)), None
        ),
        "notes": _notes(entries, examined),
    }


def _fit(student: Student, arm: Arm, seed: int) -> _Entry:
    if not arm.rows:
        return _Entry(arm, None, f"arm {arm.name}: {arm.note or 'it has no rows'}")
    try:
        fitted = student.fit([row.text for row in arm.rows], [row.label for row in arm.rows], seed=seed)
    except StudentError as error:
        return _Entry(arm, None, f"arm {arm.name}: {error}")
    return _Entry(arm, fitted)


def _require_one_fitted(entries: Sequence[_Entry]) -> None:
    if all(entry.fitted is None for entry in entries):
        problems = "\n".join(entry.problem for entry in entries)
        raise StudentError(f"there is no arm to score, and the eval stays closed\n{problems}".rstrip())


class _Examined:
    """Every fitted arm's predictions on one set of rows, and the scores that they share draws for."""

    def __init__(
        self, split: str, rows: Sequence[tuple[str, str]], entries: Sequence[_Entry], job: Job
    ) -> None:
        if not rows:
            raise InputError(f"the {split} set has no rows to score on; check its file and its split")
        self.level = job.level
        self.labels = [label for _, label in rows]
        self.classes = sorted(set(self.labels))
        _require_known_label(split, self.classes, entries)
        texts = [text for text, _ in rows]
        number = {label: index for index, label in enumerate(self.classes)}
        self.truth: Ints = np.array([number[label] for label in self.labels], dtype=np.intp)
        self.scored: dict[str, int] = {}
        self.predicted: list[Ints] = []
        for entry in entries:
            if entry.fitted is not None:
                self.scored[entry.arm.name] = len(self.predicted)
                answers = entry.fitted.predict(texts)
                self.predicted.append(np.array([number.get(label, -1) for label in answers], dtype=np.intp))
        self.scores: Scores = bootstrap_scores(
            self.truth, self.predicted, len(self.classes), draws=job.draws, seed=job.seed
        )

    def macro_f1(self, arm: str) -> Estimate:
        index = self.scored[arm]
        return percentile_interval(self.scores.macro_f1[index], self.scores.macro_f1_draws[index], self.level)

    def accuracy(self, arm: str) -> Estimate:
        index = self.scored[arm]
        return percentile_interval(self.scores.accuracy[index], self.scores.accuracy_draws[index], self.level)

    def retention(self, arm: str) -> Estimate | None:
        """Macro-F1 as a share of that of real data alone; None without such an arm, or where it has 0."""
        if REAL_ONLY not in self.scored:
            return None
        base, base_draws = self._f1(REAL_ONLY)
        value, draws = self._f1(arm)
        usable = base_draws > 0
        if base == 0 or not usable.any():
            return None
        return percentile_interval(value / base, draws[usable] / base_draws[usable], self.level)

    def difference(self, arm: str, against: str) -> dict[str, Any]:
        value, draws = self._f1(arm)
        base, base_draws = self._f1(against)
        gap = percentile_interval(value - base, draws - base_draws, self.level)
        verdict = verdict_on(gap)
        return {
            "arm": arm,
            "against": against,
            "macro_f1": gap.to_json(),
            "undecided": gap.contains_zero,
            "verdict": verdict,
            "rows_to_decide": rows_to_decide(gap, len(self.labels)) if verdict == "undecided" else None,
        }

    def per_class(self, arm: str) -> dict[str, dict[str, Any]]:
        """Recall (with Wilson's interval), precision, F1 and support of each label of the eval.

        Precision is None where the arm never gives the label.
        """
        predicted = self.predicted[self.scored[arm]]
        result = {}
        for index, label in enumerate(self.classes):
            support = int(np.sum(self.truth == index))
            given = int(np.sum(predicted == index))
            hits = int(np.sum((self.truth == index) & (predicted == index)))
            recall = wilson(hits, support, self.level).to_json()
            result[label] = {
                "recall": recall["value"],
                "recall_interval": [recall["low"], recall["high"]],
                "precision": round(hits / given, 6) if given else None,
                "f1": round(2 * hits / (support + given), 6),
                "support": support,
            }
        return result

    def _f1(self, arm: str) -> tuple[float, Any]:
        index = self.scored[arm]
        return float(self.scores.macro_f1[index]), self.scores.macro_f1_draws[index]


def verdict_on(gap: Estimate) -> str:
    """`no_material_difference`, `better`, `worse` or `undecided`: what a difference of macro-F1 shows."""
    if gap.lies_within(MATERIAL):
        return "no_material_difference"
    if gap.contains_zero:
        return "undecided"
    return "better" if gap.low > 0 else "worse"


def _require_known_label(split: str, classes: Sequence[str], entries: Sequence[_Entry]) -> None:
    """Refuse labels that are none: a wrong label column would carry the eval's text into the result."""
    known = {row.label for entry in entries for row in entry.arm.rows}
    if known.isdisjoint(classes):
        some = ", ".join(repr(label) for label in sorted(known)[:5])
        raise InputError(
            f"none of the {len(classes):,} labels of the {split} set occurs in training, "
            f"which has {len(known):,} ({some}{', …' if len(known) > 5 else ''}); "
            "check which of its columns is the label"
        )


def _arm_result(entry: _Entry, examined: _Examined, dev: _Examined | None) -> dict[str, Any]:
    arm = entry.arm
    described = {
        "name": arm.name,
        "rows": len(arm.rows),
        "real": arm.real,
        "synthetic": arm.synthetic,
        "note": arm.note,
        "problem": entry.problem,
    }
    if entry.fitted is None:
        return described | {
            "macro_f1": None,
            "accuracy": None,
            "retention": None,
            "per_class": {},
            "dev": None,
        }
    retention = examined.retention(arm.name)
    return described | {
        "macro_f1": examined.macro_f1(arm.name).to_json(),
        "accuracy": examined.accuracy(arm.name).to_json(),
        "retention": None if retention is None else retention.to_json(),
        "per_class": examined.per_class(arm.name),
        "dev": None
        if dev is None
        else {
            "rows": len(dev.labels),
            "macro_f1": dev.macro_f1(arm.name).to_json(),
            "accuracy": dev.accuracy(arm.name).to_json(),
        },
    }


def _notes(entries: Sequence[_Entry], examined: _Examined) -> list[str]:
    """What a reader must know to read the scores right, the gravest first."""
    notes = []
    for entry in entries:
        if entry.fitted is None:
            notes.append(f"not scored: {entry.problem}")
            continue
        rows = Counter(row.label for row in entry.arm.rows)
        unseen = [label for label in examined.classes if label not in rows]
        single = [label for label in examined.classes if rows[label] == 1]
        if unseen:
            notes.append(
                f"arm {entry.arm.name} has no row of {_named(unseen)}, which the eval has: it scores 0 there"
            )
        if single:
            notes.append(
                f"arm {entry.arm.name} has a single row of {_named(single)}: too little to learn from"
            )
        notes.extend(f"arm {entry.arm.name}: {note}" for note in entry.fitted.notes)
    trained = {row.label for entry in entries for row in entry.arm.rows}
    absent = sorted(trained - set(examined.classes))
    if absent:
        notes.append(f"the eval has no row of {_named(absent)}: nothing is known about it")
    return notes


def _named(labels: Sequence[str]) -> str:
    """Up to five labels by name, cut where one is long, and how many more there are."""
    shown = ", ".join(repr(label if len(label) <= 60 else label[:59] + "…") for label in labels[:5])
    return shown + (f" and {len(labels) - 5:,} more" if len(labels) > 5 else "")
