"""The process in which students learn: `python -m seedbed.run.trainer_process`. It opens no eval."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedbed.core.child_process import end_with_the_parent
from seedbed.run.ready_student import made_ready
from seedbed.run.registry import registry
from seedbed.run.task_facts import bound_task
from seedbed.sources.sealed import answer_with, read_request
from seedbed.student.fitting import Entry, fitted
from seedbed.student.job import Job, read_job
from seedbed.student.protocol import Student, StudentError


def main() -> None:
    wanted = read_request()
    end_with_the_parent()
    task = bound_task(wanted["task"], registry())

    def learn() -> Mapping[str, Any]:
        job = read_job(Path(wanted["job"]), task)
        with (
            made_ready(job, task, wanted["served"], tell) as (student, _),
            fitted(job, task, student, tell) as entries,
        ):
            return {"arms": [_said(entry, student, job) for entry in entries]}

    answer_with(learn)


def tell(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()


def _said(entry: Entry, student: Student, job: Job) -> dict[str, Any]:
    """What one arm came to; one that learns and cannot answer has a problem, as one that cannot learn."""
    nothing: dict[str, Any] = {"answers": None, "notes": [], "reported": {}, "unanswered": 0}
    if entry.fitted is None:
        return {**nothing, "problem": entry.problem}
    try:
        answers = entry.fitted.answer(job.dev) if student.answers else None
    except StudentError as error:
        return {**nothing, "problem": f"arm {entry.arm.name}: {error}"}
    return {
        "answers": answers,
        "notes": list(entry.fitted.notes),
        "reported": dict(entry.fitted.reported),
        "unanswered": entry.fitted.unanswered,
        "problem": "",
    }


if __name__ == "__main__":
    main()
