"""Fit a student on every arm, then score all of them on one reading of the eval set.

What comes out is labels and numbers. No text of the eval is in a result, a note or an error.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import combinations
from typing import Any

from seedbed.core.errors import InputError
from seedbed.core.protocols import Task
from seedbed.student.arms import MIX, REAL_ONLY, SYNTHETIC_ONLY, Arm
from seedbed.student.examine import MATERIAL, Examined
from seedbed.student.fitting import Entry, Tell, described, fitted, require_one_fitted, student_of
from seedbed.student.job import Job
from seedbed.student.protocol import Student, StudentError
from seedbed.student.rows import Row
from seedbed.tasks.fields import labels_of

ReadEval = Callable[[], Sequence[Row]]

COMPARISONS = ((SYNTHETIC_ONLY, REAL_ONLY), (MIX, REAL_ONLY), (MIX, SYNTHETIC_ONLY))


def score_arms(
    job: Job,
    task: Task,
    read_eval: ReadEval,
    tell: Tell = lambda line: None,
    student: Student | None = None,
) -> dict[str, Any]:
    """Fit all arms, read the eval once, and score them on the same bootstrap draws.

    `read_eval` is called once, after every arm was fitted and only if at least one could be: a job that
    cannot be scored leaves the eval closed. An arm from which the student cannot learn stands in the result
    with its `problem` and without scores. `student` is the job's, where somebody made it ready before.

    Raises StudentError where no arm can be fitted or the student answers nothing, InputError for an eval
    without rows or whose labels no arm knows, UnknownPlugin for an unknown student, and what a served
    student raises.

    Macro-F1 is the mean over the labels that the eval has rows of; a prediction of any other label
    counts against the label that would have been right.
    """
    student = student or student_of(job)
    if not student.answers:
        raise StudentError(
            f"the student {student.name} only reports figures of its own on dev, and cannot be asked: the "
            "eval stays closed"
        )
    with fitted(job, task, student, tell) as entries:
        require_one_fitted(entries, "the eval stays closed")
        dev = _examine("dev", job.dev, entries, job, task)
        held_out = _examine("held-out", job.held_out, entries, job, task)
        examined = _examine("eval", read_eval(), entries, job, task, must_have_rows=True)
    assert examined is not None
    return {
        "student": described(student, job),
        **_result(job, task, entries, examined, dev, held_out),
        "eval": {"rows": len(examined.rows), "labels": _labels(task, examined.rows)},
    }


def _examine(
    split: str,
    rows: Sequence[Row],
    entries: Sequence[Entry],
    job: Job,
    task: Task,
    *,
    must_have_rows: bool = False,
) -> Examined | None:
    """What the fitted arms say to the rows; None where there are none and none are needed."""
    if not rows and not must_have_rows:
        return None
    if task.label_field is not None:
        require_known_label(split, task, rows, entries)
    answers = {entry.arm.name: entry.fitted.answer(rows) for entry in entries if entry.fitted is not None}
    return Examined(
        split, task, rows, answers, draws=job.draws, level=job.level, seed=job.arms[0].seed if job.arms else 0
    )


def _result(
    job: Job,
    task: Task,
    entries: Sequence[Entry],
    examined: Examined,
    dev: Examined | None,
    held_out: Examined | None,
) -> dict[str, Any]:
    differences = [
        examined.difference(arm, against)
        for arm, against in compared([entry.arm for entry in entries])
        if {arm, against} <= examined.answers.keys()
    ]
    return {
        "metric": examined.metric,
        "metrics": list(examined.metrics),
        "interval": {"level": job.level, "draws": job.draws},
        "material": MATERIAL,
        "arms": [_arm_result(entry, examined, dev, held_out) for entry in entries],
        "differences": differences,
        "undecided": next(
            (d["undecided"] for d in differences if (d["arm"], d["against"]) == (MIX, REAL_ONLY)), None
        ),
        "unanswered": sum(entry.fitted.unanswered for entry in entries if entry.fitted is not None),
        "notes": _notes(task, entries, examined),
    }


def compared(arms: Sequence[Arm]) -> list[tuple[str, str]]:
    """Which arm is compared with which; of served models each with all that are named after it."""
    served = [arm.name for arm in arms if arm.role]
    return [*combinations(served, 2)] if served else [*COMPARISONS]


def _labels(task: Task, rows: Sequence[Row]) -> dict[str, int]:
    return dict(sorted(Counter(row.answer for row in rows).items())) if task.label_field is not None else {}


def require_known_label(split: str, task: Task, rows: Sequence[Row], entries: Sequence[Entry]) -> None:
    """Refuse labels that are none: a wrong label column would carry the eval's text into the result."""
    known = _known_labels(task, entries)
    classes = {row.answer for row in rows}
    if classes and known.isdisjoint(classes):
        some = ", ".join(repr(label) for label in sorted(known)[:5])
        raise InputError(
            f"none of the {len(classes):,} labels of the {split} set occurs in training, "
            f"which has {len(known):,} ({some}{', …' if len(known) > 5 else ''}); "
            "check which of its columns is the label"
        )


