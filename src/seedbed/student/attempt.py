"""One lesson learnt by a program of its own: its files, its log, and the mark that it is done."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from seedbed.core.protocols import Task
from seedbed.student.keeper import Order, failure, run
from seedbed.student.lesson_files import answers_in, as_bytes, asked, is_pair, taught, write_lines
from seedbed.student.protocol import Lesson, StudentError
from seedbed.student.rows import Row

_VERSION = 1


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is on record of an attempt that went well; `reported` has the figure that decides first."""

    reported: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Attempt:
    """A lesson's folder: `train.jsonl`, `dev.jsonl`, `out` (the trainer's own), `train.log`, `done.json`.

    `done.json` is written last. Without it, nothing that is in `out` counts, and an attempt begins anew.
    """

    folder: Path

    @property
    def train(self) -> Path:
        return self.folder / "train.jsonl"

    @property
    def dev(self) -> Path:
        return self.folder / "dev.jsonl"

    @property
    def out(self) -> Path:
        return self.folder / "out"

    @property
    def log(self) -> Path:
        return self.folder / "train.log"

    @property
    def answering_log(self) -> Path:
        return self.folder / "predict.log"

    @property
    def _done(self) -> Path:
        return self.folder / "done.json"

    def earlier(self) -> Learnt | None:
        """What an attempt that went well left; None where there was none."""
        try:
            value = json.loads(self._done.read_bytes())
        except (FileNotFoundError, ValueError):
            return None
        if not isinstance(value, dict) or value.get("version") != _VERSION:
            return None
        return Learnt(value["reported"], tuple(value["notes"]))

    def begin(self, lesson: Lesson, *, pairs: bool) -> tuple[str, ...]:
        """Lay out an empty `out` and the rows, of a task of `pairs` those that are some; returns notes.

        Raises StudentError where no row is left to learn from.
        """
        self._done.unlink(missing_ok=True)
        shutil.rmtree(self.out, ignore_errors=True)
        self.out.mkdir(parents=True)
        task = lesson.task
        rows = [row for row in lesson.rows if not pairs or is_pair(task, row)]
        if not rows:
            raise StudentError(
                f"none of the {len(lesson.rows):,} training rows has both a better and a worse answer"
                if lesson.rows
                else "there are no training rows"
            )
        write_lines(self.train, (taught(task, row) for row in rows))
        write_lines(self.dev, (taught(task, row) for row in lesson.dev if not pairs or is_pair(task, row)))
        single = len(lesson.rows) - len(rows)
        return (f"{single:,} rows with one answer alone were left out of its training",) if single else ()

    def finish(self, learnt: Learnt) -> None:
        value = {"version": _VERSION, "reported": dict(learnt.reported), "notes": list(learnt.notes)}
        os.sync()  # what the mark stands for must be there when the mark is
        temporary = self._done.with_suffix(".tmp")
        temporary.write_text(json.dumps(value), "ascii")
        temporary.replace(self._done)


def learn(
    attempt: Attempt,
    lesson: Lesson,
    training: Order,
    *,
    pairs: bool,
    report: Callable[[Path], Learnt],
) -> Learnt:
    """The lesson learnt by a command, now or in an earlier attempt. `report` reads what it left in `out`.

    Raises StudentError: see `keeper.run`. A ValueError of `report` says what the command did wrong.
    """
    if (earlier := attempt.earlier()) is not None:
        return earlier
    notes = attempt.begin(lesson, pairs=pairs)
    run(training)
    try:
        reported = report(attempt.out)
    except ValueError as error:
        raise failure(training, str(error)) from None
    learnt = replace(reported, notes=(*notes, *reported.notes))
    attempt.finish(learnt)
    return learnt


@dataclass(frozen=True, slots=True)
class FittedProgram:
    """What was learnt, and the command that is asked; `asking` None: one that cannot be."""

    task: Task
    dev: Sequence[Row]
    asking: Order | None
    learnt: Learnt

    @property
    def notes(self) -> tuple[str, ...]:
        return self.learnt.notes

    @property
    def reported(self) -> Mapping[str, float]:
        return self.learnt.reported

    @property
    def unanswered(self) -> int:
        return 0  # a command that leaves a row out has failed

    def answer(self, rows: Sequence[Row]) -> list[str]:
        """Raises StudentError. Of rows that are no dev rows nothing that the command says is kept or told."""
        if self.asking is None:
            raise StudentError("it has no `predict`, and cannot be asked")
        if not rows:
            return []
        order = replace(self.asking, asked=as_bytes(asked(self.task, row) for row in rows))
        if not self._are_dev(rows):
            order = replace(order, log=None)
        said = run(order)
        try:
            return answers_in(said, rows)
        except ValueError as error:
            raise failure(order, str(error)) from None

    def _are_dev(self, rows: Sequence[Row]) -> bool:
        known = {row.id: row for row in self.dev}
        return all(known.get(row.id) == row for row in rows)
