"""The plan of a day, worked out backwards: from when loaves are due to when their dough is mixed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from loafplan.errors import CapacityError, FormulaError
from loafplan.formulas import Formula
from loafplan.orders import Order, totals
from loafplan.ovens import Oven

# Loaves cool on the rack before they are packed; warm ones sweat in the bag.
COOLING = 45
MIXING = 20


@dataclass(frozen=True)
class Batch:
    """Loaves of one kind that go into the oven together. Times are minutes after midnight."""

    loaf: str
    count: int
    mix: int
    load: int
    unload: int


def plan_day(orders: Iterable[Order], formulas: Mapping[str, Formula], oven: Oven) -> list[Batch]:
    """The batches of a day in the order in which they are loaded.

    What is due last is placed first, as late as the oven allows, so that bread is as fresh as it can be.
    Raises FormulaError for a loaf without a formula, CapacityError where the oven is too small.
    """
    batches: list[Batch] = []
    wanted = totals(orders)
    for (loaf, due), count in sorted(wanted.items(), key=lambda item: (-item[0][1], item[0][0])):
        formula = formulas.get(loaf)
        if formula is None:
            raise FormulaError(f"no formula is called {loaf!r}; there are: {', '.join(sorted(formulas))}")
        for size in _split(count, formula.per_deck):
            load = oven.latest(due - COOLING - formula.bake, formula.bake)
            if load is None:
                raise CapacityError(f"{size} {loaf} do not fit before {due - COOLING}; add a deck or an hour")
            oven.occupy(load, formula.bake)
            mix = load - formula.proof - MIXING
            batches.append(Batch(loaf, size, mix, load, load + formula.bake))
    return sorted(batches, key=lambda batch: (batch.load, batch.loaf))


def _split(count: int, most: int) -> list[int]:
    """As few batches as possible, of sizes that differ by one at most: 50 by 24 is 17, 17 and 16."""
    parts = -(-count // most)
    return [count // parts + (part < count % parts) for part in range(parts)]
