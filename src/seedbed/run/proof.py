"""The proof: a student learns from three arms and is scored on the locked eval, opened once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from typing import Any

from seedbed.core.child_process import end_child
from seedbed.core.hashing import short_id
from seedbed.core.record import Record
from seedbed.recipe import Mix
from seedbed.run.binding import BoundRecipe
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.sources.sealed import answer_of, start_sealed
from seedbed.store.atomic import read_json, write_json
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import Rounds
from seedbed.student.arms import Row, build_arms
from seedbed.student.job import Job, write_job


async def prove(bound: BoundRecipe, note: Callable[[str], None]) -> dict[str, Any] | None:
    """Score the arms, or return the earlier result where neither arms, student nor eval changed.

    None where the recipe names no student, or has no real rows or no eval to prove it on; `note`
    is told why. The opening is on record before the eval is opened.
    """
    recipe = bound.recipe
    if recipe.student is None:
        return None
    if bound.eval_spec is None:
        note(
            "no proof: the recipe locks no eval; add a source with `lock: true` or a split with an eval share"
        )
        return None
    if not bound.train:
        note("no proof: without real rows there is nothing to compare the synthetic rows with")
        return None
    job = await asyncio.to_thread(_job, bound)
    lock = EvalLockFile.read(bound.folder.eval_lock)
    arms = [[arm.name, [row.id for row in arm.rows]] for arm in job.arms]
    key = short_id("proof", [arms, job.student, dict(job.options), lock.sha256, job.seed])
    path = bound.folder.proof
    if path.is_file() and (known := read_json(path)).get("key") == key:
        result: dict[str, Any] = known
        return result
    lock.record_opening("evaluate", f"seedbed run {recipe.name}")
    result = {"key": key, **await asyncio.to_thread(_score, bound, job, lock.sha256)}
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, result)
    return result


def _job(bound: BoundRecipe) -> Job:
    recipe = bound.recipe
    assert recipe.student is not None
    mix = recipe.mix or Mix()
    ledger = Ledger(Rounds(bound.folder.rounds))
    synthetic = [_row(bound, record) for record in ledger.accepted()]
    arms = build_arms(
        [_row(bound, record) for record in bound.train],
        synthetic,
        mix=mix.synthetic,
        size=mix.size,
        seed=recipe.generate.seed,
    )
    return Job(
        arms=tuple(arms),
        student=recipe.student.name,
        options=recipe.student.options.model_dump(mode="json"),
        dev=tuple(_row(bound, record) for record in bound.dev),
        seed=recipe.generate.seed,
    )


def _row(bound: BoundRecipe, record: Record) -> Row:
    text = "\n".join(record.fields[name] for name in bound.task.text_fields)
    return Row(record.id, text, bound.task.label(record.fields) or "")


def _score(bound: BoundRecipe, job: Job, sha256: str) -> dict[str, Any]:
    spec = bound.eval_spec
    assert spec is not None
    assert bound.task.label_field is not None
    # In the run folder: it holds train rows, which a killed run must not leave in a shared place.
    folder = bound.folder.path / "student" / "job"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    request = {
        "spec": spec.to_json(),
        "sha256": sha256,
        "text_columns": [spec.column(name) for name in bound.task.text_fields],
        "label_column": spec.column(bound.task.label_field),
        "job": str(write_job(job, folder)),
    }
    process = start_sealed("seedbed.run.evaluator_process", request)
    try:
        result: dict[str, Any] = answer_of(process, spec.path)
    finally:
        end_child(process)
        shutil.rmtree(folder)
    return result
