"""What a student is, and how it says that it cannot learn from an arm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from seedbed.core.errors import InputError
from seedbed.core.protocols import Task
from seedbed.student.rows import Row


class StudentError(InputError):
    """An arm from which this student cannot learn: too few rows, one label, a trainer that failed."""

    nothing_sent: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a student is to learn from.

    `rows` train it; `dev` are real rows that it may stop by and is scored on. `folder` is its own and there:
    what it keeps in it is found again by a lesson of the same rows, options and seed, and by no other. `home`
    is the recipe's folder, in which commands of the user's run and to which files they name are relative.
    `role` is that of a served model, which has no rows to learn from.
    """

    task: Task
    rows: Sequence[Row]
    dev: Sequence[Row]
    seed: int
    folder: Path
    home: Path
    role: str = ""


class Fitted(Protocol):
    """A student that has learnt. `notes` say what the reader of its scores should know.

    `reported` are figures that its trainer gives itself, on the dev rows: all that there is of a student
    that says no `answers`.
    """

    @property
    def notes(self) -> tuple[str, ...]: ...

    @property
    def reported(self) -> Mapping[str, float]: ...

    @property
    def unanswered(self) -> int:
        """Rows, of all that it was asked, without an answer for a cause that may pass.

        They count as wrong, and no score that has one is kept for another time.
        """
        ...

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """What it says to each row, in order. It goes by what is asked and never by the row's answer.

        Raises StudentError, in whose message no text of a row may stand: the rows may be those of the eval.
        """
        ...


class Student(Protocol):
    """Learns from rows and answers others. Built with its validated `Options`; equal seeds learn alike.

    One that is made of it (`class Mine(Student)`) reads no files and fits every task, unless it says
    otherwise.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    needs: ClassVar[tuple[str, ...]]
    """Modules of an extra that must be installed; looked for before a run asks anything."""
    slow: ClassVar[bool]
    """Whether learning takes more than moments: `seedbed train` trains such a student, `run` does not."""

    def __init__(self, options: Any) -> None: ...

    @property
    def answers(self) -> bool:
        """Whether it can be asked; one that cannot is told by what its trainer reports, and sees no eval."""
        ...

    @property
    def reads(self) -> Sequence[str]:
        """Files of the recipe's folder that decide what it learns, beside its options, as far as there."""
        return ()

    @property
    def listed(self) -> Sequence[tuple[Sequence[str], str]]:
        """(path of a key below the options, name) of files and folders that decide it, and must be there.

        They are relative to the recipe's folder. Of a folder everything in it counts.
        """
        return ()

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        """(path of a key below the student's options, message) of all that does not fit the task."""
        return []

    def fit(self, lesson: Lesson) -> Fitted:
        """Raises StudentError where there is nothing to learn from, and says why.

        Work that was finished before in the lesson's folder is not done again.
        """
        ...


def absent(student: Student, home: Path) -> list[tuple[Sequence[str], str]]:
    """(path of a key below the options, message) of each file or folder that is listed and not there."""
    return [
        (key, f"there is no file or folder {path}; put it there, or write another name")
        for key, name in student.listed
        if not (path := (home / name).absolute()).exists()
    ]
