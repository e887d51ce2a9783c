"""The executor: answers questions from the reply log, and fills the log over HTTP where it has gaps.

Nothing is handed out that is not on disk. What has come back from the endpoint is committed even
where its caller is cancelled meanwhile; a call still under way at that moment is given up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

from seedbed.core.chat import ChatReply, ChatRequest, LoggedReply, ReplyKey, Usage
from seedbed.core.errors import AttemptFailed, NoAnswer, RequestRefused
from seedbed.core.money import Charge, shares
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Purse
from seedbed.models.call_seed import call_seed
from seedbed.models.calls import Calls
from seedbed.models.limits import Limits
from seedbed.models.pool import Lane, Pool
from seedbed.store.replies import Logged, LoggedRefusal, ReplyLog


@dataclass(slots=True)
class Stats:
    """What one executor did. `answers` and `replayed` count choices, `calls` HTTP requests.

    Tokens are split alike: those paid for now, and those of replayed choices, paid for before.
    """

    calls: int = 0
    answers: int = 0
    refusals: int = 0
    attempts: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    replayed: int = 0
    replayed_prompt_tokens: int = 0
    replayed_completion_tokens: int = 0

    def __add__(self, other: Stats) -> Stats:
        return Stats(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(self)))

    def note_replayed(self, standing: Sequence[Logged | None]) -> None:
        for logged in standing:
            if isinstance(logged, LoggedReply):
                self.replayed += 1
                self.replayed_prompt_tokens += logged.usage.prompt_tokens
                self.replayed_completion_tokens += logged.usage.completion_tokens

    def add_replayed(self, other: Stats) -> None:
        self.replayed += other.replayed
        self.replayed_prompt_tokens += other.replayed_prompt_tokens
        self.replayed_completion_tokens += other.replayed_completion_tokens

    def to_json(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "answers": self.answers,
            "refusals": self.refusals,
            "attempts": dict(sorted(self.attempts.items())),
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "replayed": self.replayed,
            "replayed_prompt_tokens": self.replayed_prompt_tokens,
            "replayed_completion_tokens": self.replayed_completion_tokens,
        }


@dataclass(slots=True)
class _Question:
    """One (request, scope) that is being filled: one asker at a time, and its failure is everyone's."""

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    askers: int = 0
    failure: NoAnswer | None = None


