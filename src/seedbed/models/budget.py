"""The budget of a run: the worst case is set aside before a request is sent, and settled by its end.

One budget serves all executors of a run. At no moment is more spent and set aside together than a cap
allows, so none is passed, however many requests are in flight and however they end. A reservation that
does not fit beside those in flight waits for them to give back what they did not need; one that would
not fit if all of them cost nothing means that the budget is reached.

How many tokens at most. A tokenizer makes no token of less than a byte, so the UTF-8 bytes of a prompt
bound its tokens, whatever the model; the chat template adds some for each message, and servers write a
schema into the prompt in a form of their own. That is some four times what is used in the end; but as
the rest comes back when the reply does, it only matters for the last requests before a cap.

What a failed attempt is charged. Nothing, where the request was turned away (429, any other 4xx) or never
sent (no connection); the prompt, where the server failed (5xx); the whole reservation, where a reply may
have been made that was not read: a time-out, a reset, a cut or unreadable answer with status 200, a call
given up. A reply that does not tell its usage is charged its whole reservation too.
"""

from __future__ import annotations

import time
from asyncio import Event
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from types import TracebackType
from typing import Protocol, Self

import orjson

from seedbed.core.chat import ChatReply, ChatRequest, Usage
from seedbed.core.errors import AttemptFailed, BudgetReached, EndpointError, RequestRefused, StoreError
from seedbed.core.money import Amount, Charge, Price, shown_dollars

# What chat templates put around a prompt (a default system message, a date) and around each message.
FRAME_TOKENS = 256
MESSAGE_TOKENS = 16
# Servers print a schema with spaces and words of their own.
SCHEMA_FACTOR = 2


def worst_case(request: ChatRequest) -> Usage:
    """Tokens that a request can use at most, as long as the endpoint keeps to `max_tokens`."""
    prompt = FRAME_TOKENS
    for message in request.messages:
        prompt += MESSAGE_TOKENS + _bytes_of(message.content)
    if request.schema is not None:
        prompt += SCHEMA_FACTOR * len(orjson.dumps(request.schema))
    return Usage(prompt, request.n * request.sampling.max_tokens)


def worst_of_texts(texts: Sequence[str]) -> Usage:
    """Tokens that a request for vectors of texts can use at most; each may get marks at its ends."""
    return Usage(sum(MESSAGE_TOKENS + _bytes_of(text) for text in texts))


