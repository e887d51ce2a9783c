"""Questions that only the reply log may answer: for plans, new verdicts, and the guard against re-asking."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, LoggedReply
from seedbed.core.errors import NoAnswer
from seedbed.core.protocols import Method
from seedbed.models.executor import Stats
from seedbed.run.asking import AskingSpace, CellAsking, scope_of
from seedbed.store.replies import LoggedRefusal, ReplyLog


class NotLogged(Exception):
    """A method came to a question that the log does not answer, where nobody may ask it."""


class LoggedOnly:
    """Fills nothing: gives what the log has, notes what was wanted, raises NotLogged or NoAnswer.

    What it gives is counted in `stats`, by default its own.
    """

    def __init__(self, log: ReplyLog | None, stats: Stats | None = None) -> None:
        self._log = log
        self.stats = stats or Stats()
        self.first: ChatRequest | None = None
        self.wanted: list[bytes] = []

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        self.first = self.first or request
        question = request.hash
        self.wanted.append(question)
        standing = self._log.get_many(question, scope, n) if self._log else [None] * n
        replies = []
        for logged in standing:
            if isinstance(logged, LoggedRefusal):
                raise NoAnswer(logged.cause, logged.detail, str(logged.key))
            if logged is None:
                raise NotLogged
            replies.append(logged)
        self.stats.note_replayed(replies)
        return tuple(replies)


def from_the_log(space: AskingSpace, filling: LoggedOnly) -> AskingSpace:
    """The same prompts, answered by the log alone."""
    return replace(space, roles={name: replace(role, executor=filling) for name, role in space.roles.items()})


@dataclass(slots=True)
class Replay:
    """What the log answers of some cells. `asked_again` had an answer, and would be paid for again.

    `calls` are the fewest and the most requests that the other cells take. `answer_tokens` is the mean of
    the answers that the log has for these cells.
    """

    cells: int = 0
    answered: int = 0
    asked_again: int = 0
    calls: tuple[int, int] = (0, 0)
    first: ChatRequest | None = None
    sample: int | None = None
    answer_tokens: int | None = None

    @property
    def estimate(self) -> str:
        """What to say before figures that come from a sample; nothing where all cells were looked at."""
        return f"(as a sample of {self.sample:,} has it) " if self.sample else ""

    @property
    def missing(self) -> int:
        return self.cells - self.answered


async def replay(
    cells: Iterable[Cell],
    space: AskingSpace,
    methods: Mapping[str, Method],
    log: ReplyLog | None,
    after: int = 0,
    most: int | None = None,
) -> Replay:
    """Let every cell's method ask the log, which takes some 170 µs a cell; asks nobody.

    Of more than `most` cells an even sample is looked at, and the figures are scaled up.

    A cell is asked again where the log has an answer to another question of the same cell, logged past
    row `after` (where the recipe last changed what it asks), that its method asks no more.
    """
    filling = LoggedOnly(log)
    offline = from_the_log(space, filling)
    result = Replay()
    everything = list(cells)
    planned = len(everything)
    if most is not None and planned > most:
        everything = [everything[at * planned // most] for at in range(most)]
        result.sample = most
    questions: dict[bytes, set[bytes]] = {}
    scopes = {scope_of(space.asker, cell.id) for cell in everything}
    for row in log.standing(scopes) if log else ():
        if row.id > after:
            questions.setdefault(row.key.scope, set()).add(row.key.request)
    for cell in everything:
        result.cells += 1
        filling.wanted.clear()
        try:
            await methods[cell.method](cell, CellAsking(cell, offline))
        except NotLogged:
            known = questions.get(scope_of(space.asker, cell.id), set())
            result.asked_again += bool(known.difference(filling.wanted))
            fewest, most = methods[cell.method].requests()
            result.calls = result.calls[0] + fewest, result.calls[1] + most
        except NoAnswer:
            result.answered += 1
        else:
            result.answered += 1
    result.first = filling.first
    given = filling.stats
    if given.replayed and given.replayed_completion_tokens:
        result.answer_tokens = round(given.replayed_completion_tokens / given.replayed)
    if result.sample:
        result.cells = planned
        result.answered = round(result.answered * planned / result.sample)
        result.asked_again = math.ceil(result.asked_again * planned / result.sample)
        fewest, most = (math.ceil(calls * planned / result.sample) for calls in result.calls)
        result.calls = fewest, most
    return result
