"""The order to train students and to score them, and its form on disk.

Students learn and are scored in processes of their own, of which one alone opens the eval file; a job is how
the training rows get there. It is a folder: `job.json`, and every row once in `rows.jsonl`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedbed.core.protocols import Task
from seedbed.stats.bootstrap import DRAWS
from seedbed.stats.intervals import LEVEL
from seedbed.student.arms import Arm
from seedbed.student.rows import Row, row_of

JOB_FILE = "job.json"
ROWS_FILE = "rows.jsonl"


@dataclass(frozen=True, slots=True)
class Job:
    """What to fit and how to score it. `options` are the student's, as the recipe has them.

    `dev` are real rows, `held_out` generated ones; no arm has learnt from either. `folder` is where students
    keep what they learn, in a folder for each arm's key; `home` is the recipe's. Both are absolute on disk.
    """

    arms: tuple[Arm, ...]
    student: str = "classifier"
    options: Mapping[str, Any] = field(default_factory=dict)
    dev: tuple[Row, ...] = ()
    held_out: tuple[Row, ...] = ()
    folder: Path | None = None
    home: Path = Path()
    draws: int = DRAWS
    level: float = LEVEL


def write_job(job: Job, folder: Path) -> Path:
    """Write the job into an existing folder and return the path of its `job.json`."""
    numbers: dict[str, int] = {}

    def numbered(rows: Sequence[Row]) -> list[int]:
        return [numbers.setdefault(row.id, len(numbers)) for row in rows]

    plan = {
        "arms": [
            {
                "name": arm.name,
                "key": arm.key,
                "rows": numbered(arm.rows),
                "real": arm.real,
                "synthetic": arm.synthetic,
                "note": arm.note,
                "seed": arm.seed,
                "role": arm.role,
            }
            for arm in job.arms
        ],
        "dev": numbered(job.dev),
        "held_out": numbered(job.held_out),
        "student": job.student,
        "options": dict(job.options),
        "folder": None if job.folder is None else str(job.folder.absolute()),
        "home": str(job.home.absolute()),
        "draws": job.draws,
        "level": job.level,
    }
    every = {row.id: row for rows in (*(arm.rows for arm in job.arms), job.dev, job.held_out) for row in rows}
    _write_rows(folder / ROWS_FILE, (every[id_] for id_ in numbers))
    path = folder / JOB_FILE
    path.write_text(json.dumps(plan, indent=2) + "\n", encoding="ascii")
    return path


def read_job(path: Path, task: Task) -> Job:
    """Read back what `write_job` wrote; `path` is its `job.json`, and `task` gives the views of its rows."""
    plan = json.loads(path.read_text(encoding="ascii"))
    rows = list(_read_rows(path.parent / ROWS_FILE, task))
    arms = tuple(
        Arm(**{**arm, "rows": tuple(rows[number] for number in arm["rows"])}) for arm in plan.pop("arms")
    )
    dev, held_out = (tuple(rows[number] for number in plan.pop(name)) for name in ("dev", "held_out"))
    folder, home = plan.pop("folder"), Path(plan.pop("home"))
    where = None if folder is None else Path(folder)
    return Job(arms=arms, dev=dev, held_out=held_out, folder=where, home=home, **plan)


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    # ASCII with escapes: a lone surrogate in a text survives the way, as UTF-8 could not carry it.
    with path.open("w", encoding="ascii") as file:
        for row in rows:
            file.write(json.dumps([row.id, dict(row.fields), dict(row.slots)]) + "\n")


def _read_rows(path: Path, task: Task) -> Iterator[Row]:
    with path.open(encoding="ascii") as file:
        for line in file:
            yield row_of(task, *json.loads(line))
