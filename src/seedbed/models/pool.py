"""The endpoints behind one role, and which of them takes the next call.

Each endpoint has a level of its own (how many calls it is sent at once), its own breaker and, in its
model, its own dialect. A call goes where it should be answered first: of the endpoints with room, the
one whose calls in flight times their latency, over its weight, is least. So a slow endpoint gets what it
can carry and a call waits for none while another has room.

An endpoint that dies is taken out and the others go on. After a while one call is sent there to see
whether it lives again ("half-open"). Where all are out, everything that waits and all that comes
hears why, endpoint by endpoint.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, Protocol, TypeVar

from seedbed.core.errors import EndpointError
from seedbed.models.concurrency import START, Level, Outcome
from seedbed.models.health import Health

# How long an endpoint of several stays out before it is tried with one call; doubled each time it fails.
OUT_SECONDS = 30.0
LONGEST_OUT_SECONDS = 600.0

LATENCY_MEMORY = 0.1  # weight of the latest answer in the mean

Note = Callable[[str], None]


class Endpointed(Protocol):
    """What a pool must know of whatever answers: the address that errors name."""

    @property
    def endpoint(self) -> str: ...


M = TypeVar("M", bound=Endpointed)


class Lane(Generic[M]):
    """One endpoint. `concurrency` None finds its level."""

    def __init__(self, model: M, concurrency: int | None, weight: float = 1.0, role: str = "teacher") -> None:
        self.model = model
        self.weight = weight
        self.latency = 0.0  # seconds, the moving mean over answers; 0 before the first
        self.held = 0  # slots of calls that wait for the endpoint to have room
        self.trial = False  # out until now; one call shows whether it lives
        self.out_until: float | None = None
        self._concurrency = concurrency
        self._role = role
        self._out_seconds = OUT_SECONDS
        self._revive()

    def _revive(self) -> None:
        found = self._concurrency is None
        self.level = Level(START) if found else Level.fixed(self._concurrency or 1)
        self.health = Health(self.endpoint, role=self._role)

    @property
    def endpoint(self) -> str:
        return self.model.endpoint

    @property
    def in_flight(self) -> int:
        return self.level.in_flight

    def room(self, now: float) -> int:
        """How many more calls may go there now."""
        if self.out_until is not None and not self.trial:
            if now < self.out_until or self.level.in_flight:
                return 0
            return 1
        if self.health.paused_until > now:
            return 0
        if self.trial:
            return 1 - self.level.in_flight - self.held
        return self.level.room - self.held

    def cost(self) -> float:
        return (self.level.in_flight + self.held + 1) * self.latency / self.weight

    def start(self, now: float) -> None:
        if self.out_until is not None and not self.trial:
            self._revive()
            self.trial = True
        self.level.started(now)

    def end(self, outcome: Outcome, began: float, now: float) -> None:
        self.level.ended(outcome, began, now)
        if outcome == "answered":
            seconds = now - began
            self.latency += (LATENCY_MEMORY if self.latency else 1.0) * (seconds - self.latency)

    def take_out(self, now: float) -> None:
        self._out_seconds = min(2 * self._out_seconds, LONGEST_OUT_SECONDS) if self.trial else OUT_SECONDS
        self.out_until = now + self._out_seconds
        self.trial = False

    def bring_back(self) -> None:
        self.out_until = None
        self.trial = False


class Pool(Generic[M]):
    """Slots of one or several endpoints, first come, first served. Lives in one event loop."""

    def __init__(
        self,
        lanes: Sequence[Lane[M]],
        *,
        role: str = "teacher",
        note: Note = lambda text: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.lanes = tuple(lanes)
        self.now = clock
        self._role = role
        self._note = note
        self._waiting: deque[asyncio.Future[Lane[M]]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._died = asyncio.Event()
        self._reason = ""

    @property
    def width(self) -> int:
        """Calls that may be in flight at present, all endpoints together."""
        return sum(lane.level.level for lane in self.lanes if lane.out_until is None)

    @property
    def most(self) -> int:
        """What `width` may come to at the most."""
        return sum(lane.level.most for lane in self.lanes)

    def check(self) -> None:
        """Raise EndpointError where no endpoint is left; a new one each time, for its own traceback."""
        if self._reason:
            raise EndpointError(self._reason)

    async def take(self, *, first: bool = False) -> Lane[M]:
        """A slot, now or when one is free; `first` before all others that wait. Raises EndpointError."""
        self.check()
        if first or not self._waiting:
            now = self.now()
            lane = self._choose(now)
            if lane is not None:
                lane.start(now)
                return lane
        future: asyncio.Future[Lane[M]] = asyncio.get_running_loop().create_future()
        if first:
            self._waiting.appendleft(future)
        else:
            self._waiting.append(future)
        self._wake_later()
        try:
            return await future
        except asyncio.CancelledError:
            if future.done() and not future.cancelled() and future.exception() is None:
                now = self.now()
                self.give(future.result(), "void", now)  # it was given to a caller that had gone
            raise

    def give(self, lane: Lane[M], outcome: Outcome, began: float) -> None:
        """The call in this slot, begun then, has ended; the slot goes to whoever waits."""
        lane.end(outcome, began, self.now())
        if self._waiting:
            self._serve()

    async def hold(self, lane: Lane[M], seconds: float) -> None:
        """Wait, and keep a slot of the endpoint empty meanwhile: it has no room for what it was sent.

        Whoever takes a slot at once after this comes before all others.
        """
        lane.held += 1
        try:
            await self.sleep(seconds)
        except BaseException:
            self._let_go(lane)
            raise
        lane.held -= 1

    def leave_empty(self, lane: Lane[M], seconds: float) -> None:
        """Keep a slot of the endpoint empty for so long, while the call that was in it goes elsewhere."""
        lane.held += 1
        asyncio.get_running_loop().call_later(seconds, self._let_go, lane)

    def _let_go(self, lane: Lane[M]) -> None:
        lane.held -= 1
        self._serve()

    def others(self, lane: Lane[M]) -> bool:
        """Whether a call that fails here can go elsewhere."""
        return any(other is not lane and other.out_until is None for other in self.lanes)

    def answered(self, lane: Lane[M]) -> None:
        """The endpoint did what it is for."""
        lane.health.replied()
        if lane.trial:
            lane.bring_back()
            self._note(f"{lane.endpoint} answers again")
            self._serve()

    def look_at(self, lane: Lane[M]) -> None:
        """Take the endpoint out where its breaker has opened; with the last one the pool dies."""
        if not lane.health.reason or (lane.out_until is not None and not lane.trial):
            return
        lane.take_out(self.now())
        if any(other.out_until is None or other.trial for other in self.lanes):
            self._note(f"roles.{self._role} goes on without {lane.endpoint}: {lane.health.reason}")
            return
        if len(self.lanes) == 1:
            self._reason = lane.health.reason
        else:
            told = "; ".join(f"({at}) {each.health.reason}" for at, each in enumerate(self.lanes, 1))
            self._reason = f"none of the {len(self.lanes)} endpoints of roles.{self._role} is left: {told}"
        self._died.set()
        while self._waiting:
            future = self._waiting.popleft()
            if not future.done():
                future.set_exception(EndpointError(self._reason))

    async def sleep(self, seconds: float) -> None:
        """Sleep, or raise EndpointError as soon as no endpoint is left."""
        try:
            async with asyncio.timeout(seconds):
                await self._died.wait()
        except TimeoutError:
            return
        self.check()

    def _choose(self, now: float) -> Lane[M] | None:
        if len(self.lanes) == 1:
            lane = self.lanes[0]
            return lane if lane.room(now) > 0 else None
        free = [lane for lane in self.lanes if lane.room(now) > 0]
        return min(free, key=Lane.cost) if free else None

    def _serve(self) -> None:
        """Hand free slots to those that wait, in their order."""
        now = self.now()
        while self._waiting:
            if self._waiting[0].done():  # cancelled
                self._waiting.popleft()
                continue
            lane = self._choose(now)
            if lane is None:
                self._wake_later()
                return
            lane.start(now)
            self._waiting.popleft().set_result(lane)

    def _wake_later(self) -> None:
        """Nobody gives a slot back while an endpoint pauses or is out: look again when that ends."""
        if self._timer is not None:
            return
        now = self.now()
        ends = [lane.health.paused_until for lane in self.lanes if lane.health.paused_until > now]
        if ends:
            delay = min(ends) - now + 0.001
            self._timer = asyncio.get_running_loop().call_later(delay, self._wake)

    def _wake(self) -> None:
        self._timer = None
        self._serve()
