"""What is measured of a filter on one data set, and the table that the documentation has of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from seedbed.stats.intervals import wilson


@dataclass(frozen=True)
class Rate:
    hits: int
    of: int

    @property
    def value(self) -> float:
        return self.hits / self.of if self.of else 0.0

    def __str__(self) -> str:
        """The share with its Wilson interval at 95 %, in per cent, and the counts behind it."""
        if not self.of:
            return "none"
        share = wilson(self.hits, self.of)
        value, low, high = (f"{100 * bound:.1f}" for bound in (share.value, share.low, share.high))
        return f"{value} % ({low}–{high}; {self.hits:,} of {self.of:,})"


@dataclass(frozen=True)
class Figure:
    """`false_drop` is the share of real human text that falls; a rate that is None was not measured."""

    filter: str
    data: str
    rows: int
    precision: Rate | None
    recall: Rate | None
    false_drop: Rate | None
    rows_per_second: float


def precision_and_recall(found: Sequence[bool], truth: Sequence[bool]) -> tuple[Rate, Rate]:
    """Of what the filter found and of what is there, how much is both."""
    both = sum(a and b for a, b in zip(found, truth, strict=True))
    return Rate(both, sum(found)), Rate(both, sum(truth))


def table(figures: Iterable[Figure]) -> str:
    lines = [
        "| filter | data | rows | precision | recall | false drops | rows a second |",
        "|---|---|---|---|---|---|---|",
    ]
    for each in figures:
        rates = ("" if rate is None else str(rate) for rate in (each.precision, each.recall, each.false_drop))
        cells = (f"`{each.filter}`", each.data, f"{each.rows:,}", *rates, f"{each.rows_per_second:,.0f}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"
