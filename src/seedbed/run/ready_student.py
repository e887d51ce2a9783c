"""The student of a job, ready to learn or to be asked, in a process that is there for it.

What speaks to a served model is half of what such a process would import, and is so for that alone.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from seedbed.core.protocols import Task
from seedbed.student.endpoint import Endpoint
from seedbed.student.fitting import student_of
from seedbed.student.job import Job
from seedbed.student.protocol import Student

if TYPE_CHECKING:
    from seedbed.run.served_models import ServedModels


@contextmanager
def made_ready(
    job: Job, task: Task, served: Mapping[str, Any] | None, tell: Callable[[str], None]
) -> Iterator[tuple[Student, ServedModels | None]]:
    """The job's student; one that is served, with whoever speaks to its models.

    Raises InputError where the environment lacks what the roles name.
    """
    student = student_of(job)
    if served is None or not isinstance(student, Endpoint):
        yield student, None
        return
    from seedbed.run.served_models import ServedModels

    with ServedModels.open(served, task, student.options, tell) as models:
        student.asking = models
        yield student, models