def _known_labels(task: Task, entries: Sequence[Entry]) -> set[str]:
    """The labels that an arm has rows of; a served model is told those of the task."""
    trained = {row.answer for entry in entries for row in entry.arm.rows}
    return trained | set(labels_of(task) if any(entry.arm.role for entry in entries) else ())


def _arm_result(
    entry: Entry, examined: Examined, dev: Examined | None, held_out: Examined | None
) -> dict[str, Any]:
    arm = entry.arm
    described = {**arm.to_json(), "problem": entry.problem}
    if entry.fitted is None:
        return described | {
            "scores": None,
            "retention": None,
            "per_class": {},
            "dev": None,
            "held_out": None,
        }
    retention = examined.ratio(arm.name, REAL_ONLY) if REAL_ONLY in examined.answers else None
    return described | {
        "scores": examined.scores(arm.name),
        "retention": None if retention is None else retention.to_json(),
        "per_class": examined.per_class(arm.name),
        "dev": _on(dev, arm.name),
        "held_out": _on(held_out, arm.name),
    }


def _on(examined: Examined | None, arm: str) -> dict[str, Any] | None:
    """The scores of an arm on another split than the eval."""
    return None if examined is None else {"rows": len(examined.rows), "scores": examined.scores(arm)}


def _notes(task: Task, entries: Sequence[Entry], examined: Examined) -> list[str]:
    """What a reader must know to read the scores right, the gravest first."""
    notes = []
    for entry in entries:
        name = entry.arm.name
        if entry.fitted is None:
            notes.append(f"not scored: {entry.problem}")
            continue
        rows = Counter(row.answer for row in entry.arm.rows)
        unseen = [label for label in examined.classes if label not in rows and not entry.arm.role]
        single = [label for label in examined.classes if rows[label] == 1]
        if unseen:
            notes.append(f"arm {name} has no row of {_named(unseen)}, which the eval has: it scores 0 there")
        if single:
            notes.append(f"arm {name} has a single row of {_named(single)}: too little to learn from")
        if examined.undecided[name]:
            notes.append(
                f"arm {name}: of {examined.undecided[name]:,} answers nobody can tell whether they are "
                "right; they count as wrong"
            )
        if strangers := examined.strangers(name):
            # None is quoted: a student may say what it was asked, which nobody is to read.
            notes.append(f"arm {name}: {len(strangers):,} of its answers are none of the labels")
        notes.extend(f"arm {name}: {note}" for note in entry.fitted.notes)
    if task.label_field is not None:
        absent = sorted(_known_labels(task, entries) - set(examined.classes))
        if absent:
            notes.append(f"the eval has no row of {_named(absent)}: nothing is known about it")
    return notes


def _named(labels: Sequence[str]) -> str:
    """Up to five labels by name, cut where one is long, and how many more there are."""
    shown = ", ".join(repr(label if len(label) <= 60 else label[:59] + "…") for label in labels[:5])
    return shown + (f" and {len(labels) - 5:,} more" if len(labels) > 5 else "")
