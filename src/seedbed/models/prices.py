"""What hosted models cost, by the price list that comes with the package genai-prices.

The list is asked for what an endpoint's address and a model's name together say, and by nothing less: a
model of the same name costs something else elsewhere. It is imported at the first question (it takes
half a second), and asks nobody: its prices are those of its release.
"""

from __future__ import annotations

import ipaddress
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from seedbed.core.money import Price

# What a chat call without tools is charged by. A price by the request cannot be put into one by the token.
_BY_REQUEST = "requests_kcount"


@cache
def listed_price(model: str, url: str) -> Price | None:
    """The price that the list has for a model behind an address; None where it has none.

    Where the price depends on the length of the prompt or on the hour, the dearest counts.
    """
    if on_this_machine(url):
        return None
    try:
        from genai_prices import __version__, data_snapshot
    except ImportError:
        return None
    try:
        _, found = data_snapshot.get_snapshot().find_provider_model(model, None, None, url)
    except LookupError:
        return None
    prices = [entry for entry in _in_force(found) if _dearest(entry, "input_mtok") is not None]
    read = [_dearest(entry, "input_mtok") for entry in prices]
    written = [_dearest(entry, "output_mtok") for entry in prices]
    if not prices or None in written or any(getattr(entry, _BY_REQUEST, None) for entry in prices):
        return None
    cached = [_dearest(entry, "cache_read_mtok") for entry in prices]
    return Price.per_million(
        max(price for price in read if price is not None),
        max(price for price in written if price is not None),
        max((price for price in cached if price is not None), default=None) if None not in cached else None,
        source=f"genai-prices {__version__}",
    )


def has_price_list() -> bool:
    from importlib.util import find_spec

    return find_spec("genai_prices") is not None


def on_this_machine(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _in_force(model: Any) -> list[Any]:
    """Today's prices: one, or those of every hour where they change in the course of a day."""
    from genai_prices.types import ModelPrice, StartDateConstraint

    if isinstance(model.prices, ModelPrice):
        return [model.prices]
    today = datetime.now(tz=UTC)
    begun: list[Any] = []
    for entry in model.prices:
        if entry.constraint is None:
            begun = [entry.prices]
        elif isinstance(entry.constraint, StartDateConstraint):
            if entry.constraint.active(today):
                begun = [entry.prices]
        else:
            begun.append(entry.prices)
    return begun


def _dearest(entry: Any, key: str) -> Decimal | None:
    value: Any = getattr(entry, key, None)
    if value is None or isinstance(value, Decimal):
        return value
    prices: list[Decimal] = [value.base, *(tier.price for tier in value.tiers)]
    return max(prices)
