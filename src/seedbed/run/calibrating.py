"""A judge compared with people: it answers about what they labelled, as it would in a run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seedbed.core.errors import BudgetReached, EndpointError, InputError, Problem
from seedbed.core.verdict import Verdict
from seedbed.filters.scoring import HIGHEST, LOWEST, ScoringFilter
from seedbed.recipe import LoadedRecipe
from seedbed.review.calibration import Calibration, Comparison
from seedbed.run.assembling import judging_of
from seedbed.run.binding import BoundRecipe
from seedbed.run.calibrations import identity_of
from seedbed.run.session import Note, open_to_ask
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.leaks import Kind, check_before_run, leak_error
from seedbed.sources.people import SOURCE, Labelled
from seedbed.store.atomic import write_json

FILE = "judge.calibration.json"


def place_of_calibration(loaded: LoadedRecipe) -> Path:
    """The file that a filter of the recipe names, or the usual one beside the recipe."""
    named = (getattr(entry.options, "calibration", None) for entry in loaded.recipe.filters)
    return loaded.resolve(next((path for path in named if path is not None), FILE))


@dataclass(frozen=True, slots=True)
class Calibrated:
    """`file` holds the calibration; `least` is the `min` that the recipe says, or the usual one."""

    calibration: Calibration
    file: Path
    least: int

    @property
    def in_force(self) -> Comparison:
        return self.calibration.at(self.least)

    def to_json(self) -> dict[str, Any]:
        """The comparison for each `min` there may be, and for the one in force by itself."""
        every = [self.calibration.at(least).to_json() for least in range(LOWEST + 1, HIGHEST + 1)]
        judge = dict(self.calibration.judge)
        return {"judge": judge, "file": str(self.file), **self.in_force.to_json(), "by_min": every}


async def calibrate(
    bound: BoundRecipe, labelled: Sequence[Labelled], labels: Path, out: Path, note: Note
) -> Calibrated:
    """Ask the recipe's judge about each record, from the reply log first, and write `out`.

    Raises InputError where the recipe has no judge, ContaminationError where a labelled record is one of the
    locked eval, and what stopped it where not all were answered: the same command then goes on.
    """
    judge = _judge_of(bound)
    alone: Any = (judge,)
    async with open_to_ask(bound, note, f"seedbed calibrate {bound.recipe.name}", with_axes=False) as opened:
        if opened.server is not None:
            _refuse_eval_rows(bound, opened.server, labelled, labels)
        judging = judging_of(replace(opened, bound=replace(bound, model_filters=alone)))
        assert judging is not None, "there is one model filter"
        stopped: list[BudgetReached | EndpointError] = []
        records = [each.record for each in labelled]
        verdicts = await judging.judge(records, lambda: bool(stopped), stopped.append)
        await opened.log.flush()
    if stopped:
        raise stopped[0]
    said = [(each.said, _score(verdicts[each.record.id][0])) for each in labelled]
    identity = identity_of(bound.loaded, judge, bound.task_variables, bound.labels)
    calibration = Calibration.of(identity, said)
    write_json(out, calibration.to_json())
    return Calibrated(calibration, out, judge.good_from)


def _judge_of(bound: BoundRecipe) -> ScoringFilter:
    filters: tuple[Any, ...] = bound.model_filters
    for each in filters:
        if isinstance(each, ScoringFilter):
            return each
    message = "has no judge to compare with people; add the filter judge, and the role judge that answers it"
    raise InputError([Problem(message, str(bound.loaded.path), key="filters")])


def _refuse_eval_rows(
    bound: BoundRecipe, server: EvalLockServer, labelled: Sequence[Labelled], labels: Path
) -> None:
    """No text of the locked eval stands in a prompt, the judge's among them."""
    texts: list[tuple[Kind, str, str]] = [
        ("seed", SOURCE, bound.compared_text(each.record)) for each in labelled
    ]
    if leaks := check_before_run(server.client, texts):
        raise leak_error(leaks, eval_path=server.info.path, files={SOURCE: str(labels)})


def _score(verdict: Verdict) -> int | None:
    return int(verdict.score) if verdict.score is not None else None
