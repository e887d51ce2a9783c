"""What a role's answers cost, and what the figures of a run come to in money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seedbed.core.chat import Usage
from seedbed.core.errors import RecipeError
from seedbed.core.money import CURRENCY, FREE, Charged, Price, in_dollars
from seedbed.models.prices import has_price_list, listed_price, on_this_machine
from seedbed.recipe import EmbedderRole, Endpoint, LoadedRecipe, Role, WireRole
from seedbed.store.tally import Spent


def prices_of(role: Role | EmbedderRole) -> list[Price | None]:
    """The price at each endpoint of a role: the recipe's own, else that of the price list.

    None where nobody knows it. Teachers in process cost nothing.
    """
    if not isinstance(role, WireRole | EmbedderRole):
        return [FREE]
    if role.price is not None:
        return [role.price.price()] * len(role.endpoints)
    return [listed_price(each.model or role.model, each.url) for each in role.endpoints]


def price_of(role: Role | EmbedderRole) -> Price | None:
    """The dearest price of a role's endpoints; None where nobody knows that of one of them.

    What is sent is charged by the price of the endpoint that it is sent to.
    """
    prices = prices_of(role)
    known = [price for price in prices if price is not None]
    if len(known) < len(prices):
        return None
    cached = [price.cached_input for price in known if price.cached_input is not None]
    return Price(
        max(price.input for price in known),
        max(price.output for price in known),
        max(cached) if len(cached) == len(known) else None,
        ", ".join(dict.fromkeys(price.source for price in known)),
    )


def check_price(loaded: LoadedRecipe, name: str, role: Role | EmbedderRole) -> None:
    """Raise RecipeError where a budget of money is given and nobody knows what an endpoint costs."""
    if loaded.recipe.budget.cost is None or not isinstance(role, WireRole | EmbedderRole):
        return
    price = "price: {input: …}" if isinstance(role, EmbedderRole) else "price: {input: …, output: …}"
    problems = [
        loaded.problem(
            ("roles", name, "price"),
            f"budget.cost is given, but '{each.model or role.model}' {_unpriced(each)}; paste its price into "
            f"the role, in US dollars per million tokens: {price}; or bound the run by budget.tokens, "
            "budget.requests or budget.time instead of budget.cost",
        )
        for each, known in zip(role.endpoints, prices_of(role), strict=True)
        if known is None
    ]
    if problems:
        raise RecipeError(problems)


def _unpriced(endpoint: Endpoint) -> str:
    if on_this_machine(endpoint.url):
        return "is served by this machine, and only you know what that costs"
    if has_price_list():
        return f"has no price in the price list for {endpoint}"
    return "has no price here, and the price list is not installed (pip install 'seedbed[prices]')"


def worth(spent: Spent, prices: Iterable[Price | None]) -> int:
    """Nano-dollars of rows: what they were charged, and those without a price at the dearest one of now.

    Calls of a time when no price was known count towards a cap as if they were made today.
    """
    known = [price for price in prices if price is not None]
    unpriced = max(
        (price.of(spent.unpriced) + price.at_most(spent.unpriced_beyond) for price in known), default=0
    )
    return spent.cost + unpriced


def money_of(
    spent: Spent,
    lost: int,
    embedder: Charged,
    accepted: int,
    *,
    prices: Mapping[str, Price | None],
    replayed: Mapping[str, Usage],
    present: Mapping[str, Usage],
) -> dict[str, Any] | None:
    """What a report says of money, in US dollars; None where no call had a price and none has one now.

    `lost` are nano-dollars charged for calls that a stop cut off, `embedder` is what the role of that name
    was charged. `replayed` is what each role took from the log in the latest sitting, `present` what the
    answers that the present rounds rest on took when they were asked: both are valued at the prices of
    now. Where a part is unknown it is None, and `unpriced_calls` counts the calls that the sum leaves out.
    """
    priced = spent.priced_calls + embedder.requests - embedder.unpriced_requests
    if all(price is None for price in prices.values()) and not priced:
        return None
    price = prices["teacher"]
    known = spent.cost + lost + embedder.cost
    return {
        "currency": CURRENCY,
        "spent": in_dollars(known),
        "by_rule": in_dollars(spent.by_rule + lost + embedder.by_rule),
        "per_accepted": in_dollars(known) / accepted if accepted else None,
        "cached": _valued(replayed, prices),
        "replacement": _valued(present, prices),
        "unpriced_calls": spent.unpriced_calls + embedder.unpriced_requests,
        "price": price.to_json() if price is not None else None,
    }


def _valued(used: Mapping[str, Usage], prices: Mapping[str, Price | None]) -> float | None:
    """Dollars at the prices of now; None where a role that used anything has none."""
    total = 0
    for role, usage in used.items():
        price = prices.get(role)
        if price is not None:
            total += price.of(usage)
        elif usage != Usage():
            return None
    return in_dollars(total)


def expected_money(
    price: Price | None,
    calls: int,
    expected: Usage | None,
    worst: Usage | None,
    once: Usage,
    once_worst: Usage,
) -> dict[str, Any] | None:
    """What so many calls cost, each using `expected` tokens and `worst` at most; None without a price.

    On top comes what is asked once, for values of axes: `once`, and `once_worst` at most.
    """
    if price is None:
        return None
    return {
        "currency": CURRENCY,
        "expected": in_dollars(calls * price.of(expected) + price.of(once)) if expected is not None else None,
        "worst": in_dollars(calls * price.of(worst) + price.of(once_worst)) if worst is not None else None,
        "price": price.to_json(),
    }


def prices_from(facts: Mapping[str, Any]) -> dict[str, Price | None]:
    """The price of each role, as the manifest's facts keep it."""
    return {role: Price.from_json(kept) if kept else None for role, kept in facts["prices"].items()}
