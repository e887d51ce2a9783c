"""Answers that are texts: the reference itself, or how much of it."""

from __future__ import annotations

from typing import ClassVar

from seedbed.core.protocols import Task
from seedbed.student.rows import Row
from seedbed.student.scores.protocol import OneByOne
from seedbed.text.chrf import chrf
from seedbed.text.normalise import normalise, units
from seedbed.text.rouge import rouge_l


class Exact(OneByOne):
    """1 where answer and row agree to the letter, but for white space around them."""

    name: ClassVar[str] = "exact_match"

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        return float(answer.strip() == row.answer.strip())


class Accuracy(Exact):
    """The share of right labels."""

    name: ClassVar[str] = "accuracy"


class ChrF(OneByOne):
    """F2 of character runs, the same for every script; see `text.chrf`."""

    name: ClassVar[str] = "chrf"

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        return chrf(answer, row.answer)


class RougeL(OneByOne):
    """F1 of the longest common sequence of words, whose case and punctuation are of no matter."""

    name: ClassVar[str] = "rouge_l"

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        ours, theirs = units(normalise(answer)), units(normalise(row.answer))
        # Of signs alone there are no words to compare, and the very same text is right.
        return rouge_l(ours, theirs) if theirs else float(answer.strip() == row.answer.strip())
