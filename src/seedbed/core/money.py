"""What calls cost: a price by the token, what a call is charged, and sums of both.

Money is counted in whole nano-dollars (10⁻⁹ US dollars), so that sums are exact and the same in Python and
in SQL. Prices are kept in whole pico-dollars a token, which is millionths of a dollar per million tokens.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:  # chat holds a Charge
    from seedbed.core.chat import Usage

CURRENCY = "USD"
NANO = 10**9

_PICO_A_MILLIONTH = 10**6
_PICO_A_NANO = 1000


@dataclass(frozen=True, slots=True)
class Price:
    """Pico-dollars a token. `source` says where it is from: `recipe`, or a price list and its version.

    `cached_input` is for prompt tokens that the endpoint read from its cache, where it says how many;
    None charges them like the others.
    """

    input: int
    output: int
    cached_input: int | None = None
    source: str = "recipe"

    @classmethod
    def per_million(cls, read: Any, written: Any, cached: Any = None, source: str = "recipe") -> Price:
        """From US dollars per million tokens, as people write prices. Rounded up where it must be."""
        return cls(_pico(read), _pico(written), _pico(cached) if cached is not None else None, source)

    def of(self, usage: Usage) -> int:
        """Nano-dollars for a call that used so much, rounded up."""
        cached = min(usage.cached_tokens, usage.prompt_tokens) if self.cached_input is not None else 0
        pico = (usage.prompt_tokens - cached) * self.input + usage.completion_tokens * self.output
        return -(-(pico + cached * (self.cached_input or 0)) // _PICO_A_NANO)

    def at_most(self, tokens: int) -> int:
        """Nano-dollars for tokens of which nobody knows whether they were read or written."""
        return -(-tokens * max(self.input, self.output) // _PICO_A_NANO)

    def to_json(self) -> dict[str, Any]:
        """US dollars per million tokens."""
        prices = {"input": self.input, "output": self.output, "cached_input": self.cached_input}
        shown = {name: pico / _PICO_A_MILLIONTH for name, pico in prices.items() if pico is not None}
        return {**shown, "source": self.source}

    @classmethod
    def from_json(cls, value: Any) -> Price:
        return cls.per_million(value["input"], value["output"], value.get("cached_input"), value["source"])


FREE = Price(0, 0, source="no endpoint is paid")


def _pico(dollars: Any) -> int:
    """Per token, of dollars per million tokens: 0.15 is 150,000."""
    exact = Fraction(str(dollars)) * _PICO_A_MILLIONTH
    return -(-exact.numerator // exact.denominator)


class Charge(NamedTuple):
    """What one attempt counts for. `cost` is None where no price is known.

    `told`: the endpoint told the tokens; else they are a bound, charged by rule.
    """

    tokens: int = 0
    cost: int | None = None
    told: bool = False

    def split(self, parts: int) -> list[Charge]:
        """Shares that differ by one at most and sum up to the whole: one for each choice of a call."""
        if parts == 1:
            return [self]
        tokens = shares(self.tokens, parts)
        costs: list[int | None] = [None] * parts if self.cost is None else [*shares(self.cost, parts)]
        return [Charge(tokens[at], costs[at], self.told) for at in range(parts)]


NO_CHARGE = Charge()


class Amount(NamedTuple):
    """A sum of charges; `cost` leaves out what has no price."""

    requests: int = 0
    tokens: int = 0
    cost: int = 0

    @classmethod
    def of(cls, charge: Charge) -> Amount:
        return cls(1, charge.tokens, charge.cost or 0)

    def __add__(self, other: Amount) -> Amount:  # type: ignore[override]
        return Amount(self.requests + other.requests, self.tokens + other.tokens, self.cost + other.cost)

    def __sub__(self, other: Amount) -> Amount:
        return Amount(self.requests - other.requests, self.tokens - other.tokens, self.cost - other.cost)

    def within(self, other: Amount) -> bool:
        """Whether no part of it is more than the other's."""
        return self.requests <= other.requests and self.tokens <= other.tokens and self.cost <= other.cost

    def to_json(self) -> dict[str, int]:
        return {"requests": self.requests, "tokens": self.tokens, "cost": self.cost}


@dataclass(slots=True)
class Charged:
    """A sum of charges that no row of the reply log tells, with those apart that had no price."""

    requests: int = 0
    tokens: int = 0
    cost: int = 0
    by_rule: int = 0
    unpriced_requests: int = 0
    unpriced_tokens: int = 0

    def add(self, charge: Charge) -> None:
        self.requests += 1
        self.tokens += charge.tokens
        self.cost += charge.cost or 0
        if charge.cost is None:
            self.unpriced_requests += 1
            self.unpriced_tokens += charge.tokens
        elif not charge.told:
            self.by_rule += charge.cost


def nano(dollars: Any) -> int:
    """Whole nano-dollars of an amount in dollars, rounded down: a cap is never made larger."""
    exact = Fraction(str(dollars)) * NANO
    return exact.numerator // exact.denominator


def in_dollars(cost: int) -> float:
    return cost / NANO


def shown_dollars(cost: int) -> str:
    """`$12.35`; below a dollar as many digits as tell something."""
    dollars = in_dollars(cost)
    if cost == 0 or abs(dollars) >= 1:
        return f"${dollars:,.2f}"
    digits = 4
    while digits < 9 and abs(dollars) < 10 ** (2 - digits):
        digits += 1
    return f"${dollars:.{digits}f}"


def shares(total: int, parts: int) -> list[int]:
    """Whole numbers that differ by one at most and sum up to the total."""
    if parts == 1:
        return [total]
    each, rest = divmod(total, parts)
    return [each + (index < rest) for index in range(parts)]
