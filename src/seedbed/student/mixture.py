"""How real and generated rows stand together in one training set: shares, slices, and what there is."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from typing import Literal

from seedbed.core.errors import InputError
from seedbed.student.rows import Row

Fixed = Literal["total", "real"]
Amount = float | int
"""A share of a slice's rows where it is a float in 0..1, a number of rows where it is an int."""


class MixtureError(InputError):
    """A mixture that the rows there are cannot make; the message says what there is."""


class _TooFewOfOthers(MixtureError):
    """Outside the slices with rules there are too few rows to make up for them: a smaller mix may do."""


@dataclass(frozen=True, slots=True)
class SliceRule:
    """What must hold in one slice of the mix.

    `real_at_least` brings in real rows for generated ones, the slice's size as it is; `synthetic_at_most`
    takes generated rows out, and the slice shrinks. Either is a share of the slice or a number of rows.
    """

    real_at_least: Amount | None = None
    synthetic_at_most: Amount | None = None


@dataclass(frozen=True, slots=True)
class Mixture:
    """A synthetic share, of a fixed total or beside all real rows, and rules for slices.

    `synthetic` is the share of generated rows, 0..1. With `fixed` total the whole has `size` rows, or what
    both sides can fill; with `fixed` real every real row is in it and generated ones are added up to the
    share. `slices` are rules by the slice's name: a label, or FIELD=VALUE.
    """

    synthetic: float
    size: int | None = None
    fixed: Fixed = "total"
    slices: Mapping[str, SliceRule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not 0 <= self.synthetic <= 1:
            raise ValueError(f"the synthetic share of a mix lies in 0..1, not {self.synthetic}")
        if self.size is not None and self.size < 1:
            raise ValueError(f"an arm has at least one row, not {self.size}")

    @property
    def share(self) -> Fraction:
        return Fraction(str(self.synthetic))


@dataclass(frozen=True, slots=True)
class Mixed:
    """The rows of a mix by side, and what it lacks of what was asked for ("" where nothing)."""

    real: tuple[Row, ...]
    synthetic: tuple[Row, ...]
    note: str = ""


def is_in(row: Row, name: str) -> bool:
    """Whether a row belongs to the slice of that name: a label, or FIELD=VALUE."""
    if row.answer == name:
        return True
    key, equals, value = name.partition("=")
    return bool(equals) and str(row.fields.get(key, "")) == value


def total_of(mixture: Mixture, real: int, synthetic: int) -> int:
    """Rows of a whole arm: the size asked for, else what both sides can fill, or all where one has none."""
    if mixture.fixed == "real":
        return real + beside(real, mixture.share, synthetic)
    return mixture.size or min(real, synthetic) or max(real, synthetic)


def mix(real: Sequence[Row], synthetic: Sequence[Row], mixture: Mixture) -> Mixed:
    """The mix of two sides whose rows stand in the order in which they are wanted.

    The share is exact to one row: where a side has too few rows, the whole shrinks rather than its share.
    Slices are exact to one row, too; raises MixtureError where the rows there are cannot make them.
    """
    share = mixture.share
    if mixture.fixed == "real":
        of_real, of_synthetic = len(real), beside(len(real), share, len(synthetic))
        note = _note_beside(len(real), of_synthetic, share, len(synthetic))
    else:
        total = total_of(mixture, len(real), len(synthetic))
        mixed = _largest(total, share, len(real), len(synthetic))
        of_synthetic = _synthetic_part(mixed, share)
        of_real = mixed - of_synthetic
        note = _note(mixed, total, share, len(real), len(synthetic))
    if not mixture.slices:
        return Mixed(tuple(real[:of_real]), tuple(synthetic[:of_synthetic]), note)
    try:
        return _by_slices(real, synthetic, of_real, of_synthetic, mixture.slices, note)
    except _TooFewOfOthers:
        if mixture.fixed == "real":
            raise
        return _smaller(real, synthetic, mixture, of_real + of_synthetic)


def _smaller(real: Sequence[Row], synthetic: Sequence[Row], mixture: Mixture, total: int) -> Mixed:
    """The largest mix below `total` in which the rules hold; raises MixtureError where there is none."""

    def sized(size: int) -> Mixed | None:
        part = _synthetic_part(size, mixture.share)
        try:
            return _by_slices(real, synthetic, size - part, part, mixture.slices, "")
        except _TooFewOfOthers:
            return None

    # Rounding may spare a row here and there: what fits lies at the end of the search or a few rows below.
    size = bisect_right(range(total), False, key=lambda size: sized(size) is None) - 1
    while size > 0:
        if (found := sized(size)) is not None:
            note = (
                f"{size:,} rows instead of {total:,}: there are no more rows outside mix.slices for what the "
                "slices want"
            )
            return replace(found, note=note)
        size -= 1
    raise MixtureError("mix.slices: there is no mix of any size in which all of them hold; ask less of them")


def _by_slices(
    real: Sequence[Row],
    synthetic: Sequence[Row],
    of_real: int,
    of_synthetic: int,
    rules: Mapping[str, SliceRule],
    note: str,
) -> Mixed:
    """The mix of so many rows of each side in which every rule holds.

    A slice is as large as without rules, unless `synthetic_at_most` takes rows from it. What rules bring in
    or take out is made up for by rows of no ruled slice, so that the whole keeps its size and its share.
    """
    slice_of = _slice_of(rules, [*real, *synthetic])
    plain_real, plain_synthetic = (
        Counter(slice_of[row.id] for row in rows) for rows in (real[:of_real], synthetic[:of_synthetic])
    )
    there = Counter(slice_of[row.id] for row in real)
    wanted_real: dict[str | None, int] = {}
    wanted_synthetic: dict[str | None, int] = {}
    for name, rule in rules.items():
        size = plain_real[name] + plain_synthetic[name]
        least = max(plain_real[name], _amount(rule.real_at_least, size) if size else 0)
        if least > there[name]:
            raise MixtureError(_too_little(name, rule, size, least, there[name]))
        wanted_real[name] = least
        wanted_synthetic[name] = max(0, min(size - least, _cap(rule.synthetic_at_most, least, size - least)))
    rest_real = of_real - sum(wanted_real.values())
    if rest_real < 0:
        raise MixtureError(
            f"mix.slices want {sum(wanted_real.values()):,} real rows, and at this synthetic share the mix "
            f"has {of_real:,}; lower mix.synthetic, or what the slices want"
        )
    rest_synthetic = of_synthetic - sum(wanted_synthetic.values())
    for kind, rows, rest in (("real", real, rest_real), ("synthetic", synthetic, rest_synthetic)):
        free = sum(1 for row in rows if slice_of[row.id] is None)
        if rest > free:
            raise _TooFewOfOthers(
                f"mix.slices leave {rest:,} rows of the mix to {kind} rows of other slices, and of those "
                f"there are {free:,}; make the mix smaller (mix.size), or ask less of the slices"
            )
    return Mixed(
        _taken(real, slice_of, {**wanted_real, None: rest_real}),
        _taken(synthetic, slice_of, {**wanted_synthetic, None: rest_synthetic}),
        note,
    )


def _slice_of(rules: Mapping[str, SliceRule], rows: Sequence[Row]) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    members = Counter[str]()
    for row in rows:
        names = [name for name in rules if is_in(row, name)]
        if len(names) > 1:
            raise MixtureError(
                f"mix.slices: a row is both in {names[0]!r} and in {names[1]!r}; slices with rules must have "
                "no row in common"
            )
        found[row.id] = names[0] if names else None
        members.update(names)
    if missing := [name for name in rules if not members[name]]:
        raise MixtureError(
            f"mix.slices: no row, real or generated, is in {missing[0]!r}; a slice is a label, or FIELD=VALUE"
        )
    return found


def _amount(amount: Amount | None, size: int) -> int:
    """The fewest rows that are at least the share of a slice, or the number itself."""
    if amount is None:
        return 0
    return math.ceil(Fraction(str(amount)) * size) if isinstance(amount, float) else amount


def _cap(amount: Amount | None, real: int, synthetic: int) -> int:
    """The most generated rows beside so many real ones."""
    if amount is None:
        return synthetic
    if not isinstance(amount, float):
        return amount
    share = Fraction(str(amount))
    return synthetic if share >= 1 else math.floor(share / (1 - share) * real)


def _too_little(name: str, rule: SliceRule, size: int, least: int, there: int) -> str:
    asked = rule.real_at_least
    said = f"{least:,} rows" if not isinstance(asked, float) else f"{asked:g} of {size:,}, {least:,} rows"
    told = f"mix.slices.{name}: real_at_least wants {said}, and there are {there:,} real train rows in it; "
    if not isinstance(asked, float):
        return f"{told}lower it to {there}, or add real rows"
    return f"{told}lower it to {there / size:.2f}, or make the mix smaller (mix.size)"


def _taken(
    rows: Sequence[Row], slice_of: Mapping[str, str | None], wanted: Mapping[str | None, int]
) -> tuple[Row, ...]:
    """The first rows of each slice, as many as are wanted, in their order."""
    left = dict(wanted)
    taken = []
    for row in rows:
        name = slice_of[row.id]
        if left[name] > 0:
            left[name] -= 1
            taken.append(row)
    return tuple(taken)


def beside(real: int, share: Fraction, synthetic: int) -> int:
    """Generated rows that give the share beside all real ones, as many as there are at the most."""
    return synthetic if share == 1 else min(synthetic, _asked_beside(real, share))


def _asked_beside(real: int, share: Fraction) -> int:
    return int(share / (1 - share) * real + Fraction(1, 2))


def _synthetic_part(total: int, share: Fraction) -> int:
    """The share of `total` to the nearest row, half a row going to the synthetic side."""
    return int(total * share + Fraction(1, 2))


def _largest(total: int, share: Fraction, real: int, synthetic: int) -> int:
    """The most rows, at most `total`, of which both sides can give their part.

    Without any row of a side that is to have a share there is no mix, not even of the one or two
    rows whose rounded parts would all come from the other.
    """
    if (share > 0 and not synthetic) or (share < 1 and not real):
        return 0

    def too_large(rows: int) -> bool:
        part = _synthetic_part(rows, share)
        return part > synthetic or rows - part > real

    # Neither part shrinks as the whole grows, so once too large is always too large.
    return bisect_right(range(total + 1), False, key=too_large) - 1


def _note(mixed: int, total: int, share: Fraction, real: int, synthetic: int) -> str:
    percent = f"{float(share):.4g}"
    if not mixed:
        missing = " and no ".join(
            kind for kind, rows in (("real", real), ("synthetic", synthetic)) if not rows
        )
        return f"there are no {missing} rows for a mix with a synthetic share of {percent}"
    if mixed == total:
        return ""
    too_few_synthetic = _synthetic_part(mixed + 1, share) > synthetic
    kind, available = ("synthetic", synthetic) if too_few_synthetic else ("real", real)
    return (
        f"{mixed:,} rows instead of {total:,}: the {available:,} {kind} rows allow no more "
        f"at a synthetic share of {percent}"
    )


def _note_beside(real: int, added: int, share: Fraction, synthetic: int) -> str:
    if not real:
        return f"there are no real rows for a mix with a synthetic share of {float(share):.4g}"
    if share == 1 or added == _asked_beside(real, share):
        return ""
    return (
        f"{added:,} synthetic rows instead of {_asked_beside(real, share):,} beside {real:,} real "
        f"ones: there are no more, so that their share is {added / (real + added):.4g} and not "
        f"{float(share):.4g}"
    )
