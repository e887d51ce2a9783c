"""The pipeline of an open session, over its own rounds or over those that shall follow them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.run.asking import AskingSpace, scope_of
from seedbed.run.beginning import asked_again, refuse_lost
from seedbed.run.content_asking import content_space
from seedbed.run.filtering import FilterPool
from seedbed.run.judging import Judging
from seedbed.run.judging_again import judge_again
from seedbed.run.pipeline import Pipeline
from seedbed.run.progress import Progress
from seedbed.run.quotas import Quotas
from seedbed.run.replaying import LoggedOnly
from seedbed.run.spending import room_left
from seedbed.store.asked import AskedContents
from seedbed.store.rounds import Rounds
from seedbed.store.successor import Successor

if TYPE_CHECKING:
    from seedbed.run.session import Opened, Session

Note = Callable[[str], None]


def judging_of(session: Opened) -> Judging | None:
    """The model filters of the recipe with what they ask through, if there are any."""
    bound = session.bound
    if not bound.model_filters:
        return None
    space = content_space(bound.task_variables, bound.labels, bound.task.fields, session.teachers.roles)
    width = max(session.teachers.most(each.role) for each in bound.model_filters)
    folder = bound.folder.asked_contents(rehearsal=bound.rehearsal)
    asked = {each.name: AskedContents(folder / f"{each.name}.bin") for each in bound.model_filters}
    stats = {name: executor.stats for name, executor in session.teachers.executors.items()}
    return Judging(bound.model_filters, space, session.log, asked, width, stats)


def pipeline_of(
    session: Session,
    pool: FilterPool,
    keys: Sequence[Path],
    quotas: Quotas,
    progress: Progress,
    *,
    rounds: Rounds | None = None,
    asking: AskingSpace | None = None,
    grow: bool = True,
) -> Pipeline:
    """The pipeline of a session, by default over its own rounds and endpoints."""
    bound, asker = session.bound, session.bound.recipe.asker
    return Pipeline(
        space=bound.space,
        asking=asking or session.asking,
        methods=bound.methods,
        pool=pool,
        rounds=rounds or session.rounds,
        quotas=quotas,
        real_keys=keys,
        kin={row.id: row for row in (*bound.train, *bound.dev)},
        round_cells=bound.recipe.generate.round,
        width=partial(session.teachers.width, bound.asked_roles),
        most=max(map(session.teachers.most, bound.asked_roles)),
        progress=progress,
        opens=lambda cells: session.log.look_ahead(scope_of(asker, cell.id) for cell in cells),
        room=room_left(bound.recipe, bound.folder, session.log.path) if grow else lambda: None,
        judging=judging_of(session),
        grow=grow,
    )


async def new_verdicts(
    session: Session,
    pool: FilterPool,
    keys: Sequence[Path],
    progress: Progress,
    successor: Successor,
) -> int:
    """Make the session's rounds again in `successor`; returns how many cells the log cannot replay."""

    def make(rounds: Rounds, asking: AskingSpace) -> Pipeline:
        quotas = session.bound.quotas.copy()
        return pipeline_of(session, pool, keys, quotas, progress, rounds=rounds, asking=asking, grow=False)

    # Open plans were made for the target they were made for: another one plans anew.
    same_target = session.manifest.quotas == session.wanted
    executors = session.teachers.executors
    roles = {
        name: replace(role, executor=LoggedOnly(session.log, executors[name].stats))
        for name, role in session.asking.roles.items()
    }
    asking = replace(session.asking, roles=roles)
    return await judge_again(session.rounds, successor.rounds, asking, make, open_plans=same_target)


async def judge_first(
    session: Session,
    pool: FilterPool,
    keys: Sequence[Path],
    note: Note,
    *,
    allow_reask: bool,
) -> None:
    """Changed filters: new verdicts on what is logged, before anything is asked. Raises WouldAskAgain."""
    successor = Successor(session.folder)
    progress = Progress(session.bound.quotas.target)
    lost = await new_verdicts(session, pool, keys, progress, successor)
    if lost and not allow_reask:
        successor.discard()
        await refuse_lost(session, lost)
    if lost:
        note(asked_again(lost))
    # Rounds that are still open are gone through once more, by the pipeline that may ask.
    counted = {
        scope_of(session.bound.recipe.asker, cell.id)
        for cells in successor.rounds.open_plans().values()
        for cell in cells
    }
    for role in session.bound.asked_roles:
        session.teachers.executors[role].counted = counted
    session.take_over(successor, accepted_changed=True)
