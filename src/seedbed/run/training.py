"""Arms of a run, and students that learn from them in a process of their own, scored on dev rows alone.

What a student said to the dev rows is kept in the run folder under the key of the arm (its rows, the student,
the task and the seed), so that the same arm is never learnt from twice.
"""

from __future__ import annotations

import shutil
import tempfile
from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedbed.core.child_process import end_child
from seedbed.core.hashing import short_id
from seedbed.core.record import Record
from seedbed.recipe import Mix, StudentEntry
from seedbed.run.binding import BoundRecipe
from seedbed.run.served import identity_of, served_arms, served_request
from seedbed.run.student_facts import files_read, student_plugin
from seedbed.run.task_facts import task_facts
from seedbed.sources.sealed import answer_of, start_sealed
from seedbed.store.atomic import read_json, write_json
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import Rounds
from seedbed.student.arms import Arm, build_arms, in_order
from seedbed.student.attempt import Attempt
from seedbed.student.job import Job, write_job
from seedbed.student.mixture import Mixture, SliceRule
from seedbed.student.rows import Row, row_of
from seedbed.student.selection import best_first

Tell = Callable[[str], None]

MOST_HELD_OUT = 1_000
_ASKED = 64
"""Arms that one process is given: what it holds is bounded, and what it said is kept now and then."""
_JOB = "job-"


@dataclass(frozen=True)
class Material:
    """What arms are made of, as students see it. No arm may learn from `held_out` (generated) or `dev`.

    `rank` is the order in which generated rows are wanted, where the recipe has the best taken; it is empty
    otherwise.
    """

    real: tuple[Row, ...]
    synthetic: tuple[Row, ...]
    held_out: tuple[Row, ...]
    dev: tuple[Row, ...]
    rank: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Answered:
    """What the student that learnt from an arm said to the dev rows; None where it could not learn.

    `unanswered` rows failed for a cause that may pass: see `Fitted`.
    """

    arm: Arm
    answers: tuple[str, ...] | None
    notes: tuple[str, ...] = ()
    reported: dict[str, float] = field(default_factory=dict)
    problem: str = ""
    unanswered: int = 0


def mixture_of(mix: Mix) -> Mixture:
    """The recipe's mixture as the student room knows it."""
    slices = {
        name: SliceRule(rule.real_at_least, rule.synthetic_at_most)
        for name, rule in mix.slices.items()
        if rule.real_at_least is not None or rule.synthetic_at_most is not None
    }
    return Mixture(mix.synthetic, mix.size, mix.fixed, slices)


def material_of(bound: BoundRecipe) -> Material:
    """Rows of the run as it stands.

    Train rows that are output of an earlier run are no real rows to a student, and no arm learns from them.
    """
    mix = bound.recipe.mix or Mix()
    seed = bound.recipe.generate.seed
    ledger = Ledger(Rounds(bound.folder.rounds))
    synthetic = [row_from(bound, record) for record in ledger.accepted()]
    held = min(MOST_HELD_OUT, int(len(synthetic) * mix.hold_out))
    ordered = in_order(synthetic, seed)
    # Every k-th of the order, which shares labels out: the first ones would be the arms' own.
    step = len(ordered) / held if held else 0.0
    chosen = {ordered[int(at * step)].id for at in range(held)}
    real = tuple(
        row_from(bound, record)
        for record in bound.train
        if has_fields(bound, record) and not record.provenance.depth
    )
    kept = tuple(row for row in synthetic if row.id not in chosen)
    return Material(
        real=real,
        synthetic=kept,
        held_out=tuple(row for row in synthetic if row.id in chosen),
        dev=tuple(row_from(bound, record) for record in bound.dev),
        rank=best_first(real, kept, _quality(ledger, bound.ranking), seed) if mix.select == "best" else {},
    )


def _quality(ledger: Ledger, ranking: Sequence[str]) -> dict[str, float]:
    """What model filters think of each record beside the others, 0..1: the mean of its ranks among them."""
    ranks: defaultdict[str, list[float]] = defaultdict(list)
    for scores in ledger.scores(ranking).values():
        ordered = sorted(scores.values())
        for record, score in scores.items():
            # Equal scores have one rank, that of their middle.
            middle = (bisect_left(ordered, score) + bisect_right(ordered, score)) / 2
            ranks[record].append(middle / len(ordered))
    return {record: sum(found) / len(found) for record, found in ranks.items()}


def has_fields(bound: BoundRecipe, record: Record) -> bool:
    """Whether a record has every field that the task wants; a real row that is no pair trains nothing."""
    return all(
        record.fields.get(name) not in (None, "") or name in bound.task.optional_fields
        for name in bound.task.fields
    )


def row_from(bound: BoundRecipe, record: Record) -> Row:
    return row_of(bound.task, record.id, record.fields, record.slots)


def arms_of(bound: BoundRecipe, material: Material) -> list[Arm]:
    """The arms of the proof, by the recipe's mix; or the served models that the recipe examines."""
    if served := served_arms(bound):
        return served
    mixture = mixture_of(bound.recipe.mix or Mix())
    seed = bound.recipe.generate.seed
    return build_arms(material.real, material.synthetic, mixture, seed, material.rank)