def _bytes_of(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Caps:
    """Most that a run may spend over all its sittings; None is no bound. `cost` is in nano-dollars."""

    requests: int | None = None
    tokens: int | None = None
    cost: int | None = None
    seconds: float | None = None


class Purse(Protocol):
    """What an executor or embedder holds of a budget. `endpoint` is the address that will be asked."""

    async def reserve(self, request: ChatRequest, endpoint: str = "") -> Reservation: ...

    async def reserve_texts(self, texts: Sequence[str], endpoint: str = "") -> Reservation: ...

    def logging(self, charge: Charge) -> AbstractContextManager[None]: ...


def _ignore(_: object) -> None:
    return None


class Budget:
    """What a run may spend. Lives in one event loop; `clock` counts seconds.

    `spent` and `seconds` are what earlier sittings took. `note` is told what the user should know.
    `keep` is called, before a request is sent, with a bound of what is neither settled nor on disk yet,
    whenever that passes the bound before: whoever finds it after a crash knows what may be missing
    from the log.
    """

    def __init__(
        self,
        caps: Caps | None = None,
        *,
        spent: Amount | None = None,
        seconds: float = 0.0,
        note: Callable[[str], None] = _ignore,
        keep: Callable[[Amount], None] = _ignore,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.caps = caps or Caps()
        self.spent = spent or Amount()
        self.reserved = Amount()
        self.unlogged = Amount()
        self._seconds = seconds
        self._note = note
        self._keep = keep
        self._clock = clock
        self._began = clock()
        self._kept = Amount()
        self._freed: Event | None = None  # where somebody waits for what is in flight
        self._prompt_factor = Fraction(1)
        self._output_factor = Fraction(1)
        self._excess = ""

    @property
    def seconds(self) -> float:
        """Time that the run has taken over all sittings."""
        return self._seconds + self._clock() - self._began

    @property
    def outstanding(self) -> Amount:
        """What no row of the log tells: set aside for requests in flight, or settled and not yet on disk."""
        return self.reserved + self.unlogged

    def at(self, price: Price | None, own: Mapping[str, Price | None] | None = None) -> Purse:
        """The budget as an executor holds it whose model has this price; None where it is not known.

        `own` are the prices of endpoints by their address, where they have their own.
        """
        return _Priced(self, price, own or {})

    async def set_aside(self, worst: Usage, price: Price | None) -> Reservation:
        """Set aside what a request may use at most, before it is sent. Raises BudgetReached.

        Waits where only what is in flight stands in the way.
        """
        while True:
            bound = self._bound(worst)
            wanted = Amount(1, bound.prompt_tokens + bound.completion_tokens, price.of(bound) if price else 0)
            self._check(wanted)
            if self._fits(wanted):
                break
            self._freed = self._freed or Event()
            await self._freed.wait()
        self.reserved += wanted
        outstanding = self.outstanding
        if not outstanding.within(self._kept):
            self._kept = outstanding + outstanding
            self._keep(self._kept)
        return Reservation(self, worst, bound, wanted, price)

    def logging(self, charge: Charge) -> AbstractContextManager[None]:
        """For the block that commits the row of a charge.

        A caller who is cancelled in it leaves the row to be committed all the same; one that fails to
        write it leaves the charge outstanding.
        """
        return _Logging(self, charge)

    def _bound(self, worst: Usage) -> Usage:
        if not self._excess:
            return worst
        return Usage(
            ceil(worst.prompt_tokens * self._prompt_factor),
            ceil(worst.completion_tokens * self._output_factor),
        )

    def _fits(self, wanted: Amount) -> bool:
        """Whether it stays within the caps even where all that is set aside is used."""
        caps = self.caps
        if caps.tokens is None and caps.cost is None:
            return True
        total = self.spent + self.reserved + wanted
        return (caps.tokens is None or total.tokens <= caps.tokens) and (
            caps.cost is None or total.cost <= caps.cost
        )

    def _check(self, wanted: Amount) -> None:
        """Raise BudgetReached where nothing that is in flight could make room."""
        caps, spent = self.caps, self.spent
        go_on = "and run the same command again: nothing answered is asked for twice"
        if caps.seconds is not None and self.seconds >= caps.seconds:
            raise BudgetReached(
                f"budget: the {caps.seconds:g} s of budget.time are over; raise it (or --max-time) {go_on}"
            )
        if caps.requests is not None and spent.requests + self.reserved.requests >= caps.requests:
            raise BudgetReached(
                f"budget: all {caps.requests} requests of budget.requests are spent; raise it (or "
                f"--max-requests) {go_on}"
            )
        if caps.tokens is not None and spent.tokens + wanted.tokens > caps.tokens:
            raise BudgetReached(
                f"budget: {spent.tokens:,} of the {caps.tokens:,} tokens of budget.tokens are spent, and the "
                f"next request may take {wanted.tokens:,}{self._excess}; raise it (or --max-tokens) {go_on}"
            )
        if caps.cost is not None and spent.cost + wanted.cost > caps.cost:
            raise BudgetReached(
                f"budget: {shown_dollars(spent.cost)} of the {shown_dollars(caps.cost)} of budget.cost are "
                f"spent, and the next request may cost {shown_dollars(wanted.cost)}{self._excess}; raise it "
                f"(or --max-cost) {go_on}"
            )

    def settle(self, reservation: Reservation, used: Usage, *, told: bool) -> Charge:
        """Give a reservation back and charge what was used instead; `told` by the endpoint, or by rule."""
        tokens = used.prompt_tokens + used.completion_tokens
        price = reservation.price
        charge = Charge(tokens, price.of(used) if price else None, told)
        amount = Amount.of(charge)
        self.reserved -= reservation.amount
        self.spent += amount
        self.unlogged += amount
        self._learn(reservation.worst, used)
        if self._freed is not None:
            self._freed.set()
            self._freed = None
        return charge

    def _learn(self, worst: Usage, used: Usage) -> None:
        """An endpoint that uses more than it was asked for: say so, and set aside as much from now on."""
        if used.prompt_tokens <= worst.prompt_tokens and used.completion_tokens <= worst.completion_tokens:
            return  # as almost always: no factor grows
        read = Fraction(used.prompt_tokens, worst.prompt_tokens)
        wrote = Fraction(used.completion_tokens, max(1, worst.completion_tokens))
        self._prompt_factor = max(self._prompt_factor, read)
        self._output_factor = max(self._output_factor, wrote)
        if max(read, wrote) > 1 and not self._excess:
            self._excess = ", as the endpoint has used more than it was asked for"
            self._note(
                f"an endpoint reported {used.prompt_tokens:,} prompt tokens and {used.completion_tokens:,} "
                f"of output where {worst.prompt_tokens:,} and {worst.completion_tokens:,} were the most "
                "(does it keep `max_tokens`?): what was in flight may pass a cap by that much, and so much "
                "is set aside for every request from now on"
            )


class _Logging(AbstractContextManager[None]):
    """See `Budget.logging`. A class, as a generator costs each request several times as much."""

    __slots__ = ("_budget", "_charge")

    def __init__(self, budget: Budget, charge: Charge) -> None:
        self._budget = budget
        self._charge = charge

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not isinstance(error, StoreError):
            self._budget.unlogged -= Amount.of(self._charge)


class Reservation:
    """What is set aside for one request: a context that charges by the error that ends it, else `settle`."""

    def __init__(
        self, budget: Budget, worst: Usage, bound: Usage, amount: Amount, price: Price | None
    ) -> None:
        self.worst = worst
        self.bound = bound
        self.amount = amount
        self.price = price
        self._budget = budget
        self._open = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._open:
            charge = self.fail(error)
            if isinstance(error, AttemptFailed | RequestRefused):
                error.charge = charge

    def settle(self, reply: ChatReply) -> Charge:
        """The charge of a reply: by the usage that it tells, or all of the reservation."""
        self._open = False
        told, wrote = reply.usage, any(c.text or c.reasoning for c in reply.choices)
        known = told.prompt_tokens > 0 and (told.completion_tokens > 0 or not wrote)
        return self._budget.settle(self, told if known else self.bound, told=known)

    def settle_texts(self, told: Usage) -> Charge:
        """The charge of a request for vectors: by the usage that was told, or all of the reservation."""
        self._open = False
        known = told.prompt_tokens > 0
        return self._budget.settle(self, told if known else self.bound, told=known)

    def fail(self, error: BaseException | None) -> Charge:
        """Charge an attempt that brought no reply, by the rule at the head of this module."""
        self._open = False
        return self._budget.settle(self, _used_at_most(error, self.bound), told=False)


def _used_at_most(error: BaseException | None, bound: Usage) -> Usage:
    if isinstance(error, RequestRefused) or (
        isinstance(error, AttemptFailed) and error.cause == "unreachable"
    ):
        return Usage()
    if isinstance(error, AttemptFailed | EndpointError):
        if error.status is None:
            return Usage() if isinstance(error, EndpointError) else bound
        if error.status >= 500:
            return Usage(bound.prompt_tokens)
        if error.status >= 300:
            return Usage()
    return bound


class _Priced:
    """A budget for one executor, whose model has a price, or one at each endpoint."""

    def __init__(self, budget: Budget, price: Price | None, own: Mapping[str, Price | None]) -> None:
        self._budget = budget
        self._price = price
        self._own = own
        self.logging = budget.logging

    async def reserve(self, request: ChatRequest, endpoint: str = "") -> Reservation:
        return await self._budget.set_aside(worst_case(request), self._own.get(endpoint, self._price))

    async def reserve_texts(self, texts: Sequence[str], endpoint: str = "") -> Reservation:
        return await self._budget.set_aside(worst_of_texts(texts), self._own.get(endpoint, self._price))
