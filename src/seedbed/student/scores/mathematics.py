"""Answers that are worked problems: what they come to against the row's own answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import ClassVar

from seedbed.core.field_text import as_string
from seedbed.core.protocols import Task
from seedbed.student.rows import Row
from seedbed.student.scores.protocol import OneByOne
from seedbed.verify.algebra import Algebra
from seedbed.verify.answers import answer_key
from seedbed.verify.mathematics import Comparison, compare, final_answer, marked_answer

_SHORT = 200
"""Characters up to which a line may be an answer and nothing else."""
_WORTH: dict[Comparison, float | None] = {"equal": 1.0, "different": 0.0, "undecided": None}


class ExactAnswer(OneByOne):
    """1 where the final answer is written as the row's, case, spaces and marks around it apart."""

    name: ClassVar[str] = "exact_match"

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        wanted = answer_key(_wanted(task, row))
        return float(wanted != "" and any(answer_key(said) == wanted for said in _said(answer)))


class AnswerMatch(OneByOne):
    """1 where the final answer has the value of the row's, 0 where it has another; None where nobody can say.

    Numbers are compared exactly. What is no number is compared by sympy, in a process that is killed where it
    takes too long, if sympy is installed, and else as text.
    """

    name: ClassVar[str] = "answer_match"

    def of(self, task: Task, answers: Sequence[str], rows: Sequence[Row]) -> list[float | None]:
        if find_spec("sympy") is None:
            return super().of(task, answers, rows)
        algebra = Algebra()
        try:
            return [
                _worth(answer, _wanted(task, row), algebra.compare)
                for answer, row in zip(answers, rows, strict=True)
            ]
        finally:
            algebra.close()

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        return _worth(answer, _wanted(task, row), compare)


def _worth(answer: str, wanted: str, comparing: Callable[[str, str], Comparison]) -> float | None:
    if not wanted.strip():
        return None
    result: Comparison = "different"
    for said in _said(answer):
        result = comparing(said, wanted)
        if result == "equal":
            break
    return _WORTH[result]


def _wanted(task: Task, row: Row) -> str:
    return as_string(row.fields.get(task.fields[-1], ""))


def _said(answer: str) -> list[str]:
    """What an answer may be read as: what it marks, else all of a short one, and else its last number."""
    if (marked := marked_answer(answer)) is not None:
        return [marked]
    whole, last = answer.strip(), final_answer(answer)
    short = whole != "" and len(whole) <= _SHORT and "\n" not in whole
    return [*([whole] if short else []), *([last] if last is not None else [])]
