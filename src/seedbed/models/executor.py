"""The executor: answers questions from the reply log, and fills the log over HTTP where it has gaps.

Nothing is handed out that is not on disk. What has come back from the endpoint is committed even
where its caller is cancelled meanwhile; a call still under way at that moment is given up.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, fields, replace
from typing import Any

from seedbed.core.chat import ChatReply, ChatRequest, LoggedReply, ReplyKey, Usage
from seedbed.core.errors import AttemptFailed, EndpointError, NoAnswer, ParameterRefused, RequestRefused
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Purse
from seedbed.models.call_seed import call_seed
from seedbed.models.health import Health
from seedbed.models.limits import BACKOFF_CAP, Limits, backoff
from seedbed.store.replies import Logged, LoggedRefusal, ReplyLog

# Until the endpoint has answered once, so that a wrong address is told within seconds.
FIRST_CONTACT_CAP = 1.0


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


@dataclass(slots=True)
class _Patience:
    """What one call has borne so far: counted retries, and since when it has been held up."""

    failures: int = 0
    hold_ups: int = 0
    held_since: float | None = None


class HttpExecutor:
    """Fills the reply log from one model. Lives in one event loop."""

    def __init__(
        self, model: ChatModel, log: ReplyLog, limits: Limits, budget: Purse, role: str = "teacher"
    ) -> None:
        self.stats = Stats()
        self._model = model
        self._log = log
        self._limits = limits
        self._budget = budget
        self._slots = asyncio.Semaphore(limits.concurrency)
        self._health = Health(model.endpoint, role=role)
        self._questions: dict[tuple[bytes, bytes], _Question] = {}

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        """Draws 0 to n-1 of this question, all of them on disk.

        Raises NoAnswer where the endpoint refuses the request, now or in the log, or where retries or
        patience are used up; EndpointError where the endpoint cannot be used at all, and from then on
        at once for whatever is not in the log; BudgetReached; StoreError.
        """
        question = request.hash
        with self._asking(question, scope) as asking:
            async with asking.lock:
                standing = self._log.get_many(question, scope, n)
                self._count_replayed(standing)
                if asking.failure is not None and None in standing:
                    raise NoAnswer(asking.failure.cause, str(asking.failure))
                try:
                    return await self._complete(standing, request, question, scope)
                except NoAnswer as failure:
                    asking.failure = failure
                    raise

    async def drain(self) -> None:
        """Wait until every reply that came back is on disk. Raises StoreError where one is not."""
        await self._log.flush()

    @contextmanager
    def _asking(self, question: bytes, scope: bytes) -> Iterator[_Question]:
        asking = self._questions.setdefault((question, scope), _Question())
        asking.askers += 1
        try:
            yield asking
        finally:
            asking.askers -= 1
            if not asking.askers:
                del self._questions[question, scope]

    async def _complete(
        self, standing: list[Logged | None], request: ChatRequest, question: bytes, scope: bytes
    ) -> tuple[LoggedReply, ...]:
        """Ask until no draw is missing: an endpoint that gives fewer choices than asked is asked again."""
        while True:
            for logged in standing:
                if isinstance(logged, LoggedRefusal):
                    raise NoAnswer(logged.cause, logged.detail)
            missing = [ReplyKey(question, scope, at) for at, logged in enumerate(standing) if logged is None]
            if not missing:
                return tuple(logged for logged in standing if isinstance(logged, LoggedReply))
            seed = call_seed(question, scope, missing[0].draw, self._log.times_forgotten(question, scope))
            reply = await self._answer(replace(request, n=len(missing), seed=seed), missing[0])
            fresh = self._logged(reply, missing)
            with self._budget.logging(reply.charge):
                new = await self._log.add(fresh, reply.charge.split(len(fresh)))
            if new < len(fresh):  # another process was first: its replies stand
                standing = self._log.get_many(question, scope, len(standing))
            else:
                for logged in fresh:
                    standing[logged.key.draw] = logged

    def _count_replayed(self, standing: Sequence[Logged | None]) -> None:
        for logged in standing:
            if isinstance(logged, LoggedReply):
                self.stats.replayed += 1
                self.stats.replayed_prompt_tokens += logged.usage.prompt_tokens
                self.stats.replayed_completion_tokens += logged.usage.completion_tokens

    def _logged(self, reply: ChatReply, keys: Sequence[ReplyKey]) -> list[LoggedReply]:
        """One row for each choice that was asked for; together they carry the tokens of the call."""
        choices = reply.choices[: len(keys)]
        self.stats.answers += len(choices)
        self.stats.prompt_tokens += reply.usage.prompt_tokens
        self.stats.completion_tokens += reply.usage.completion_tokens
        prompt = _shares(reply.usage.prompt_tokens, len(choices))
        completion = _shares(reply.usage.completion_tokens, len(choices))
        endpoint = self._model.endpoint
        return [
            LoggedReply(keys[i], choice, reply.model, endpoint, Usage(prompt[i], completion[i]))
            for i, choice in enumerate(choices)
        ]

    async def _answer(self, request: ChatRequest, key: ReplyKey) -> ChatReply:
        """One reply, after as many tries as the limits allow; each failed one is logged under `key`."""
        patience = _Patience()
        while True:
            try:
                return await self._call(request, key, patience)
            except RequestRefused as refusal:
                self.stats.refusals += 1
                with self._budget.logging(refusal.charge):
                    await self._log.add_refusal(
                        key, refusal.cause, str(refusal), refusal.status, refusal.charge
                    )
                raise NoAnswer(refusal.cause, str(refusal)) from None
            except AttemptFailed as failure:
                await self._note(failure, key)
                await self._health.sleep(self._retry_delay(failure, patience))

    async def _call(self, request: ChatRequest, key: ReplyKey, patience: _Patience) -> ChatReply:
        """A reply or a failure, in a slot that is free again as soon as the response is in.

        Where the endpoint has no room (429) or cannot be reached, the call waits in its slot: given
        to the next question, the slot would only run into the same wall. A parameter that the endpoint
        rejects costs a request of the budget, but no retry and no wait: the next try leaves it out.
        """
        async with self._slots:
            while True:
                try:
                    return await self._send(request)
                except ParameterRefused as failure:
                    await self._note(failure, key)
                except AttemptFailed as failure:
                    if failure.status != 429 and failure.cause != "unreachable":
                        raise
                    await self._note(failure, key)
                    await self._health.sleep(self._hold_up_delay(failure, patience))

    async def _send(self, request: ChatRequest) -> ChatReply:
        """One HTTP request. What it tells of the endpoint is noted before any other call is sent."""
        await self._health.gate()
        reservation = await self._budget.reserve(request)
        self.stats.calls += 1
        began = self._health.now()
        try:
            with reservation:
                reply = await self._model.complete(request)
                if not reply.choices:  # else `fill` would ask for its missing draws for ever
                    raise AttemptFailed("empty_choices", f"{self._model.endpoint} gave no choice", status=200)
                reply = reservation.settle(reply)
        except AttemptFailed as failure:
            self._health.failed(failure, began)
            self._heed_retry_after(failure)
            raise
        except RequestRefused:
            self._health.replied()
            raise
        except EndpointError as error:
            self._health.open(str(error))
            raise
        self._health.replied()
        return reply

    def _heed_retry_after(self, failure: AttemptFailed) -> None:
        if failure.retry_after is None:
            return
        if failure.retry_after > self._limits.patience:
            self._health.open(
                f"{self._model.endpoint} asks to wait {failure.retry_after:.0f} s (Retry-After), longer than "
                f"the {self._limits.patience:.0f} s that a run waits: run the same command again after that"
            )
        elif failure.status == 429:
            self._health.pause(failure.retry_after)

    async def _note(self, failure: AttemptFailed, key: ReplyKey) -> None:
        self.stats.attempts[failure.cause] += 1
        endpoint = self._model.endpoint
        with self._budget.logging(failure.charge):
            await self._log.add_attempt(
                key, failure.cause, failure.status, str(failure), endpoint, charge=failure.charge
            )
        self._health.check()

    def _retry_delay(self, failure: AttemptFailed, patience: _Patience) -> float:
        """Seconds until the next try. Raises NoAnswer after the last."""
        patience.held_since = None
        patience.failures += 1
        if patience.failures > self._limits.retries:
            raise NoAnswer(failure.cause, f"no answer in {patience.failures} tries; the last: {failure}")
        return max(failure.retry_after or 0.0, backoff(patience.failures))

    def _hold_up_delay(self, failure: AttemptFailed, patience: _Patience) -> float:
        """Seconds until the next try, where a try says nothing of the question and only time counts."""
        now = self._health.now()
        if patience.held_since is None:
            patience.held_since, patience.hold_ups = now, 0
        patience.hold_ups += 1
        waited = now - patience.held_since
        if waited >= self._limits.patience:
            raise NoAnswer(failure.cause, f"held up for {waited:.0f} s; the last: {failure}")
        cap = BACKOFF_CAP if self._health.answered else FIRST_CONTACT_CAP
        return max(failure.retry_after or 0.0, backoff(patience.hold_ups, cap))


def _shares(total: int, parts: int) -> list[int]:
    """Whole numbers that differ by one at most and sum up to the total."""
    each, rest = divmod(total, parts)
    return [each + (index < rest) for index in range(parts)]
