"""Chat of which nothing is kept: a model that is examined is asked rows that may be those of the eval."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum

from seedbed.core.chat import ChatReply, ChatRequest, Choice
from seedbed.core.errors import AttemptFailed, EndpointError, NoAnswer, RequestRefused
from seedbed.core.money import Charge
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Purse
from seedbed.models.call_seed import call_seed
from seedbed.models.calls import Calls
from seedbed.models.limits import Limits
from seedbed.models.pool import Pool


@dataclass(slots=True)
class UnloggedStats:
    """`calls` are HTTP requests, `attempts` those that failed by cause; tokens as the endpoint tells them."""

    calls: int = 0
    attempts: Counter[str] = field(default_factory=Counter)
    prompt_tokens: int = 0
    completion_tokens: int = 0


class Unanswered(Enum):
    """Why a request has no answer: it would be refused again, or another time one may come."""

    REFUSED = "refused"
    FAILED = "failed"


class UnloggedChat:
    """Asks through a pool, with its retries and within a budget, and hands the answers on.

    `spend` puts on record what each request was charged, before its answer is used. Lives in one event loop.
    """

    def __init__(
        self, pool: Pool[ChatModel], limits: Limits, purse: Purse, spend: Callable[[Charge], None]
    ) -> None:
        self.stats = UnloggedStats()
        self._pool = pool
        self._calls = Calls(pool, limits, self.stats)
        self._purse = purse
        self._spend = spend

    async def answers(self, requests: Sequence[ChatRequest]) -> list[Choice | Unanswered]:
        """One answer to each request, in order, or why there is none: refused, or failed in every try.

        Raises EndpointError and BudgetReached, in which case what is under way is given up.
        """
        tasks = [asyncio.create_task(self._answer(request)) for request in requests]
        try:
            return list(await asyncio.gather(*tasks))
        except BaseException:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            raise

    async def check(self, request: ChatRequest) -> None:
        """Ask and forget the answer. Raises EndpointError where none comes, BudgetReached."""
        try:
            await self._send(request)
        except (NoAnswer, RequestRefused) as error:
            raise EndpointError(str(error)) from None

    async def close(self) -> None:
        for lane in self._pool.lanes:
            await lane.model.close()

    async def _answer(self, request: ChatRequest) -> Choice | Unanswered:
        try:
            return await self._send(request)
        except RequestRefused:
            return Unanswered.REFUSED
        except NoAnswer:
            return Unanswered.FAILED

    async def _send(self, request: ChatRequest) -> Choice:
        asked = request.asked(1, call_seed(request.hash, b"", 0))

        async def send(model: ChatModel) -> tuple[ChatReply, Charge]:
            reservation = await self._purse.reserve(asked, model.endpoint)
            self.stats.calls += 1
            with reservation:
                reply = await model.complete(asked)
                if not reply.choices:
                    raise AttemptFailed("empty_choices", f"{model.endpoint} gave no choice", status=200)
                return reply, reservation.settle(reply)

        async def failed(failure: AttemptFailed, endpoint: str) -> None:
            self._charge(failure.charge)

        try:
            (reply, charge), _ = await self._calls.answer(send, failed)
        except RequestRefused as refusal:
            self._charge(refusal.charge)
            raise
        self._charge(charge)
        self.stats.prompt_tokens += reply.usage.prompt_tokens
        self.stats.completion_tokens += reply.usage.completion_tokens
        return reply.choices[0]

    def _charge(self, charge: Charge) -> None:
        with self._purse.logging(charge):
            self._spend(charge)
