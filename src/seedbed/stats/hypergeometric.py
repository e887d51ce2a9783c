"""Fisher's exact test of a slice against the rest, one-sided, and Holm's correction over many of them."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence

_NEGLIGIBLE = 1e-18


def upper_tail(hits: int, drawn: int, marked: int, total: int) -> float:
    """P(X >= hits) where `drawn` of `total` rows are taken blindly and `marked` of all are errors.

    That is the one-sided p of Fisher's exact test (Fisher 1935) of "the drawn rows hold more errors than the
    others". Exact up to rounding: 0 only where the true p is below the smallest float. Raises ValueError for
    counts that cannot be.
    """
    if not (0 <= drawn <= total and 0 <= marked <= total and 0 <= hits <= min(drawn, marked)):
        raise ValueError(f"no such draw: {hits} hits of {drawn} drawn, {marked} marked of {total}")
    least = max(0, drawn + marked - total)
    if hits <= least:
        return 1.0
    # Of the two tails the one without the mode: its first term is its largest, so that none can count where
    # the first one is too small for a float.
    if hits * total > drawn * marked:
        return min(1.0, _tail(hits, drawn, marked, total, step=1))
    return max(0.0, 1.0 - _tail(hits - 1, drawn, marked, total, step=-1))


def _tail(first: int, drawn: int, marked: int, total: int, *, step: int) -> float:
    """The chance of `first` hits and of all further ones upwards (step 1) or downwards (step -1).

    By the logarithm of the first term, and the others as parts of it by their ratios.
    """
    unmarked, term, terms, found = total - marked, 1.0, 1.0, first
    while term >= terms * _NEGLIGIBLE:
        if step > 0:
            term *= (marked - found) * (drawn - found) / ((found + 1) * (unmarked - drawn + found + 1))
        else:
            term *= found * (unmarked - drawn + found) / ((marked - found + 1) * (drawn - found + 1))
        terms += term
        found += step
    log_first = _log_choose(marked, first) + _log_choose(unmarked, drawn - first) - _log_choose(total, drawn)
    return math.exp(log_first + math.log(terms))


def smallest_tail(drawn: int, marked: int, total: int) -> float:
    """The smallest p that the margins allow, which no finding enters: all errors there can be are drawn."""
    return upper_tail(min(drawn, marked), drawn, marked, total)


def could_tell(smallest: Sequence[float], level: float) -> list[bool]:
    """Which of several discrete tests could ever be significant beside the others (Tarone 1990).

    A test whose smallest possible p is above level / k, k being the number of those at or below it, says no
    whatever the rows say: it need not count in a correction. The margins alone decide this, so that what was
    found has no say in how many tests there are.
    """
    ordered = sorted(smallest)
    for counted in range(1, len(smallest) + 1):
        if bisect_right(ordered, level / counted) <= counted:
            return [p <= level / counted for p in smallest]
    return []


def holm(values: Sequence[float]) -> list[float]:
    """p corrected for all tests together, parallel to `values` (Holm 1979): 0..1.

    Rejecting what is at or below a level keeps the chance of even one false rejection below the level,
    however the tests hang together. Slices of one set of rows overlap in every way.
    """
    corrected, largest = [0.0] * len(values), 0.0
    for rank, index in enumerate(sorted(range(len(values)), key=values.__getitem__)):
        largest = max(largest, min(1.0, (len(values) - rank) * values[index]))
        corrected[index] = largest
    return corrected


def _log_choose(of: int, chosen: int) -> float:
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)
