"""Whole numbers in proportion to weights, which sum exactly."""

from __future__ import annotations

import math
from collections.abc import Hashable, Mapping
from fractions import Fraction
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def apportion(weights: Mapping[K, float], total: int) -> dict[K, int]:
    """`total` shared out by the largest remainder (Hamilton), ties to what stands first.

    Who weighs more never gets less; weights that are all 0 share evenly. Raises ValueError for a negative
    weight or total, or nobody to share among.
    """
    if not weights or total < 0 or any(weight < 0 for weight in weights.values()):
        raise ValueError(f"cannot share out {total} by {dict(weights)}")
    exact = {key: Fraction(weight) for key, weight in weights.items()}
    whole = sum(exact.values())
    if not whole:
        exact, whole = dict.fromkeys(exact, Fraction(1)), Fraction(len(exact))
    parts = {key: total * weight / whole for key, weight in exact.items()}
    given = {key: math.floor(part) for key, part in parts.items()}
    by_remainder = sorted(parts, key=lambda key: given[key] - parts[key])
    for key in by_remainder[: total - sum(given.values())]:
        given[key] += 1
    return given
