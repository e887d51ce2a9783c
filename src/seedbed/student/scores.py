"""How right an answer is, row by row: the scores of a task kind, the first of which decides between arms.

A task with labels is decided by macro-F1, which is no score of a row: see `examine.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Protocol

from seedbed.core.protocols import Task
from seedbed.student.rows import Row

MACRO_F1 = "macro_f1"


class Score(Protocol):
    """0..1 for each answer, parallel to the rows; None where it cannot be told, which counts as wrong."""

    name: ClassVar[str]

    def of(self, task: Task, answers: Sequence[str], rows: Sequence[Row]) -> list[float | None]: ...


class Exact:
    """1 where answer and row agree to the letter, but for white space around them."""

    name: ClassVar[str] = "exact_match"

    def of(self, task: Task, answers: Sequence[str], rows: Sequence[Row]) -> list[float | None]:
        return [
            float(answer.strip() == row.answer.strip()) for answer, row in zip(answers, rows, strict=True)
        ]


class Accuracy(Exact):
    """The share of right labels."""

    name: ClassVar[str] = "accuracy"


def scores_of(task: Task) -> tuple[Score, ...]:
    """The scores of rows for a task, the one that decides first."""
    return (Accuracy(),) if task.label_field is not None else (Exact(),)


def metrics_of(task: Task) -> tuple[str, ...]:
    """Every metric that an arm has, the one that decides first."""
    names = tuple(score.name for score in scores_of(task))
    return (MACRO_F1, *names) if task.label_field is not None else names
