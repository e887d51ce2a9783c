"""`generate.cover`: how the target is shared out among the values of a label or axis."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final, Literal, TypeAlias

from seedbed.core.errors import RecipeError
from seedbed.core.registry import nearest
from seedbed.recipe.complaints import shown
from seedbed.recipe.document import KeyPath
from seedbed.recipe.findings import Findings

Amount: TypeAlias = int | float | Literal["fill"]
CoverEntry: TypeAlias = Literal["even"] | dict[str, Amount]

OTHERS: Final = "*"
FILL: Final = "fill"
EVEN: Final = "even"

# Shares that are typed with a few digits (0.333 three times) count as a whole.
_TYPED_SHORT = Fraction(1, 100)

# Whole numbers up to this are parts of a proportion where all values have one; larger ones are counts.
_LARGEST_PART = 9


def read_cover(raw: Any, path: KeyPath, findings: Findings) -> dict[str, CoverEntry]:
    """Every entry that has the right form; the others are reported."""
    cover: dict[str, CoverEntry] = {}
    for field, entry in findings.mapping(raw, path).items():
        where = (*path, field)
        if entry == EVEN:
            cover[field] = EVEN
        elif not isinstance(entry, dict) or not entry:
            findings.add(where, f"must be even, or a map of values to counts and shares, not {shown(entry)}")
        else:
            wrong = {value: why for value, amount in entry.items() if (why := _wrong_amount(amount))}
            for value, why in wrong.items():
                findings.add((*where, value), why)
            cover[field] = {value: amount for value, amount in entry.items() if value not in wrong}
    return cover


def _wrong_amount(amount: Any) -> str | None:
    if amount == FILL:
        return None
    if isinstance(amount, bool) or not isinstance(amount, int | float):
        return f"must be a count such as 40, a share such as 0.25, or fill, not {shown(amount)}"
    if isinstance(amount, float):
        if math.isnan(amount) or amount <= 0:
            return f"a share must be more than 0, not {amount:g}"
        if amount > 1:
            return f"a share must be at most 1, not {amount:g}; a count is a whole number"
    elif amount < 0:
        return f"a count must be at least 0, not {amount}"
    return None


def contradictions(
    entry: CoverEntry, values: Sequence[str] | None, target: int
) -> list[tuple[str | None, str]]:
    """What is wrong between an entry, the values there are (None: not known yet) and the target.

    Each is a value of the entry, or None for the entry as a whole, with the message.
    """
    if entry == EVEN or _proportions(entry, values, target) is not None:
        return []
    found: list[tuple[str | None, str]] = []
    if values is not None:
        for value in entry:
            if value != OTHERS and value not in values:
                close = nearest(value, list(values))
                hint = f"did you mean '{close}'?" if close else "there are: " + _listed(values)
                found.append((value, f"no such value; {hint}"))
        if found:
            return found
    amounts = _amounts(entry, values if values is not None else [v for v in entry if v != OTHERS])
    counts = sum(a for a in amounts.values() if isinstance(a, int))
    shares = sum((_exact(a) for a in amounts.values() if isinstance(a, float)), Fraction())
    asked = counts + shares * target
    if counts > target:
        found.append((None, f"cover asks for {counts} but target is {target}; raise the target to {counts}"))
    elif shares > 1:
        found.append((None, f"the shares sum to {float(shares):g}; they must not pass 1"))
    elif asked > target:
        needed = f"cover asks for {math.ceil(asked)} (counts and shares together) but target is {target}"
        found.append((None, f"{needed}; lower a share or let one value be fill"))
    elif values is not None and FILL not in amounts.values() and not _is_whole(asked, shares, target):
        given = f"cover gives {math.floor(asked)} of the target {target}"
        found.append((None, f"{given} and no value takes the rest; let one value be fill"))
    return found


def quotas(entry: CoverEntry, values: Sequence[str], target: int) -> dict[str, int]:
    """Accepted records wanted for each value, in the order of `values`: integers that sum to `target`.

    A count is taken as it is and a share as that part of the target; `fill` values divide what is
    left evenly, and so do values that the entry does not name unless `"*"` says something else.
    Fractions are settled by the largest remainder, ties by order. Raises RecipeError where
    `contradictions` finds any.
    """
    if not values:
        raise RecipeError("cover has no value to share the target among; list the labels or axis values")
    if found := contradictions(entry, values, target):
        raise RecipeError("; ".join(f"{value}: {why}" if value else why for value, why in found))
    if (parts := _proportions(entry, values, target)) is not None:
        total = sum(parts.values())
        return _largest_remainder({v: Fraction(target * parts[v], total) for v in values}, target)
    amounts = _amounts(entry, values)
    counts = sum(a for a in amounts.values() if isinstance(a, int))
    shares = sum((_exact(a) for a in amounts.values() if isinstance(a, float)), Fraction())
    filling = sum(1 for amount in amounts.values() if amount == FILL)
    # Without a filler the shares carry what a few digits left over.
    whole_share = Fraction(target) if filling or not shares else Fraction(target - counts) / shares
    rest = target - counts - shares * whole_share
    exact: dict[str, Fraction] = {}
    for value, amount in amounts.items():
        if isinstance(amount, int):
            exact[value] = Fraction(amount)
        elif isinstance(amount, float):
            exact[value] = _exact(amount) * whole_share
        else:
            exact[value] = rest / filling
    return _largest_remainder(exact, target)


def _proportions(entry: CoverEntry, values: Sequence[str] | None, target: int) -> dict[str, int] | None:
    """`{easy: 1, medium: 2, hard: 1}` as it stands: single digits for two values or more, and for all there
    are, that together are less than the target. None for any other entry."""
    if entry == EVEN or len(entry) < 2:
        return None
    parts = {value: n for value, n in entry.items() if isinstance(n, int) and 0 < n <= _LARGEST_PART}
    whole = len(parts) == len(entry) and OTHERS not in entry and (values is None or set(values) == set(entry))
    return parts if whole and sum(parts.values()) < target else None


def _largest_remainder(exact: Mapping[str, Fraction], total: int) -> dict[str, int]:
    floors = {value: math.floor(amount) for value, amount in exact.items()}
    left = total - sum(floors.values())
    by_remainder = sorted(exact, key=lambda value: floors[value] - exact[value])
    for value in by_remainder[:left]:
        floors[value] += 1
    return floors


def _amounts(entry: CoverEntry, values: Sequence[str]) -> dict[str, Amount]:
    if entry == EVEN:
        return dict.fromkeys(values, FILL)
    others: Amount = entry.get(OTHERS, FILL)
    return {value: entry.get(value, others) for value in values}


def _exact(share: float) -> Fraction:
    """The share as it was typed: 0.1 is a tenth."""
    return Fraction(repr(share))


def _is_whole(asked: Fraction, shares: Fraction, target: int) -> bool:
    return asked == target or (shares > 0 and target - asked <= _TYPED_SHORT * target)


def _listed(values: Sequence[str]) -> str:
    most = 12
    return ", ".join(values[:most]) + (f" and {len(values) - most} more" if len(values) > most else "")
