"""Which cells a round asks: as many as its cover values are expected to need, in a fixed sequence.

The j-th cell of a combination of cover values is always the same cell: its template, method,
axis values and few-shot rows are rendezvous choices keyed by the combination and j. So neither
the target nor the size of a round decides what is asked, only how far each sequence is followed.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.hashing import seed_from
from seedbed.prompts.sampling import RowPool, choose
from seedbed.run.quotas import Quotas

TEMPERATURE = "temperature"

# A cover value is spent when its latest SPENT_CELLS cells gave nothing that was accepted.
SPENT_CELLS = 40
SMOOTHING = 4.0
# No yield is believed to be lower: it bounds what one round asks for the last missing records.
LOWEST_YIELD = 0.05
SMALLEST_FIRST_ROUND = 32


@dataclass(frozen=True)
class PlanSpace:
    """Everything a cell can be made of.

    `axes` maps an axis to its values and weights; `cover` names the axes (the label field among
    them) whose values have quotas; `pools` gives the real rows for a label, "" for any.
    """

    seed: int
    cover: tuple[str, ...]
    axes: Mapping[str, Mapping[str, float]]
    temperatures: tuple[float, ...]
    methods: Mapping[str, float]
    method_templates: Mapping[str, Mapping[str, float]]
    axis_blind: frozenset[str]
    label_field: str | None
    pools: Mapping[str, RowPool]
    examples: int

    def cell(self, combination: tuple[str, ...], draw: int) -> Cell:
        """The `draw`-th cell of a combination of cover values."""
        key: tuple[str | int, ...] = (self.seed, *combination, draw)
        method = choose(self.methods, *key, "method")
        axes: dict[str, str | float] = dict(zip(self.cover, combination, strict=True))
        if method not in self.axis_blind:
            for name, values in self.axes.items():
                if name not in axes:
                    axes[name] = choose(values, *key, "axis", name)
        if self.temperatures:
            levels = {repr(level): 1.0 for level in self.temperatures}
            axes[TEMPERATURE] = float(choose(levels, *key, TEMPERATURE))
        template = choose(self.method_templates[method], *key, "template")
        label = str(axes[self.label_field]) if self.label_field else ""
        pool = self.pools.get(label)
        rows = pool.pick(self.examples, *key, "examples") if pool else ()
        return Cell(method, template, axes, rows, draw)


@dataclass
class Sequences:
    """How far each combination's sequence has been planned, over all rounds."""

    cover: tuple[str, ...]
    next_draw: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def note(self, cells: Sequence[Cell]) -> None:
        for cell in cells:
            combination = tuple(str(cell.axes[name]) for name in self.cover)
            self.next_draw[combination] = max(self.next_draw[combination], cell.draw + 1)


@dataclass(frozen=True)
class CoverCounts:
    """What one closed round did for one cover value."""

    cells: int
    accepted: int
    failed: int


