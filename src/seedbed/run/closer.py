"""The thread in which plans are written and rounds are closed, while answers go on coming."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial as partial_of
from pathlib import Path
from typing import TypeVar

from seedbed.core.background import Background
from seedbed.core.cell import Cell
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.run.closing import CellResult, close_round, kin_verdicts
from seedbed.run.corpus import Member
from seedbed.run.filtering import FilterSet
from seedbed.run.quotas import Quotas
from seedbed.store.rounds import CommittedRound, Rounds

T = TypeVar("T")


class Closer:
    """Works in the background; one thread, so that its memory is used again and again.

    `real` are the real rows that rounds are compared with, by id, and `real_keys` their key shards.
    """

    def __init__(
        self, rounds: Rounds, filters: FilterSet, real_keys: Sequence[Path], real: Mapping[str, Record]
    ) -> None:
        self._rounds = rounds
        self._filters = filters
        self._real_keys = list(real_keys)
        self._real = real
        self._background = Background()
        self._thread = ThreadPoolExecutor(1, "close-round", initializer=self._background.enter)

    def hurry(self) -> None:
        """Until `take_time` the event loop has nothing to ask."""
        self._background.hurry()

    def take_time(self) -> None:
        self._background.take_time()

    async def do(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def close(
        self,
        number: int,
        cells: Sequence[Cell],
        results: Mapping[int, CellResult],
        *,
        quotas: Quotas,
        cover: Sequence[str],
        partial: bool,
        kin: Mapping[str, Sequence[Verdict]] | None,
    ) -> tuple[Quotas, CommittedRound]:
        """See `close_round`; the quotas given stay as they are."""
        return await self.do(
            partial_of(
                close_round,
                number,
                cells,
                results,
                rounds=self._rounds,
                filters=self._filters,
                quotas=quotas.copy(),
                cover=cover,
                real_keys=self._real_keys,
                real=self._real,
                partial=partial,
                kin=kin,
            )
        )

    async def kin(self, members: Sequence[Member], *, partial: bool) -> Mapping[str, Sequence[Verdict]]:
        """See `kin_verdicts`."""
        return await self.do(
            partial_of(
                kin_verdicts,
                members,
                rounds=self._rounds,
                filters=self._filters,
                real_keys=self._real_keys,
                real=self._real,
                partial=partial,
            )
        )
