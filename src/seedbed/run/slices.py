"""The slices of a mix, held against labels and real rows before anything is asked or paid for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from seedbed.core.errors import Problem
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.recipe import LoadedRecipe
from seedbed.recipe.words import meant
from seedbed.student.mixture import is_in
from seedbed.student.rows import row_of


def slice_problems(
    loaded: LoadedRecipe, task: Task, labels: Sequence[str], train: Sequence[Record], dev: Sequence[Record]
) -> Iterator[Problem]:
    """Of a name that no row can have, and of more real rows wanted than there are whatever is generated."""
    mix = loaded.recipe.mix
    for name, rule in (mix.slices if mix is not None else {}).items():
        key = ("mix", "slices", name)
        field, equals, _ = name.partition("=")
        if name not in labels and not equals:
            hint = meant(name, labels, "the task has no labels")
            yield loaded.problem(key, f"a slice is a label, or FIELD=VALUE, and no label is {name!r}; {hint}")
        elif name not in labels and field not in task.fields:
            yield loaded.problem(
                key, f"no field of the task is called {field!r}; {meant(field, task.fields, '')}"
            )
        elif isinstance(rule.real_at_least, int):
            # What Seedbed made before is no real row of a mix.
            there = _count((row for row in train if row.provenance.depth == 0), name, task)
            if rule.real_at_least > there:
                set_aside = _count(dev, name, task)
                yield loaded.problem(
                    (*key, "real_at_least"),
                    f"wants {rule.real_at_least:,} rows, and there are {there:,} real train rows in it"
                    + (f" ({set_aside:,} more are dev rows)" if set_aside else "")
                    + f"; lower it to {there:,}, or add real rows",
                )


def _count(records: Iterable[Record], name: str, task: Task) -> int:
    """How many belong to a slice, by the rule of the mix itself."""
    return sum(is_in(row_of(task, record.id, record.fields), name) for record in records)
