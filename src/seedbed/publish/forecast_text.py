"""What a preview says of a whole run, in words."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from seedbed.core.money import nano, shown_dollars


def forecast_lines(whole: Mapping[str, Any] | None) -> list[str]:
    """Calls, tokens and money of a whole run with their 95 % intervals, one a line."""
    if whole is None:
        return ["no draft was good: nothing can be said of the whole run"]
    lines = [
        f"calls: {_interval(whole['questions'])}, retries apart",
        f"prompt tokens: {_interval(whole['prompt_tokens'])}",
        f"completion tokens: {_interval(whole['completion_tokens'])}",
    ]
    if "cost" in whole:
        cost = whole["cost"]
        low, high = _dollars(cost["low"]), _dollars(cost["high"])
        lines.append(
            f"cost: {_dollars(cost['value'])} ({low} to {high})" if cost["high"] else "cost: nothing"
        )
    else:
        lines.append("cost: unknown, as no price is known; write price: {input: …, output: …} into the role")
    return lines


def _interval(estimate: Mapping[str, float]) -> str:
    value, low, high = (_whole(estimate[name]) for name in ("value", "low", "high"))
    return f"{value} ({low} to {high})"


def _whole(number: float) -> str:
    return f"{math.ceil(number):,}" if math.isfinite(number) else "no bound"


def _dollars(number: float) -> str:
    return shown_dollars(nano(number)) if math.isfinite(number) else "no bound"
