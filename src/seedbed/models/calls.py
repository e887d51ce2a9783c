"""One call, made until it is answered or given up: what heals is tried again, what has no room waits.

Chat and embeddings go through here alike; what is sent, and where attempts are logged, is the caller's.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from seedbed.core.errors import AttemptFailed, EndpointError, NoAnswer, ParameterRefused, RequestRefused
from seedbed.models.concurrency import Outcome
from seedbed.models.limits import BACKOFF_CAP, Limits, backoff
from seedbed.models.pool import Endpointed, Lane, Pool

# Until the endpoint has answered once, so that a wrong address is told within seconds.
FIRST_CONTACT_CAP = 1.0

_NO_ROOM = frozenset({429, 529})

M = TypeVar("M", bound=Endpointed)
T = TypeVar("T")


class Counts(Protocol):
    """The figures that calls add to: failed attempts by cause."""

    attempts: Counter[str]


@dataclass(slots=True)
class _Patience:
    """What one call has borne so far: counted retries, and since when it has been held up."""

    failures: int = 0
    hold_ups: int = 0
    held_since: float | None = None


class Calls(Generic[M]):
    """Makes calls through a pool, within limits. Lives in one event loop."""

    def __init__(self, pool: Pool[M], limits: Limits, counts: Counts) -> None:
        self.pool = pool
        self._limits = limits
        self._counts = counts

    async def answer(
        self,
        send: Callable[[M], Awaitable[T]],
        failed: Callable[[AttemptFailed, str], Awaitable[None]],
    ) -> tuple[T, M]:
        """What the request brought, and who answered, after as many tries as the limits allow.

        `send` makes one HTTP request, counts it and may raise BudgetReached before; `failed` is awaited
        with each attempt that failed and the address that it was made to. Raises NoAnswer after the
        last; RequestRefused; EndpointError where no endpoint is left.
        """
        patience: _Patience | None = None
        first = False
        while True:
            lane = await self.pool.take(first=first)
            try:
                return await self._send(lane, send), lane.model
            except EndpointError:
                self.pool.check()  # else another endpoint can still answer
                first = True
            except AttemptFailed as failure:
                self._counts.attempts[failure.cause] += 1
                await failed(failure, lane.endpoint)
                self.pool.check()
                patience = patience or _Patience()
                first = await self._wait(failure, lane, patience)

    async def _wait(self, failure: AttemptFailed, lane: Lane[M], patience: _Patience) -> bool:
        """Wait as the failure asks for. True where the call keeps its turn before those that wait.

        Where the endpoint has no room (429) or cannot be reached, its slot stays empty meanwhile: given
        to the next question, it would only run into the same wall. A parameter that the endpoint
        rejects costs a request of the budget, but no retry and no wait: the next try leaves it out.
        """
        if isinstance(failure, ParameterRefused):
            return True
        if failure.status != 429 and failure.cause != "unreachable":
            await self.pool.sleep(self._retry_delay(failure, patience))
            return False
        delay = self._hold_up_delay(failure, lane, patience)
        if self.pool.others(lane):
            self.pool.leave_empty(lane, delay)
        else:
            await self.pool.hold(lane, delay)
        return True

    async def _send(self, lane: Lane[M], send: Callable[[M], Awaitable[T]]) -> T:
        """One HTTP request, in a slot that is free again as soon as the response is in.

        What it tells of the endpoint is noted before any other call is sent.
        """
        pool = self.pool
        began = pool.now()
        outcome: Outcome = "void"
        try:
            reply = await send(lane.model)
            outcome = "answered"
        except AttemptFailed as failure:
            outcome = _outcome(failure)
            lane.health.failed(failure, began)
            self._heed_retry_after(failure, lane)
            if lane.trial and outcome == "failed":
                lane.health.open(str(failure))
            pool.look_at(lane)
            raise
        except RequestRefused:
            outcome = "answered"
            pool.answered(lane)
            raise
        except EndpointError as error:
            lane.health.open(str(error))
            pool.look_at(lane)
            raise
        else:
            pool.answered(lane)
            return reply
        finally:
            pool.give(lane, outcome, began)

    def _heed_retry_after(self, failure: AttemptFailed, lane: Lane[M]) -> None:
        if failure.retry_after is None:
            return
        if failure.retry_after > self._limits.patience:
            lane.health.open(
                f"{lane.endpoint} asks to wait {failure.retry_after:.0f} s (Retry-After), longer than "
                f"the {self._limits.patience:.0f} s that a run waits: run the same command again after that"
            )
        elif failure.status == 429:
            lane.health.pause(failure.retry_after)

    def _retry_delay(self, failure: AttemptFailed, patience: _Patience) -> float:
        """Seconds until the next try. Raises NoAnswer after the last."""
        patience.held_since = None
        patience.failures += 1
        if patience.failures > self._limits.retries:
            raise NoAnswer(failure.cause, f"no answer in {patience.failures} tries; the last: {failure}")
        return max(failure.retry_after or 0.0, backoff(patience.failures))

    def _hold_up_delay(self, failure: AttemptFailed, lane: Lane[M], patience: _Patience) -> float:
        """Seconds until the next try, where a try says nothing of the question and only time counts."""
        now = self.pool.now()
        if patience.held_since is None:
            patience.held_since, patience.hold_ups = now, 0
        patience.hold_ups += 1
        waited = now - patience.held_since
        if waited >= self._limits.patience:
            raise NoAnswer(failure.cause, f"held up for {waited:.0f} s; the last: {failure}")
        cap = BACKOFF_CAP if lane.health.answered else FIRST_CONTACT_CAP
        return max(failure.retry_after or 0.0, backoff(patience.hold_ups, cap))


def _outcome(failure: AttemptFailed) -> Outcome:
    """What a failed try says of how much the endpoint can carry."""
    if failure.status in _NO_ROOM or (failure.status == 503 and failure.retry_after is not None):
        return "no_room"
    if isinstance(failure, ParameterRefused):
        return "void"
    return "failed" if failure.status is None or failure.status >= 500 else "void"
