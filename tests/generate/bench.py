"""One method on a bench: its cells asked one by one through a real reply log, replies spoilt on demand."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, Choice, LoggedReply
from seedbed.core.errors import NoAnswer
from seedbed.core.record import Record
from seedbed.models.budget import Budget, Caps
from seedbed.run.asking import AskingSpace, CellAsking, Filling
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.planner import plan_from_scratch
from seedbed.run.rendering import asking_space
from seedbed.run.roles import bind_roles
from seedbed.run.trials import Trials
from seedbed.store.replies import ReplyLog

CONTRACT = Path(__file__).with_name("contract")
CELLS = 8

# Without filters a rehearsal plants no fault of its own; those that a method's sketches have remain.
CLEAN = ("filters=[]",)


class Killed(BaseException):
    """The end of the process, as far as a method can tell."""


Spoil = Callable[[int, LoggedReply], LoggedReply]


def as_it_is(at: int, reply: LoggedReply) -> LoggedReply:
    return reply


@dataclass
class Asked:
    """The questions of one cell, over all roles: `dies_at` is the one at which the process ends."""

    spoil: Spoil = as_it_is
    dies_at: int | None = None
    roles: list[str] = field(default_factory=list)
    requests: list[ChatRequest] = field(default_factory=list)
    replies: list[LoggedReply] = field(default_factory=list)


class Between:
    """Stands between a method and a role's executor."""

    def __init__(self, role: str, executor: Filling, asked: Asked) -> None:
        self._role, self._executor, self._asked = role, executor, asked

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        asked, at = self._asked, len(self._asked.roles)
        if at == asked.dies_at:
            raise Killed
        asked.roles.append(self._role)
        asked.requests.append(request)
        replies = [asked.spoil(at, one) for one in await self._executor.fill(request, scope, n)]
        asked.replies += replies
        return tuple(replies)


@dataclass(frozen=True)
class Done:
    """What became of a cell; `failure` is the cause where it has no draft."""

    cell: Cell
    asked: Asked
    records: Sequence[Record] = ()
    failure: str = ""


@dataclass(frozen=True)
class Bench:
    """A recipe of a method, and the reply log that its questions go to."""

    bound: BoundRecipe
    folder: Path

    @classmethod
    def of(cls, method: str, folder: Path, overrides: Sequence[str] = CLEAN) -> Bench:
        shutil.copytree(CONTRACT / method, folder, dirs_exist_ok=True)
        return cls(load_bound(folder, overrides), folder)

    @property
    def cells(self) -> list[Cell]:
        return plan_from_scratch(self.bound.space, self.bound.quotas, CELLS)

    def make(self, cells: Sequence[Cell], asked: Callable[[], Asked] = Asked) -> list[Done]:
        """The cells in turn. A cell that is killed is left without records, as `killed`."""

        async def all_of_them() -> list[Done]:
            async with self._space() as space:
                return [await self._one(cell, space, asked()) for cell in cells]

        return asyncio.run(all_of_them())

    async def _one(self, cell: Cell, space: AskingSpace, asked: Asked) -> Done:
        roles = {
            name: replace(role, executor=Between(name, role.executor, asked))
            for name, role in space.roles.items()
        }
        asking = CellAsking(cell, replace(space, roles=roles))
        try:
            drafts = await self.bound.methods[cell.method](cell, asking)
        except NoAnswer as error:
            return Done(cell, asked, failure=error.cause)
        except Killed:
            return Done(cell, asked, failure="killed")
        return Done(cell, asked, [asking.record(draft, at) for at, draft in enumerate(drafts)])

    @asynccontextmanager
    async def _space(self) -> AsyncIterator[AskingSpace]:
        with ReplyLog.open(self.folder / "log.sqlite") as log:
            teachers = bind_roles(self.bound.loaded, log, Budget(Caps()))
            runs = any(method.runs_programs() for method in self.bound.methods.values())
            trials = Trials() if runs else None
            try:
                yield asking_space(self.bound, teachers.roles, trials)
            finally:
                await teachers.close()
                if trials is not None:
                    await trials.close()

    def calls(self) -> int:
        """Requests that ended, over all that was made here."""
        with ReplyLog.open(self.folder / "log.sqlite") as log:
            return log.tally().calls


def by_id(done: Sequence[Done]) -> Mapping[str, Record]:
    return {record.id: record for one in done for record in one.records}


def saying(*values: Any) -> Spoil:
    """Replies given by hand, a value for each question in its order; what is no text is sent as JSON.

    Questions beyond them have the rehearsal's own replies.
    """

    def spoil(at: int, reply: LoggedReply) -> LoggedReply:
        if at >= len(values):
            return reply
        text = values[at] if isinstance(values[at], str) else json.dumps(values[at])
        return reply._replace(choice=Choice(text))

    return spoil
