"""The order to score arms, and its form on disk.

Arms are scored in a process of their own, which alone opens the eval file; a job is how the
training rows get there. It is a folder: `job.json`, and one JSONL file of rows an arm.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from seedbed.stats.bootstrap import DRAWS
from seedbed.stats.intervals import LEVEL
from seedbed.student.arms import Arm, Row

JOB_FILE = "job.json"
DEV_FILE = "dev.jsonl"


@dataclass(frozen=True, slots=True)
class Job:
    """What to fit and how to score it. `options` are the student's, as the recipe has them."""

    arms: tuple[Arm, ...]
    student: str = "classifier"
    options: Mapping[str, Any] = field(default_factory=dict)
    dev: tuple[Row, ...] = ()
    seed: int = 0
    draws: int = DRAWS
    level: float = LEVEL


def write_job(job: Job, folder: Path) -> Path:
    """Write the job into an existing folder and return the path of its `job.json`."""
    arms = []
    for number, arm in enumerate(job.arms):
        file = f"arm-{number}.jsonl"
        _write_rows(folder / file, arm.rows)
        arms.append(
            {"name": arm.name, "file": file, "real": arm.real, "synthetic": arm.synthetic, "note": arm.note}
        )
    _write_rows(folder / DEV_FILE, job.dev)
    path = folder / JOB_FILE
    plan = {
        "arms": arms,
        "student": job.student,
        "options": dict(job.options),
        "seed": job.seed,
        "draws": job.draws,
        "level": job.level,
    }
    path.write_text(json.dumps(plan, indent=2) + "\n", encoding="ascii")
    return path


def read_job(path: Path) -> Job:
    """Read back what `write_job` wrote; `path` is its `job.json`."""
    plan = json.loads(path.read_text(encoding="ascii"))
    arms = tuple(
        Arm(
            arm["name"],
            tuple(_read_rows(path.parent / arm["file"])),
            arm["real"],
            arm["synthetic"],
            arm["note"],
        )
        for arm in plan.pop("arms")
    )
    return Job(arms=arms, dev=tuple(_read_rows(path.parent / DEV_FILE)), **plan)


def _write_rows(path: Path, rows: Iterable[Row]) -> None:
    # ASCII with escapes: a lone surrogate in a text survives the way, as UTF-8 could not carry it.
    with path.open("w", encoding="ascii") as file:
        for row in rows:
            file.write(json.dumps(row) + "\n")


def _read_rows(path: Path) -> Iterator[Row]:
    with path.open(encoding="ascii") as file:
        for line in file:
            yield Row(*json.loads(line))
