"""Which cells a round asks: as many as its cover values are expected to need, in a fixed sequence.

The j-th cell of a combination of cover values is always the same cell: its template, method,
axis values and few-shot rows are rendezvous choices keyed by the combination and j. So neither
the target nor the size of a round decides what is asked, only how far each sequence is followed.

A method that works on a source goes through its items in an order of their hashes, a combination at a
time: an item more moves no other one's cells. A method that finds the label itself belongs to no
combination: its cells are their own sequence, over the whole source.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

from seedbed.core.cell import Cell
from seedbed.core.hashing import seed_from
from seedbed.prompts.sampling import RowPool, choose
from seedbed.recipe import DOCUMENT, ORDINARY
from seedbed.run.quotas import Quotas

# Axes that are no slots of the recipe: what a cell is sampled at, who writes it, which case it is of.
TEMPERATURE = "temperature"
TEACHER = "teacher"
EDGE_CASE = "edge_case"

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
    them) whose values have quotas; `pools` gives the real rows for a label, "" for any. `method_examples`
    are the rows that a method shows in the place of `examples`, `sources` the items that it works on;
    `open_label` are the methods whose cells decide no label; `teachers` the roles that write, where there
    are several. `by_label` has the values of an axis that hang on the label.
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
    method_examples: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, SourceItems] = field(default_factory=dict)
    open_label: frozenset[str] = frozenset()
    teachers: Mapping[str, float] = field(default_factory=dict)
    by_label: Mapping[str, Mapping[str, Mapping[str, float]]] = field(default_factory=dict)

    @cached_property
    def guided(self) -> Mapping[str, float]:
        """The methods whose cells have cover values, with their weights."""
        return {name: weight for name, weight in self.methods.items() if name not in self.open_label}

    @cached_property
    def open_share(self) -> float:
        """The share of all cells that belongs to methods without cover values."""
        return sum(self.methods[name] for name in self.open_label) / sum(self.methods.values())

    @cached_property
    def once_through(self) -> int:
        """Cells of methods that find the label which may serve no quota: all items once, and 40 at least."""
        return max(
            SPENT_CELLS, sum(len(self.sources[name].ids) for name in self.open_label & self.sources.keys())
        )

    def next_cell(self, combination: Combination, draw: int, uses: Counter[tuple[str, ...]]) -> Cell | None:
        """The `draw`-th cell of a combination (None: of the methods that find the label).

        `uses` counts the cells of methods with sources so far, by `use_key`; it is not changed. None where
        every method has worked on all of its source.
        """
        names = self.guided if combination is not None else dict.fromkeys(sorted(self.open_label), 1.0)
        methods = {name: self.methods[name] for name in names if not self._used_up(name, combination, uses)}
        if not methods:
            return None
        method = choose(methods, self.seed, *self._sequence(combination), draw, "method")
        return self.cell(method, combination, draw, uses)

    def cell(self, method: str, combination: Combination, draw: int, uses: Counter[tuple[str, ...]]) -> Cell:
        """The cell of a method in a combination: its `draw`-th, or of a method with a source the next one."""
        sequence = self._sequence(combination)
        key: tuple[str | int, ...] = (self.seed, *sequence, draw)
        source = ""
        if (items := self.sources.get(method)) is not None:
            document = self._document(combination)
            order = items.order(document, self.seed, method, *(sequence if not items.once else ()))
            use, at = divmod(uses[self.use_key(method, combination)], len(order))
            # What the item's cell is made of hangs on the item, not on how many stand before it.
            source, draw = order[at], use
            key = (self.seed, *sequence, method, source, use)
        axes: dict[str, str | float] = dict(
            zip(self.cover, combination or (), strict=combination is not None)
        )
        if axes.get(EDGE_CASE) == ORDINARY:
            del axes[EDGE_CASE]
        if method not in self.axis_blind:
            for name, values in self.axes.items():
                if name in axes or name == EDGE_CASE:  # of no case where it is not there
                    continue
                if combination is not None or name != self.label_field:
                    own = self.by_label.get(name, {}).get(str(axes.get(self.label_field or "")), values)
                    axes[name] = choose(own, *key, "axis", name)
        if self.teachers:
            axes[TEACHER] = choose(self.teachers, *key, TEACHER)
        if self.temperatures:
            levels = {repr(level): 1.0 for level in self.temperatures}
            axes[TEMPERATURE] = float(choose(levels, *key, TEMPERATURE))
        template = choose(self.method_templates[method], *key, "template")
        pool = self.pools.get(str(axes.get(self.label_field or "", "")))
        rows = pool.pick(self.method_examples.get(method, self.examples), *key, "examples") if pool else ()
        return Cell(method, template, axes, tuple(row for row in rows if row != source), draw, source)

    def first_values(self, method: str) -> tuple[str, ...]:
        """A value for each cover field, to try a method with: of documents the first that it works on."""
        items = self.sources.get(method)
        return tuple(
            next(
                value for value in self.axes[name] if name != DOCUMENT or items is None or items.count(value)
            )
            for name in self.cover
        )

    def _used_up(self, method: str, combination: Combination, uses: Counter[tuple[str, ...]]) -> bool:
        items = self.sources.get(method)
        if items is None:
            return False
        there = items.count(self._document(combination))
        return not there or (items.once and uses[self.use_key(method, combination)] >= there)

    def _sequence(self, combination: Combination) -> tuple[str, ...]:
        """What keys the choices of a combination's cells: of no edge case what it would be without any,
        so that one more case asks for nothing else again."""
        if combination is None:
            return ("", "open label")
        if self.cover[-1:] == (EDGE_CASE,) and combination[-1] == ORDINARY:
            return combination[:-1]
        return combination

    def _document(self, combination: Combination) -> str | None:
        """The document that a combination is about, where cover names documents."""
        if combination is None or DOCUMENT not in self.cover:
            return None
        return combination[self.cover.index(DOCUMENT)]

    def use_key(self, method: str, combination: Combination) -> tuple[str, ...]:
        """Whose uses of a source are counted together: a combination's, or all of a document where an item is
        used once."""
        if self.sources[method].once:
            return (method, self._document(combination) or "")
        return (method, *(combination or ()))


# Cover values, or None for the cells of methods that decide none.
Combination: TypeAlias = "tuple[str, ...] | None"


def cover_value(values: Mapping[str, Any], name: str) -> str:
    """What a cell's axes or a record's slots say of a cover field: of no edge case they say nothing."""
    return str(values.get(name, ORDINARY if name == EDGE_CASE else ""))


class SourceItems:
    """The items of a source by id, whether each is worked on but once, and which document it is of."""

    def __init__(self, ids: Sequence[str], *, once: bool, documents: Mapping[str, str] | None = None) -> None:
        self.ids = tuple(ids)
        self.once = once
        of: dict[str | None, list[str]] = {None: list(ids)}
        for item, document in (documents or {}).items():
            of.setdefault(document, []).append(item)
        self._pools = {document: RowPool(items) for document, items in of.items()}
        self._orders: dict[tuple[str | int | None, ...], tuple[str, ...]] = {}

    def count(self, document: str | None) -> int:
        """How many items there are, or of a document."""
        pool = self._pools.get(document)
        return len(pool.ids) if pool is not None else 0

    def order(self, document: str | None, *key: str | int) -> tuple[str, ...]:
        """All items, or those of a document, in an order of its own for `key`: one item more moves no other
        past another."""
        known = (document, *key)
        if known not in self._orders:
            self._orders[known] = self._pools[document].pick(self.count(document), *key, "source")
        return self._orders[known]


@dataclass
class Sequences:
    """How far each combination's sequence has been planned, over all rounds.

    `next_draw` counts cells by combination, None being the methods that find the label; `uses` those of
    methods that work on a source.
    """

    space: PlanSpace
    next_draw: Counter[Combination] = field(default_factory=Counter)
    uses: Counter[tuple[str, ...]] = field(default_factory=Counter)

    def note(self, cells: Sequence[Cell]) -> None:
        for cell in cells:
            self.next_draw[self._combination(cell)] += 1
            self._use(cell)

    def extended(self) -> Sequences:
        """A copy to plan with."""
        return Sequences(self.space, Counter(self.next_draw), Counter(self.uses))

    def take(self, combination: Combination) -> Cell | None:
        """The next cell of a combination, noted; None where no method has anything left to work on."""
        cell = self.space.next_cell(combination, self.next_draw[combination], self.uses)
        if cell is not None:
            self.next_draw[combination] += 1
            self._use(cell)
        return cell

    def open_is_due(self) -> bool:
        """Whether the next cell belongs to the methods that find the label, by their share of all cells."""
        total = self.next_draw.total()
        return self.next_draw[None] < self.space.open_share * (total + 1)

    def _combination(self, cell: Cell) -> Combination:
        if cell.method in self.space.open_label:
            return None
        return tuple([cover_value(cell.axes, name) for name in self.space.cover])

    def _use(self, cell: Cell) -> None:
        if cell.method in self.space.sources:
            self.uses[self.space.use_key(cell.method, self._combination(cell))] += 1


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
        self._taken: list[tuple[int, int]] = []  # cells, and what the target took, of each round
        cells = accepted = 0
        for at, measures in enumerate(rounds):
            of_round = measures["cells"]
            counted = of_round["planned"] - (of_round["failed"] if at < mended else 0)
            self._taken.append((counted, measures["accepted"]))
            if not of_round["planned"]:
                continue
            accepted += measures["good"]
            cells += counted
            if "" not in measures["cover"]:
                failed = 0 if at < mended else of_round["failed"]
                entry = CoverCounts(counted, measures["good"], failed)
                self.history.setdefault(("", ""), []).append(entry)
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

    def unwanted(self, most: int) -> bool:
        """Whether the latest `most` cells brought nothing that the target took, good or not."""
        cells = 0
        for counted, accepted in reversed(self._taken):
            cells += counted
            if accepted or cells >= most:
                return not accepted
        return False

    def mostly_failed(self, name: str, value: str) -> bool:
        """Whether a spent value gave nothing because its cells had no answer."""
        latest = self._latest(name, value)
        return 0 < latest.cells <= latest.failed * 2


def plan_from_scratch(space: PlanSpace, quotas: Quotas, most: int) -> list[Cell]:
    """The first cells of a run of which nothing is known."""
    return list(cells_of_round(Sequences(space), quotas.copy(), Yields([]), [], most))


def cells_of_round(
    sequences: Sequences,
    quotas: Quotas,
    yields: Yields,
    in_flight: Sequence[Cell],
    most: int,
) -> Iterator[Cell]:
    """Cells of the next round, or none where what is in flight should do or every value is spent.

    What they are is settled when the first is asked for, whatever becomes of the arguments after that.
    `in_flight` are the cells of rounds not yet closed; `most` bounds the round. Does not advance
    `sequences`: the caller does once the plan is on disk.
    """
    space = sequences.space
    if not space.guided and yields.unwanted(space.once_through):
        return
    fields = (space.cover if space.guided else ()) or ("",)
    wanted: list[list[tuple[str, int]]] = []
    for name in fields:
        expected: dict[str, float] = {}
        yield_of: dict[str, float] = {}  # it is a sum over all rounds
        for cell in in_flight:
            value = cover_value(cell.axes, name)
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
        return
    size = min(most, max(sum(count for _, count in column) for column in wanted))
    columns = [_spread(column, size, (space.seed, name)) for column, name in zip(wanted, fields, strict=True)]
    ahead = sequences.extended()
    for values in zip(*columns, strict=True):
        guided = values if space.cover else ()
        turns: list[Combination] = [None, guided] if ahead.open_is_due() else [guided, None]
        made = (ahead.take(turn) for turn in turns if turn is not None or space.open_label)
        if (taken := next(filter(None, made), None)) is not None:
            yield taken


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