class HttpExecutor:
    """Fills the reply log from one model, or from a pool of several that pass for one.

    Lives in one event loop. `counted` are scopes whose answers in the log this sitting has taken and
    counted before.
    """

    def __init__(
        self,
        model: ChatModel | Pool[ChatModel],
        log: ReplyLog,
        limits: Limits,
        budget: Purse,
        role: str = "teacher",
    ) -> None:
        pool = (
            model
            if isinstance(model, Pool)
            else Pool([Lane(model, limits.concurrency, role=role)], role=role)
        )
        self.stats = Stats()
        self.counted: Collection[bytes] = ()
        self._calls = Calls(pool, limits, self.stats)
        self._log = log
        self._budget = budget
        self._questions: dict[tuple[bytes, bytes], _Question] = {}

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        """Draws 0 to n-1 of this question, all of them on disk.

        Raises NoAnswer where the endpoint refuses the request, now or in the log, or where retries or
        patience are used up; EndpointError where the endpoint cannot be used at all, and from then on
        at once for whatever is not in the log; BudgetReached; StoreError.
        """
        question = request.hash
        place = (question, scope)
        if (asking := self._questions.get(place)) is None:
            asking = self._questions[place] = _Question()
        asking.askers += 1
        try:
            async with asking.lock:
                standing = self._log.get_many(question, scope, n)
                if scope not in self.counted:
                    self.stats.note_replayed(standing)
                if asking.failure is not None and None in standing:
                    raise NoAnswer(asking.failure.cause, str(asking.failure), asking.failure.key)
                try:
                    return await self._complete(standing, request, question, scope)
                except NoAnswer as failure:
                    asking.failure = failure
                    raise
        finally:
            asking.askers -= 1
            if not asking.askers:
                del self._questions[place]

    @property
    def width(self) -> int:
        """Calls that may be in flight at present; where the level is found it changes all the time."""
        return self._calls.pool.width

    @property
    def in_flight(self) -> int:
        """Calls under way now."""
        return sum(lane.in_flight for lane in self._calls.pool.lanes)

    @property
    def most(self) -> int:
        """What `width` may come to at the most."""
        return self._calls.pool.most

    async def drain(self) -> None:
        """Wait until every reply that came back is on disk. Raises StoreError where one is not."""
        await self._log.flush()

    async def _complete(
        self, standing: list[Logged | None], request: ChatRequest, question: bytes, scope: bytes
    ) -> tuple[LoggedReply, ...]:
        """Ask until no draw is missing: an endpoint that gives fewer choices than asked is asked again."""
        while True:
            for logged in standing:
                if isinstance(logged, LoggedRefusal):
                    raise NoAnswer(logged.cause, logged.detail, str(logged.key))
            missing = [ReplyKey(question, scope, at) for at, logged in enumerate(standing) if logged is None]
            if not missing:
                return tuple([logged for logged in standing if isinstance(logged, LoggedReply)])
            seed = call_seed(question, scope, missing[0].draw, self._log.times_forgotten(question, scope))
            reply, charge, endpoint = await self._answer(request.asked(len(missing), seed), missing[0])
            fresh = self._logged(reply, endpoint, missing)
            with self._budget.logging(charge):
                new = await self._log.add(fresh, charge.split(len(fresh)))
            if new < len(fresh):  # another process was first: its replies stand
                standing = self._log.get_many(question, scope, len(standing))
            else:
                for logged in fresh:
                    standing[logged.key.draw] = logged

    def _logged(self, reply: ChatReply, endpoint: str, keys: Sequence[ReplyKey]) -> list[LoggedReply]:
        """One row for each choice that was asked for; together they carry the tokens of the call."""
        choices = reply.choices[: len(keys)]
        self.stats.answers += len(choices)
        self.stats.prompt_tokens += reply.usage.prompt_tokens
        self.stats.completion_tokens += reply.usage.completion_tokens
        prompt = shares(reply.usage.prompt_tokens, len(choices))
        completion = shares(reply.usage.completion_tokens, len(choices))
        return [
            LoggedReply(keys[i], choice, reply.model, endpoint, Usage(prompt[i], completion[i]))
            for i, choice in enumerate(choices)
        ]

    async def _answer(self, request: ChatRequest, key: ReplyKey) -> tuple[ChatReply, Charge, str]:
        """One reply, its charge, and where it came from; each try that failed is logged under `key`."""

        async def send(model: ChatModel) -> tuple[ChatReply, Charge]:
            reservation = await self._budget.reserve(request, model.endpoint)
            self.stats.calls += 1
            with reservation:
                reply = await model.complete(request)
                if not reply.choices:  # else `fill` would ask for its missing draws for ever
                    raise AttemptFailed("empty_choices", f"{model.endpoint} gave no choice", status=200)
                return reply, reservation.settle(reply)

        async def failed(failure: AttemptFailed, endpoint: str) -> None:
            with self._budget.logging(failure.charge):
                await self._log.add_attempt(
                    key, failure.cause, failure.status, str(failure), endpoint, charge=failure.charge
                )

        try:
            (reply, charge), model = await self._calls.answer(send, failed)
        except RequestRefused as refusal:
            self.stats.refusals += 1
            with self._budget.logging(refusal.charge):
                await self._log.add_refusal(key, refusal.cause, str(refusal), refusal.status, refusal.charge)
            raise NoAnswer(refusal.cause, str(refusal), str(key)) from None
        return reply, charge, model.endpoint
