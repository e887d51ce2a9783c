"""The proof: a student learns from three arms and is scored on the locked eval, opened once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from seedbed.core.hashing import short_id
from seedbed.recipe import StudentEntry, roles_of_student
from seedbed.run.binding import BoundRecipe
from seedbed.run.proof_file import VERSION, read_proof
from seedbed.run.student_facts import student_plugin
from seedbed.run.training import (
    Keys,
    Material,
    arms_of,
    done_apart,
    job_of,
    material_of,
)
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.store.atomic import write_json
from seedbed.student.job import Job


async def prove(
    bound: BoundRecipe, note: Callable[[str], None], *, by: str, slow: bool = False
) -> dict[str, Any] | None:
    """Score the arms, or return the earlier result where neither arms, student nor eval changed.

    None where the recipe names no student, or has no real rows or no eval to prove it on; `note`
    is told why. So it is with a student that is `slow`, unless that is asked for, and with one that cannot be
    asked. The opening, `by` whom, is on record once students have learnt and before the eval is opened.
    """
    recipe = bound.recipe
    if recipe.student is None:
        return None
    student = student_plugin(recipe.student)
    if bound.eval_spec is None:
        note(
            "no proof: the recipe locks no eval; add a source with `lock: true` or a split with an eval share"
        )
        return None
    served = bool(roles_of_student(recipe.student))
    if not bound.train and not served:
        note("no proof: without real rows there is nothing to compare the synthetic rows with")
        return None
    if not student.answers:
        note(
            f"no proof on the eval: the student {student.name} only reports figures of its own, on dev, and "
            "cannot be asked"
        )
        return None
    material = await asyncio.to_thread(material_of, bound)
    job = _job(bound, recipe.student, material)
    lock = EvalLockFile.read(bound.folder.eval_lock)
    held = [row.id for row in job.held_out]
    key = short_id("proof", [VERSION, [[arm.name, arm.key] for arm in job.arms], held, lock.sha256])
    known = read_proof(bound.folder)
    if known is not None and known.get("key") == key:
        return known
    if student.slow and not slow:
        if known is not None and known.get("of") == key:
            return known
        how = "asks" if served else "trains"
        note(
            f"no proof yet: `seedbed evaluate {bound.loaded.folder}` {how} the student {student.name} and "
            "scores it on the locked eval; `seedbed train` shows it on dev rows first"
        )
        return None
    scored = await asyncio.to_thread(_score, bound, job, lock, by)
    # Without its key it is shown, and never taken for all that these arms can do: see `Fitted.unanswered`.
    result = {"version": VERSION, "key": None if scored["unanswered"] else key, "of": key, **scored}
    bound.folder.student.mkdir(parents=True, exist_ok=True)
    write_json(bound.folder.proof, result)
    return result


def _job(bound: BoundRecipe, entry: StudentEntry, material: Material) -> Job:
    keys = Keys(bound, entry, material.dev)
    arms = [keys.name(arm) for arm in arms_of(bound, material)]
    if roles_of_student(entry):
        # Rows that a served model need not be asked here would only cost.
        return job_of(bound, entry, arms)
    return job_of(bound, entry, arms, dev=material.dev, held_out=material.held_out)


def _score(bound: BoundRecipe, job: Job, lock: EvalLockFile, by: str) -> dict[str, Any]:
    spec = bound.eval_spec
    assert spec is not None
    module = "seedbed.run.evaluator_process"
    return done_apart(
        bound, module, job, spec.path, spec=spec.to_json(), sha256=lock.sha256, lock=str(lock.path), by=by
    )
