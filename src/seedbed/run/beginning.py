"""What a run makes sure of before it begins: what changed, what that costs, and nothing paid twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NoReturn

from seedbed.core.cell import Cell
from seedbed.run.binding import BoundRecipe
from seedbed.run.drift import TrialFile, refuse, trial_requests
from seedbed.run.planner import plan_from_scratch
from seedbed.run.replaying import replay
from seedbed.run.versions import Change

if TYPE_CHECKING:
    from seedbed.run.session import Session

MOST_DIFFERENCES = 8
# Cells that are let replay to know what a run would ask: some 170 µs each.
MOST_REPLAYED = 10_000


async def begin(session: Session, note: Callable[[str], None], *, allow_reask: bool) -> None:
    """Say what changed, refuse what would be paid for twice, and put what is in force on disk.

    Raises WouldAskAgain, with nothing written.
    """
    bound, manifest, log = session.bound, session.manifest, session.log
    change = manifest.change
    trials = await trial_requests(bound, session.asking, bound.methods)
    if session.folder.manifest.is_file():
        if change.asks and change.declared:
            least = cells_from_scratch(bound)
            found = await replay(least, session.asking, bound.methods, log, most=MOST_REPLAYED)
            note(
                f"{_told(change)}: rounds are made again, and only what the reply log lacks is asked. Of "
                f"{found.cells:,} cells that the target needs at least, the log answers {found.answered:,}; "
                f"{found.estimate}{found.missing:,} are asked anew, with at least as many calls"
            )
        else:
            # Plans that hold are gone on with: of those only the open ones ask anything.
            plans = _planned_cells(session, closed=change.asks)
            after = manifest.value["replies_after"]
            found = await replay(plans, session.asking, bound.methods, log, after, most=MOST_REPLAYED)
            if found.asked_again and not allow_reask:
                refuse(manifest, found.asked_again, TrialFile(bound).why(trials))
            if found.asked_again:
                note(asked_again(found.asked_again))
            if change.asks:
                note(f"{_told(change)}: rounds are made again from the reply log")
            elif change:
                note(
                    f"{_told(change)}: new verdicts are passed on what is logged, without a call; only the "
                    "rest of the target is asked for"
                )
    if own := sum(row.provenance.depth > 0 for row in bound.train):
        note(
            f"{own:,} of the {len(bound.train):,} train rows are output of Seedbed: what is made from them "
            "is of the second generation, and no student learns from them as real rows"
        )
    manifest.begin(bound, session.info, log)
    TrialFile(bound).note(trials)


def asked_again(cells: int) -> str:
    """What to tell where that was allowed."""
    return f"{cells:,} cells are asked again though the log has answers (--allow-reask)"


async def refuse_lost(session: Session, cells: int) -> NoReturn:
    """Raise WouldAskAgain for done cells that the log no longer answers."""
    trials = await trial_requests(session.bound, session.asking, session.bound.methods)
    why = TrialFile(session.bound).why(trials)
    refuse(session.manifest, cells, why)


def cells_from_scratch(bound: BoundRecipe) -> list[Cell]:
    """The cells that the target needs if every draft is accepted: the least that a run asks."""
    return plan_from_scratch(bound.space, bound.quotas, most=max(1, 20 * bound.quotas.target))


def _planned_cells(session: Session, *, closed: bool) -> Iterator[Cell]:
    """Cells of the plans on disk: those of open rounds, or with `closed` all."""
    rounds = session.rounds
    for entry in rounds.committed(partial=False) if closed else ():
        yield from rounds.read_plan(entry.number)
    for cells in rounds.open_plans().values():
        yield from cells


def _told(change: Change) -> str:
    """`filters changed since the last run (…)`, with the first differences."""
    told = f"{', '.join(change.parts)} changed since the last run"
    if not change.differences:
        return told
    more = len(change.differences) - MOST_DIFFERENCES
    listed = "; ".join(change.differences[:MOST_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
    return f"{told} ({listed})"
