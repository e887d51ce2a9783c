"""What a role's answers cost, and what the figures of a run come to in money."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from seedbed.core.chat import Usage
from seedbed.core.errors import RecipeError
from seedbed.core.money import CURRENCY, FREE, Price, in_dollars
from seedbed.models.prices import has_price_list, listed_price, on_this_machine
from seedbed.recipe import LoadedRecipe, Role, WireRole
from seedbed.store.replies import Spent


def price_of(role: Role) -> Price | None:
    """The recipe's own price, else that of the price list; None where nobody knows it.

    Teachers in process cost nothing.
    """
    if not isinstance(role, WireRole):
        return FREE
    if role.price is not None:
        return role.price.price()
    return listed_price(role.model, role.endpoint.url)


def check_price(loaded: LoadedRecipe, name: str, role: Role) -> None:
    """Raise RecipeError where a budget of money is given and nobody knows what the role costs."""
    if loaded.recipe.budget.cost is None or price_of(role) is not None:
        return
    assert isinstance(role, WireRole)
    if on_this_machine(role.endpoint.url):
        why = "is served by this machine, and only you know what that costs"
    elif has_price_list():
        why = f"has no price in the price list for {role.endpoint}"
    else:
        why = "has no price here, and the price list is not installed (pip install 'seedbed[prices]')"
    message = (
        f"budget.cost is given, but '{role.model}' {why}; paste its price into the role, in US dollars per "
        "million tokens: price: {input: …, output: …}; or bound the run by budget.tokens, budget.requests or "
        "budget.time instead of budget.cost"
    )
    raise RecipeError([loaded.problem(("roles", name, "price"), message)])


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
    accepted: int,
    *,
    prices: Mapping[str, Price | None],
    replayed: Mapping[str, Usage],
    present: Mapping[str, Usage],
) -> dict[str, Any] | None:
    """What a report says of money, in US dollars; None where no call had a price and none has one now.

    `lost` are nano-dollars charged for calls that a stop cut off. `replayed` is what each role
    took from the log in the latest sitting, `present` what the answers that the present rounds rest on took
    when they were asked: both are valued at the prices of now. Where a part is unknown it is None, and
    `unpriced_calls` counts the calls that the sum leaves out.
    """
    if all(price is None for price in prices.values()) and not spent.priced_calls:
        return None
    price = prices["teacher"]
    known = spent.cost + lost
    return {
        "currency": CURRENCY,
        "spent": in_dollars(known),
        "by_rule": in_dollars(spent.by_rule + lost),
        "per_accepted": in_dollars(known) / accepted if accepted else None,
        "cached": _valued(replayed, prices),
        "replacement": _valued(present, prices),
        "unpriced_calls": spent.unpriced_calls,
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
    price: Price | None, calls: int, expected: Usage | None, worst: Usage
) -> dict[str, Any] | None:
    """What so many calls cost, each using `expected` tokens and `worst` at most; None without a price."""
    if price is None:
        return None
    return {
        "currency": CURRENCY,
        "expected": in_dollars(calls * price.of(expected)) if expected is not None else None,
        "worst": in_dollars(calls * price.of(worst)),
        "price": price.to_json(),
    }


def prices_from(facts: Mapping[str, Any]) -> dict[str, Price | None]:
    """The price of each role, as the manifest's facts keep it."""
    return {role: Price.from_json(kept) if kept else None for role, kept in facts["prices"].items()}