class Yields:
    """Accepted records a cell, for each cover value, from closed rounds alone."""

    def __init__(self, rounds: Sequence[Mapping[str, Any]], mended: int = 0) -> None:
        """`rounds`: the measures of closed rounds, in order.

        The first `mended` of them are from before this sitting: whatever made their cells fail may
        have been mended since, so that those cells say nothing about what to expect.
        """
        self.history: dict[tuple[str, str], list[CoverCounts]] = {}
        cells = accepted = 0
        for at, measures in enumerate(rounds):
            if not measures["cells"]["planned"]:
                continue
            accepted += measures["good"]
            cells += measures["cells"]["planned"] - (measures["cells"]["failed"] if at < mended else 0)
            for name, values in measures["cover"].items():
                for value, counts in values.items():
                    failed = 0 if at < mended else counts["failed"]
                    counted = counts["cells"] - (counts["failed"] - failed)
                    entry = CoverCounts(counted, counts["good"], failed)
                    self.history.setdefault((name, value), []).append(entry)
        self.overall = (accepted + SMOOTHING) / (cells + SMOOTHING)

    def of(self, name: str, value: str) -> float:
        rounds = self.history.get((name, value), ())
        cells = sum(r.cells for r in rounds)
        accepted = sum(r.accepted for r in rounds)
        return max(LOWEST_YIELD, (accepted + SMOOTHING * self.overall) / (cells + SMOOTHING))

    def _latest(self, name: str, value: str) -> CoverCounts:
        cells = accepted = failed = 0
        for counts in reversed(self.history.get((name, value), ())):
            cells += counts.cells
            accepted += counts.accepted
            failed += counts.failed
            if cells >= SPENT_CELLS:
                break
        return CoverCounts(cells, accepted, failed)

    def most(self, name: str, value: str) -> int | None:
        """Cells to risk on a value that has brought nothing yet; None where it has, or is untried."""
        latest = self._latest(name, value)
        return SPENT_CELLS - latest.cells if latest.cells and not latest.accepted else None

    def spent(self, name: str, value: str) -> bool:
        latest = self._latest(name, value)
        return latest.cells >= SPENT_CELLS and latest.accepted == 0

    def mostly_failed(self, name: str, value: str) -> bool:
        """Whether a spent value gave nothing because its cells had no answer."""
        latest = self._latest(name, value)
        return latest.failed * 2 >= latest.cells


def plan_round(
    space: PlanSpace,
    sequences: Sequences,
    quotas: Quotas,
    yields: Yields,
    in_flight: Sequence[Cell],
    most: int,
) -> list[Cell]:
    """Cells of the next round, or none where what is in flight should do or every value is spent.

    `in_flight` are the cells of rounds not yet closed; `most` bounds the round. Does not advance
    `sequences`: the caller does once the plan is on disk.
    """
    fields = space.cover or ("",)
    wanted: list[list[tuple[str, int]]] = []
    for name in fields:
        expected: dict[str, float] = {}
        yield_of: dict[str, float] = {}  # it is a sum over all rounds
        for cell in in_flight:
            value = str(cell.axes[name]) if name else ""
            if value not in yield_of:
                yield_of[value] = yields.of(name, value)
            expected[value] = expected.get(value, 0.0) + yield_of[value]
        deficit = quotas.deficit(name) if name else {"": quotas.missing}
        column = []
        for value, missing in deficit.items():
            short = missing - expected.get(value, 0.0)
            if short > 1e-9 and not yields.spent(name, value):
                count = math.ceil(short / yields.of(name, value))
                risk = yields.most(name, value)
                column.append((value, count if risk is None else min(count, max(1, risk))))
        wanted.append(column)
    if any(not column for column in wanted):
        return []
    size = min(most, max(sum(count for _, count in column) for column in wanted))
    columns = [_spread(column, size, (space.seed, name)) for column, name in zip(wanted, fields, strict=True)]
    draws = Counter(sequences.next_draw)
    cells = []
    for values in zip(*columns, strict=True):
        combination = values if space.cover else ()
        cells.append(space.cell(combination, draws[combination]))
        draws[combination] += 1
    return cells


def _spread(wanted: Sequence[tuple[str, int]], size: int, key: tuple[str | int, ...]) -> list[str]:
    """`size` values in proportion to what each wants, evenly mixed: any prefix has the same shares."""
    total = sum(count for _, count in wanted)
    dealt = []
    for value, count in wanted:
        share = count / total
        # The tie order differs by field, so that two fields do not march in step.
        order = seed_from(*key, value)
        dealt += [((at + 0.5) / share, order, value) for at in range(math.ceil(share * size))]
    dealt.sort()
    return [value for _, _, value in dealt[:size]]


def first_round_size(target: int, most: int) -> int:
    """A quarter of the target, before anything is known of the yield; all of a small target."""
    return min(most, max(math.ceil(target / 4), min(target, SMALLEST_FIRST_ROUND)))
