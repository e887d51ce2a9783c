"""Rounds in motion: cells are asked, drafts filtered as they arrive, rounds closed in order.

Two rounds may be open. Round k+1 is planned when round k-1 closes, from what was measured up to
k-1, so that the endpoint need not idle while a round closes and the plan still never depends on
the order in which replies come.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial as partial_of
from pathlib import Path
from typing import Any

from seedbed.core.background import give_way
from seedbed.core.cell import Cell
from seedbed.core.errors import BudgetReached, EndpointError, NoAnswer, SeedbedError
from seedbed.core.fate import Stopped
from seedbed.core.protocols import Method
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.run.asking import AskingSpace, CellAsking
from seedbed.run.closer import Closer
from seedbed.run.closing import CellResult, OpenRound
from seedbed.run.filtering import Checked, FilterPool
from seedbed.run.judging import Judging
from seedbed.run.planner import PlanSpace, Sequences, Yields, cells_of_round, first_round_size
from seedbed.run.progress import Progress
from seedbed.run.quotas import Quotas
from seedbed.run.replaying import NotLogged
from seedbed.store.rounds import CommittedRound, Rounds

# Cells whose drafts may wait for their verdicts before no further cell is asked.
MOST_WAITING_CELLS = 1024
# Cells that are planned before whatever has come back meanwhile is looked at.
CELLS_AT_ONCE = 32


class Pipeline:
    """Generates until the quotas are met, the budget is spent, variety is exhausted, or it is stopped."""

    def __init__(
        self,
        *,
        space: PlanSpace,
        asking: AskingSpace,
        methods: Mapping[str, Method],
        pool: FilterPool,
        rounds: Rounds,
        quotas: Quotas,
        real_keys: Sequence[Path],
        kin: Mapping[str, Record],
        round_cells: int,
        width: Callable[[], int],
        most: int,
        progress: Progress,
        opens: Callable[[Sequence[Cell]], None],
        room: Callable[[], BudgetReached | None] = lambda: None,
        judging: Judging | None = None,
        grow: bool = True,
    ) -> None:
        """As many cells may be at work as `width` says, which is asked again and again; at the most `most`.

        `opens` is told the cells of each round that is opened, before the first of them is asked.

        `room` is asked whenever a round was committed whether there is room on disk for another.
        `grow=False` goes through the plans on disk alone, asks no model filter anything, and leaves
        open what the log cannot answer.
        """
        self._space = space
        self._asking = asking
        self._methods = methods
        self._pool = pool
        self._rounds = rounds
        self._quotas = quotas
        self._closer = Closer(rounds, pool.filters, real_keys, kin)
        self._round_cells = round_cells
        self._width = width  # it follows the level that the endpoint can carry
        self._most = most
        self._workers = 0
        self._in_filters = 0
        self._broken: BaseException | None = None
        self._judging = judging
        self._grow = grow
        self.progress = progress
        self._opens = opens
        self._room = room
        self.unasked: dict[int, int] = {}
        self._left_open = False
        self._saved: list[int] = []
        self._open: list[OpenRound] = []
        self._closed: list[CommittedRound] = []
        self._mended = 0
        self._sequences = Sequences(space)
        self._stopping: Stopped | None = None
        self._error: EndpointError | BudgetReached | None = None
        self._changed = asyncio.Event()

    def stop(self, reason: Stopped) -> None:
        """Start no further cell; what is in flight is awaited and kept."""
        if self._stopping is None:
            self._stopping = reason
            self._closer.hurry()
        self._wake()

    async def run(self) -> tuple[Stopped, EndpointError | BudgetReached | None]:
        """Go on from what is on disk until there is nothing left to do; says why it stopped.

        With `endpoint` comes the error to show. What is open then is left as a partial view.
        """
        self._restore()
        await self._look_for_room()
        await self._advance()
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._close_in_order())
                self._hire(group)
        except BaseExceptionGroup as errors:
            # The first failure cancelled the rest: it is what the user has to hear of.
            raise _first(errors) from errors
        while self._open and self._open[0].seen and await self._close(self._open[0]):
            pass
        if self._stopping is None or self._quotas.missing <= 0:
            return self._outcome(), self._error
        for entry in self._open:
            if entry.results and (done := await self._commit(entry, partial=True)) is not None:
                self._quotas, committed = done
                self._show(committed.measures)
        return self._stopping, self._error

    def _restore(self) -> None:
        self._closed = self._rounds.committed(partial=False)
        self._mended = len(self._closed)
        self._rounds.discard_partial()
        for entry in self._closed:
            measures = entry.measures
            if measures["cells"]["planned"]:
                self._sequences.note(self._rounds.read_plan(entry.number))
            self._show(measures)
        self._saved = self._rounds.open_numbers({entry.number for entry in self._closed})

    def _open_saved(self, number: int) -> None:
        """Take up a plan that is on disk; cells that failed before and are not reopened stay failed."""
        cells = self._rounds.read_open_plan(number)
        self._sequences.note(cells)
        self._opens(cells)
        entry = self._open_round(number, cells)
        for position, cause in self._rounds.failed_before(number).items():
            entry.results[position] = CellResult(cells[position], cause=cause)

    def _settle_plan(self, number: int, cells: Sequence[Cell]) -> None:
        self._rounds.write_plan(number, cells)
        give_way()
        self._sequences.note(cells)
        give_way()
        self._opens(cells)

    def _open_round(self, number: int, cells: list[Cell]) -> OpenRound:
        if self._stopping is None:
            self._closer.take_time()
        self._open.append(OpenRound(number, cells))
        return self._open[-1]

    def _show(self, measures: Mapping[str, Any]) -> None:
        progress = self.progress
        progress.accepted += measures["accepted"]
        for reason, count in measures["rejected"].items():
            progress.rejected[reason] = progress.rejected.get(reason, 0) + count
        progress.rounds += 1

    async def _advance(self) -> None:
        """Plan until two rounds are open or there is nothing to plan; each plan is on disk first."""
        # Also while stopping: the plan must be the one that an undisturbed run makes at this point.
        while len(self._open) < 2:
            if self._saved:
                self._open_saved(self._saved.pop(0))
                continue
            if not self._grow:
                return
            measured = [entry.measures for entry in self._closed]
            known = any(measures["cells"]["planned"] for measures in measured)
            target = self._quotas.target
            most = self._round_cells if known else first_round_size(target, self._round_cells)
            in_flight = [cell for entry in self._open for cell in entry.cells]
            yields = Yields(measured, self._mended)
            cells: list[Cell] = []
            for cell in cells_of_round(self._sequences, self._quotas, yields, in_flight, most):
                cells.append(cell)
                if len(cells) % CELLS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            if not cells:
                return
            latest = max([0, *(e.number for e in self._closed), *(e.number for e in self._open)])
            await self._closer.do(partial_of(self._settle_plan, latest + 1, cells))
            self._open_round(latest + 1, cells)

    async def _next(self) -> tuple[OpenRound, int] | None:
        while True:
            if self._stopping is not None:
                return None
            for entry in self._open:
                while entry.started < len(entry.cells):
                    entry.started += 1
                    if entry.started - 1 not in entry.results:
                        return entry, entry.started - 1
            if not self._open:
                return None
            self._closer.hurry()  # until the next round is open there is nothing to ask
            await self._changed.wait()

    def _wake(self) -> None:
        self._changed.set()
        self._changed = asyncio.Event()

    def _hire(self, group: asyncio.TaskGroup) -> None:
        """Keep as many cells at work as there may be. Workers beyond that just wait for the endpoint."""
        if self._workers == self._most:
            return
        for _ in range(self._width() - self._workers):
            self._workers += 1
            group.create_task(self._work(group))

    async def _work(self, group: asyncio.TaskGroup) -> None:
        while (found := await self._next()) is not None:
            self._hire(group)
            entry, position = found
            cell = entry.cells[position]
            asking = CellAsking(cell, self._asking)
            try:
                drafts = await self._methods[cell.method](cell, asking)
            except NoAnswer as error:
                self.progress.failed += 1
                self._finish(entry, position, CellResult(cell, cause=error.cause))
            except NotLogged:
                entry.unasked += 1
                self._wake()
            except (BudgetReached, EndpointError) as error:
                self._fail(error)
            else:
                # Verdicts are taken up elsewhere: this place asks the next question meanwhile.
                while self._in_filters >= MOST_WAITING_CELLS:
                    await self._changed.wait()
                records = [asking.record(draft, index) for index, draft in enumerate(drafts)]
                self._in_filters += 1
                checking = self._pool.check(records)
                # A task that waits would take as long, for each cell, as all that is done with verdicts.
                checking.add_done_callback(partial_of(self._take_up, entry, position, records))
        while self._in_filters and self._broken is None:
            await self._changed.wait()
        self._raise_broken()

    def _fail(self, error: BudgetReached | EndpointError) -> None:
        self._error = self._error or error
        self.stop("budget" if isinstance(error, BudgetReached) else "endpoint")

    def _take_up(
        self,
        entry: OpenRound,
        position: int,
        records: Sequence[Record],
        checking: asyncio.Future[list[Checked]],
    ) -> None:
        """What the filters said of a cell's drafts. What the run does not outlast is kept, to be raised."""
        self._in_filters -= 1
        has_room = self._in_filters == MOST_WAITING_CELLS - 1
        if has_room or (not self._in_filters and self._stopping is not None):
            self._wake()
        if checking.cancelled():
            return
        cell, error = entry.cells[position], checking.exception()
        if error is None:
            self._finish(
                entry, position, CellResult(cell, list(zip(records, checking.result(), strict=True)))
            )
        elif self._grow and isinstance(error, NoAnswer):
            self.progress.failed += 1
            self._finish(entry, position, CellResult(cell, cause=error.cause))
        elif self._grow and isinstance(error, BudgetReached | EndpointError):
            self._fail(error)
        else:
            self._broken = self._broken or error
            self._wake()

    def _raise_broken(self) -> None:
        if self._broken is not None:
            raise self._broken

    def _finish(self, entry: OpenRound, position: int, result: CellResult) -> None:
        entry.results[position] = result
        self.progress.cells += 1
        self.progress.checked(result.drafts)
        if entry.seen:
            self._wake()

    async def _close_in_order(self) -> None:
        """Close the first open round whenever it is complete; a closing plans the round after next."""
        while self._open and self._stopping is None:
            self._raise_broken()
            if self._open[0].seen:
                await self._close(self._open[0])
            else:
                await self._changed.wait()

    async def _close(self, entry: OpenRound) -> bool:
        """Whether the round could be closed: a stop may leave some of its drafts unjudged.

        Where nobody may be asked, a round that the log cannot complete stays open with a partial view,
        and so do those behind it.
        """
        whole = entry.complete and not self._left_open
        done = await self._commit(entry, partial=False) if whole else None
        if done is not None:
            self._quotas, committed = done
            self._closed.append(committed)
            for result in entry.results.values():
                self.progress.checked(result.drafts, -1)
            self._show(committed.measures)
        elif self._grow:
            return False
        else:
            self._left_open = True
            if entry.unasked:
                self.unasked[entry.number] = entry.unasked
            if entry.results and (done := await self._commit(entry, partial=True)) is not None:
                self._quotas, _ = done
        self._open.remove(entry)
        await self._look_for_room()
        await self._advance()
        self._wake()
        return True

    async def _look_for_room(self) -> None:
        full = await self._closer.do(self._room)
        if full is not None:
            self._error = self._error or full
            self.stop("budget")

    async def _commit(self, entry: OpenRound, *, partial: bool) -> tuple[Quotas, CommittedRound] | None:
        results: Mapping[int, CellResult] = entry.results
        kin: Mapping[str, Sequence[Verdict]] | None = None
        if self._judging is not None:
            look = partial_of(self._closer.kin, partial=partial)
            results, kin = await self._judging.judge_round(
                results, look, lambda: self._stopping is not None or not self._grow, self._fail
            )
            if len(results) < len(entry.results) and not partial:
                return None
            if not self._grow and not partial:
                self._judging.count_replayed()
        return await self._closer.close(
            entry.number,
            entry.cells,
            results,
            quotas=self._quotas,
            cover=self._space.cover,
            partial=partial,
            kin=kin,
        )

    def _outcome(self) -> Stopped:
        if self._quotas.missing <= 0:
            return "target"
        yields = Yields([entry.measures for entry in self._closed], self._mended)
        # Cells of methods that find the label have no cover values: these failed all alike.
        short = [
            (name, value)
            for name in (self._space.cover if self._space.guided else ())
            for value, missing in self._quotas.deficit(name).items()
            if missing
        ] or [("", "")]
        failed = sum(yields.mostly_failed(name, value) for name, value in short)
        return "cells" if failed * 2 >= len(short) else "variety"


def _first(errors: BaseExceptionGroup[BaseException]) -> BaseException:
    """The first error of a group that was raised for the user, else the first of all."""
    leaves = [_first(e) if isinstance(e, BaseExceptionGroup) else e for e in errors.exceptions]
    return next((error for error in leaves if isinstance(error, SeedbedError)), leaves[0])