class Keys:
    """Names by everything that decides what a student learns: its rows to the letter, dev rows, itself."""

    def __init__(self, bound: BoundRecipe, entry: StudentEntry, dev: Sequence[Row]) -> None:
        self._bound = bound
        self._hashes: dict[str, str] = {}
        student = student_plugin(entry)
        self._base = [
            entry.name,
            student.version,
            entry.options.model_dump(mode="json"),
            task_facts(bound),
            [self._hash(row) for row in dev],
            files_read(student, bound.loaded.folder),
        ]

    def _hash(self, row: Row) -> str:
        if row.id not in self._hashes:
            self._hashes[row.id] = short_id("row", [row.id, dict(row.fields)])
        return self._hashes[row.id]

    def name(self, arm: Arm) -> Arm:
        """The arm with its key."""
        asked = identity_of(self._bound, arm.role)
        key = short_id("arm", [*self._base, [self._hash(row) for row in arm.rows], arm.seed, *asked])
        return replace(arm, key=key)


def job_of(
    bound: BoundRecipe,
    entry: StudentEntry,
    arms: Iterable[Arm],
    dev: tuple[Row, ...] = (),
    held_out: tuple[Row, ...] = (),
) -> Job:
    """The order for a recipe's student, with the rows that it is asked beside those of an eval."""
    return Job(
        arms=tuple(arms),
        student=entry.name,
        options=entry.options.model_dump(mode="json"),
        dev=dev,
        held_out=held_out,
        folder=bound.folder.trained,
        home=bound.loaded.folder,
    )


def done_apart(
    bound: BoundRecipe, module: str, job: Job, file: Path | None = None, **more: Any
) -> dict[str, Any]:
    """What the process of a module makes of a job; `more` is asked of it as well, `file` what it is to read.

    The job lies in the run folder while the process lives, for it holds train rows, which a killed run must
    not leave in a shared place.
    """
    base = bound.folder.student
    base.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_JOB, dir=base))
    try:
        request = {
            "task": task_facts(bound),
            "job": str(write_job(job, folder)),
            "served": served_request(bound),
            **more,
        }
        process = start_sealed(module, request)
        try:
            result: dict[str, Any] = answer_of(process, file or folder)
        finally:
            end_child(process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return result


def remove_left_jobs(bound: BoundRecipe) -> None:
    """Remove the jobs of processes that were killed; for whoever holds the run's lock, as all do that have
    jobs."""
    for folder in bound.folder.student.glob(f"{_JOB}*"):
        shutil.rmtree(folder, ignore_errors=True)


class Trainer:
    """Has a recipe's student learn from arms and answer the dev rows.

    `keep`: what a student keeps of an arm in a folder stays there, for an evaluation.
    """

    def __init__(self, bound: BoundRecipe, entry: StudentEntry, dev: Sequence[Row], tell: Tell) -> None:
        self._bound, self._entry, self._dev, self._tell = bound, entry, tuple(dev), tell
        self._student = student_plugin(entry)
        self._keys = Keys(bound, entry, dev)
        self._answers = bound.folder.student / "answers"

    def named(self, arms: Iterable[Arm]) -> list[Arm]:
        return [self._keys.name(arm) for arm in arms]

    def answers(self, arms: Sequence[Arm], *, keep: bool = False) -> list[Answered]:
        """What is said of each arm, in order. Raises SeedbedError where the process fails."""
        arms = self.named(arms)
        found = {
            arm.key: known
            for arm in arms
            if (known := self._known(arm)) is not None and (not keep or self._is_kept(arm))
        }
        missing = list({arm.key: arm for arm in arms if arm.key not in found}.values())
        # A slow student is asked for one arm at a time, so that a stop loses one arm's work at the most.
        size = 1 if self._student.slow else _ASKED
        for start in range(0, len(missing), size):
            for answered in self._ask(missing[start : start + size]):
                found[answered.arm.key] = answered
                self._write(answered)
                if not keep and not answered.problem:
                    shutil.rmtree(self._bound.folder.trained / answered.arm.key, ignore_errors=True)
        return [replace(found[arm.key], arm=arm) for arm in arms]

    def _is_kept(self, arm: Arm) -> bool:
        """Whether an evaluation need not have an arm learnt again; what is learnt in moments it may."""
        if arm.role or not (self._student.slow and self._student.answers):
            return True
        return Attempt(self._bound.folder.trained / arm.key).earlier() is not None

    def _known(self, arm: Arm) -> Answered | None:
        path = self._answers / f"{arm.key}.json"
        if not path.is_file():
            return None
        value = read_json(path)
        answers = None if value["answers"] is None else tuple(value["answers"])
        return Answered(arm, answers, tuple(value["notes"]), dict(value["reported"]), "")

    def _write(self, answered: Answered) -> None:
        # What a student could not learn from is tried again: a trainer that failed may be mended. So is what
        # was not all answered, as an endpoint that had no room may have some.
        if answered.problem or answered.unanswered:
            return
        self._answers.mkdir(parents=True, exist_ok=True)
        write_json(
            self._answers / f"{answered.arm.key}.json",
            {
                "answers": answered.answers,
                "notes": answered.notes,
                # A list, for the first is the figure that decides.
                "reported": list(answered.reported.items()),
            },
        )

    def _ask(self, arms: Sequence[Arm]) -> list[Answered]:
        job = job_of(self._bound, self._entry, arms, dev=self._dev)
        result = done_apart(self._bound, "seedbed.run.trainer_process", job)
        return [
            Answered(
                arm,
                None if said["answers"] is None else tuple(said["answers"]),
                tuple(said["notes"]),
                said["reported"],
                said["problem"],
                said["unanswered"],
            )
            for arm, said in zip(arms, result["arms"], strict=True)
        ]
