"""The one process that opens the eval file to score on it: `python -m seedbed.run.evaluator_process`.

Everything that can fail is done before the eval is opened, and the opening is on record before any of it is
read: a trainer that fails has opened nothing. What leaves is labels and numbers.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedbed.core.child_process import end_with_the_parent
from seedbed.core.errors import EvalLockError
from seedbed.run.ready_student import made_ready
from seedbed.run.registry import registry
from seedbed.run.task_facts import bound_task
from seedbed.run.trainer_process import tell
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.sources.records import load_real
from seedbed.sources.sealed import answer_with, read_request
from seedbed.sources.source_hash import source_hash
from seedbed.sources.spec import SourceSpec
from seedbed.student.evaluate import score_arms
from seedbed.student.job import read_job
from seedbed.student.rows import Row, row_of


def main() -> None:
    wanted = read_request()
    end_with_the_parent()
    spec = SourceSpec.from_json(wanted["spec"])
    task = bound_task(wanted["task"], registry())

    def read_eval() -> list[Row]:
        EvalLockFile.read(Path(wanted["lock"])).record_opening("evaluate", wanted["by"])
        if source_hash(spec) != wanted["sha256"]:
            raise EvalLockError(
                f"{spec.path}: the eval file changed while the run was at work: restore it and run the "
                "same command again, or start a new run folder"
            )
        rows = load_real(spec, tuple(task.real_columns), may_be_empty=task.optional_fields)
        return [row_of(task, row.id, row.fields) for row in rows]

    def score() -> Mapping[str, Any]:
        job = read_job(Path(wanted["job"]), task)
        with made_ready(job, task, wanted["served"], tell) as (student, models):
            result = score_arms(job, task, read_eval, tell, student)
            return result if models is None else {**result, "asked": models.spent_by_role()}

    answer_with(score)


if __name__ == "__main__":
    main()
