"""The three arms of a proof: real rows only, synthetic rows only, and the mix.

An arm is a training set. All arms have the same total where the rows allow it, so that what differs
between their scores is what the rows teach and not how many there are.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from seedbed.core.hashing import seed_from

REAL_ONLY = "real_only"
SYNTHETIC_ONLY = "synthetic_only"
MIX = "mix"


class Row(NamedTuple):
    """One training row as a student sees it: the record's id, its text, its label."""

    id: str
    text: str
    label: str


@dataclass(frozen=True, slots=True)
class Arm:
    """A training set of `real` + `synthetic` rows. `note` says what it lacks, and is empty if nothing."""

    name: str
    rows: tuple[Row, ...]
    real: int
    synthetic: int
    note: str = ""


def build_arms(
    real: Sequence[Row], synthetic: Sequence[Row], mix: float, size: int | None = None, seed: int = 0
) -> list[Arm]:
    """The arms real_only, synthetic_only and mix, in that order.

    `mix` is the synthetic share of the mix arm, 0..1, kept exact to one row: where one side has too
    few rows for the full size, the whole arm shrinks rather than its share. `size` is the total of
    each arm; left out, it is what both sides can fill, or all rows where one side has none. An arm
    that stays below the size says so in its note.

    Rows are chosen by the hash of their id with the seed, label by label in the proportions of
    their side, so that one more row moves at most a few others and a larger arm contains the
    smaller one. Raises ValueError for a share outside 0..1 or a size below 1.
    """
    if not 0 <= mix <= 1:
        raise ValueError(f"the synthetic share of a mix lies in 0..1, not {mix}")
    if size is not None and size < 1:
        raise ValueError(f"an arm has at least one row, not {size}")
    real_rows, synthetic_rows = _in_order(real, seed), _in_order(synthetic, seed)
    total = size or min(len(real), len(synthetic)) or max(len(real), len(synthetic))
    share = Fraction(str(mix))
    mixed = _largest_mix(total, share, len(real), len(synthetic))
    of_synthetic = _synthetic_part(mixed, share)
    return [
        _arm(REAL_ONLY, real_rows[:total], (), _lacking(total, len(real), "real")),
        _arm(SYNTHETIC_ONLY, (), synthetic_rows[:total], _lacking(total, len(synthetic), "synthetic")),
        _arm(
            MIX,
            real_rows[: mixed - of_synthetic],
            synthetic_rows[:of_synthetic],
            _mix_note(mixed, total, share, len(real), len(synthetic)),
        ),
    ]


def _arm(name: str, real: Sequence[Row], synthetic: Sequence[Row], note: str) -> Arm:
    return Arm(name, (*real, *synthetic), len(real), len(synthetic), note)


def _in_order(rows: Sequence[Row], seed: int) -> list[Row]:
    """The rows so that every prefix is a sample stratified by label.

    Within a label rows stand by hash; the k-th of a label's n rows comes at k/n of the whole. A
    prefix therefore holds each label in proportion, to one row, and any label as early as can be:
    its first row comes at 0.
    """
    by_hash = sorted(rows, key=lambda row: (seed_from(seed, row.id), row.id))
    of_label = Counter(row.label for row in rows)
    taken: Counter[str] = Counter()
    place: list[tuple[float, int]] = []
    for position, row in enumerate(by_hash):
        place.append((taken[row.label] / of_label[row.label], position))
        taken[row.label] += 1
    return [by_hash[position] for _, position in sorted(place)]


def _synthetic_part(total: int, share: Fraction) -> int:
    """The share of `total` to the nearest row, half a row going to the synthetic side."""
    return int(total * share + Fraction(1, 2))


def _largest_mix(total: int, share: Fraction, real: int, synthetic: int) -> int:
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


def _lacking(total: int, available: int, kind: str) -> str:
    if not available:
        return f"there are no {kind} rows"
    if available >= total:
        return ""
    return f"{available:,} rows instead of {total:,}: there are no more {kind} rows"


def _mix_note(mixed: int, total: int, share: Fraction, real: int, synthetic: int) -> str:
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
