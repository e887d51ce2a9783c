"""`seedbed train` and `seedbed evaluate`: a recipe's student on dev rows, and on the locked eval."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from seedbed.core.errors import InputError, Problem
from seedbed.recipe import StudentEntry, roles_of_student
from seedbed.run.binding import BoundRecipe
from seedbed.run.loop import run_in_loop
from seedbed.run.manifest import Manifest
from seedbed.run.mixing import examined_on_dev, reported_by, student_on_dev
from seedbed.run.proof import prove
from seedbed.run.student_facts import described, student_facts, student_plugin
from seedbed.run.training import Answered, Trainer, arms_of, material_of
from seedbed.run.weak_spots import weak_spots
from seedbed.run.win_rate import judge_arms
from seedbed.store.atomic import write_json
from seedbed.student.arms import MIX, REAL_ONLY, Arm
from seedbed.student.evaluate import compared
from seedbed.student.examine import MATERIAL, Examined
from seedbed.student.problems import told_once
from seedbed.student.protocol import StudentError

Tell = Callable[[str], None]

# Characters of an answer that is none of the labels.
_SHOWN = 40


def train(bound: BoundRecipe, tell: Tell) -> dict[str, Any]:
    """Have the student learn from the three arms, and score it on dev; the eval stays closed.

    What it learnt is kept for `evaluate`. The result is plain JSON, kept in the run's `student/dev.json`.
    Raises StudentError where no arm can be learnt from.
    """
    result, _ = _train(bound, tell)
    return result


def train_and_judge(bound: BoundRecipe, tell: Tell) -> dict[str, Any]:
    """`train`, and how often the judge likes an arm's answers to the dev rows better than another's.

    The result has `win_rates` as well, by pair of arms. Raises InputError where nobody judges or the student
    cannot be asked, EndpointError, BudgetReached; the same call goes on from there.
    """
    if bound.task.label_field is not None:
        message = "labels are right or wrong: --judge is for tasks whose answers are texts"
        raise InputError([bound.loaded.problem(("task",), message)])
    result, examined = _train(bound, tell)
    if examined is None or len(examined.answers) < 2:
        message = "a judge compares what two arms say, and of this student there are no two that can be asked"
        raise InputError([bound.loaded.problem(("student",), message)])
    pairs = [(each["arm"], each["against"]) for each in result["differences"]]
    # Not before: a loop would hold an interrupt back until the training is over.
    result["win_rates"] = run_in_loop(judge_arms(bound, examined.rows, examined.answers, pairs, tell))
    write_json(bound.folder.student / "dev.json", result)
    return result


def _train(bound: BoundRecipe, tell: Tell) -> tuple[dict[str, Any], Examined | None]:
    """See `train`; also the dev rows as they were examined, None of a student that cannot be asked."""
    entry = student_on_dev(bound, "train")
    material = material_of(bound)
    found = Trainer(bound, entry, material.dev, tell).answers(arms_of(bound, material), keep=True)
    problems = {answered.arm.name: answered.problem for answered in found if answered.problem}
    if len(problems) == len(found):
        raise StudentError([Problem(each, str(bound.folder.student)) for each in told_once(problems)])
    student = student_plugin(entry)
    examined = examined_on_dev(bound, material, found) if student.answers else None
    asked = list(examined.answers) if examined is not None else []
    # Of the mix, which is what would be trained; of what is served, of the first.
    weakest = MIX if MIX in asked else next(iter(asked), "")
    weak = weak_spots(bound, material, examined, weakest) if examined is not None and weakest else []
    result = {
        "student": described(entry),
        "dev_rows": len(material.dev),
        "material": MATERIAL,
        "arms": [_arm(answered, examined) for answered in found],
        "weaknesses": {"arm": weakest, "slices": [each.to_json() for each in weak]} if weakest else None,
        **(
            _scored(examined, [each.arm for each in found])
            if examined is not None
            else _reported(entry, found)
        ),
    }
    bound.folder.student.mkdir(parents=True, exist_ok=True)
    write_json(bound.folder.student / "dev.json", result)
    return result, examined


def _arm(answered: Answered, examined: Examined | None) -> dict[str, Any]:
    arm = answered.arm
    learnt = examined is not None and arm.name in examined.answers
    return {
        **arm.to_json(),
        "key": arm.key,
        "problem": answered.problem,
        "notes": [*answered.notes, *(_of_strangers(arm.name, examined) if learnt else ())],
        "reported": dict(answered.reported),
        "scores": examined.scores(arm.name) if examined is not None and learnt else None,
        "retention": _retention(arm.name, examined) if examined is not None and learnt else None,
        "per_class": examined.per_class(arm.name) if examined is not None and learnt else {},
    }


def _of_strangers(arm: str, examined: Examined | None) -> list[str]:
    """That it says what nobody asked for, which is most likely the fault of its program."""
    if examined is None or not (strangers := examined.strangers(arm)):
        return []
    told = f"{len(strangers):,} of {len(examined.rows):,} answers are none of the labels"
    return [f"{told}, such as {strangers[0][:_SHOWN]!r}"]


def _retention(arm: str, examined: Examined) -> dict[str, Any] | None:
    found = examined.ratio(arm, REAL_ONLY) if REAL_ONLY in examined.answers else None
    return None if found is None else found.to_json()


def _scored(examined: Examined, arms: Sequence[Arm]) -> dict[str, Any]:
    return {
        "metric": examined.metric,
        "metrics": list(examined.metrics),
        "differences": [
            examined.difference(arm, against)
            for arm, against in compared(arms)
            if {arm, against} <= examined.answers.keys()
        ],
    }


def _reported(entry: StudentEntry, found: Sequence[Answered]) -> dict[str, Any]:
    """Of a student that cannot be asked: the figures of its trainer, without intervals."""
    metric, scores = reported_by(entry, found)
    figures = next(answered.reported for answered in found if not answered.problem)
    return {
        "metric": metric,
        "metrics": list(figures),
        "differences": [],
        "reported": scores,
    }


async def evaluate(bound: BoundRecipe, tell: Tell) -> dict[str, Any]:
    """Open the eval once and score every arm on it; what was learnt before is not learnt again.

    Where neither arms, student nor eval changed since, it is the earlier result and the eval stays closed.
    Raises InputError where there is nothing to evaluate with.
    """
    problems = []
    if bound.recipe.student is None:
        message = "evaluate needs a student: add student: classifier, or another one"
        problems.append(bound.loaded.problem(("student",), message))
    elif not student_plugin(bound.recipe.student).answers:
        message = (
            f"the student {bound.recipe.student.name} cannot be asked, so that nothing is to be had on the "
            "eval; give it predict:"
        )
        problems.append(bound.loaded.problem(("student",), message))
    if bound.eval_spec is None:
        message = "evaluate needs a locked eval: a source with lock: true, or split: {eval: 0.3}"
        problems.append(bound.loaded.problem(("sources",), message))
    elif not bound.folder.eval_lock.is_file():
        problems.append(
            Problem(
                f"the run was made without this eval; `seedbed run {bound.loaded.folder}` locks it first",
                str(bound.folder.path),
            )
        )
    if not bound.train and not roles_of_student(bound.recipe.student):
        message = "evaluate needs real rows to compare with"
        problems.append(bound.loaded.problem(("sources",), message))
    if problems:
        raise InputError(problems)
    result = await prove(bound, tell, by=f"seedbed evaluate {bound.recipe.name}", slow=True)
    assert result is not None
    manifest = Manifest.read(bound.folder)
    manifest.set_proof_of_earlier(False)
    manifest.set_decided_by(student_facts(bound))
    return result
