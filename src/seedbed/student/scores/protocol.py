"""What a score of rows is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.protocols import Task
from seedbed.student.rows import Row


class Score(ABC):
    """What one answer scores depends on that answer and its row alone."""

    name: ClassVar[str]

    @abstractmethod
    def of(self, task: Task, answers: Sequence[str], rows: Sequence[Row]) -> list[float | None]:
        """0..1 for each answer, parallel to the rows; None where it cannot be told, which counts as wrong."""

    def require(self) -> None:  # noqa: B027 - most need nothing
        """Raises SeedbedError where what it needs is not to be had on this machine."""


class OneByOne(Score):
    """A score that has nothing to make ready for many answers."""

    def of(self, task: Task, answers: Sequence[str], rows: Sequence[Row]) -> list[float | None]:
        return [self.one(task, answer, row) for answer, row in zip(answers, rows, strict=True)]

    @abstractmethod
    def one(self, task: Task, answer: str, row: Row) -> float | None:
        """What `of` says of a single answer."""
