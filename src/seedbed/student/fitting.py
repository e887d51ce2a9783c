"""Students learn from arms, each in a folder of its own, and answer rows."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.protocols import Task
from seedbed.student import STUDENTS
from seedbed.student.arms import Arm
from seedbed.student.job import Job
from seedbed.student.problems import told_once
from seedbed.student.protocol import Fitted, Lesson, Student, StudentError
from seedbed.student.scores import require_scorable

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Entry:
    """An arm with what was learnt from it, or the problem that kept the student from learning."""

    arm: Arm
    fitted: Fitted | None
    problem: str = ""


def student_of(job: Job) -> Student:
    """The job's student. Raises UnknownPlugin, and ValueError where its options are not its own."""
    kind = STUDENTS.get(job.student)
    return kind(kind.Options.model_validate(job.options))


def described(student: Student, job: Job) -> dict[str, Any]:
    """Which student it is, as results name it."""
    return {"name": student.name, "version": student.version, "options": dict(job.options)}


@contextmanager
def fitted(job: Job, task: Task, student: Student, tell: Tell = lambda line: None) -> Iterator[list[Entry]]:
    """Every arm with the student that learnt from it; what it may keep lies in the job's folder.

    Without such a folder it lies in a temporary one, for as long as the context lasts. Raises SeedbedError
    before anything is learnt where nobody could score what is answered; see `require_scorable`.
    """
    require_scorable(task)
    if job.folder is not None:
        yield [_fit(student, arm, job, task, job.folder, tell) for arm in job.arms]
        return
    with tempfile.TemporaryDirectory(prefix="seedbed-student-") as folder:
        yield [_fit(student, arm, job, task, Path(folder), tell) for arm in job.arms]


def _fit(student: Student, arm: Arm, job: Job, task: Task, base: Path, tell: Tell) -> Entry:
    if not arm.rows and not arm.role:
        return Entry(arm, None, f"arm {arm.name}: {arm.note or 'it has no rows'}")
    folder = base / (arm.key or arm.name)
    folder.mkdir(parents=True, exist_ok=True)
    if student.slow:
        what = f"roles.{arm.role} is asked" if arm.role else f"arm {arm.name}, {len(arm.rows):,} rows"
        tell(f"student {student.name}: {what}")
    lesson = Lesson(task, arm.rows, job.dev, arm.seed, folder, job.home, arm.role)
    try:
        return Entry(arm, student.fit(lesson))
    except StudentError as error:
        return Entry(arm, None, f"arm {arm.name}: {error}")


def require_one_fitted(entries: Sequence[Entry], otherwise: str) -> None:
    """Raises StudentError with every problem, and what comes of it, where no arm was learnt from."""
    if all(entry.fitted is None for entry in entries):
        problems = "\n".join(told_once({entry.arm.name: entry.problem for entry in entries}))
        raise StudentError(f"there is no arm to score, and {otherwise}\n{problems}".rstrip())
