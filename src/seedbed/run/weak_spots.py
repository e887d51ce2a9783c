"""Where a run's student is weak on dev rows, and the recipe that asks for more of that."""

from __future__ import annotations

from collections.abc import Sequence

from seedbed.core.errors import InputError
from seedbed.run.binding import BoundRecipe
from seedbed.run.loading import load_bound
from seedbed.run.training import Material
from seedbed.student.arms import MIX
from seedbed.student.examine import Examined
from seedbed.student.slices import Slicing
from seedbed.student.targets import Targets, Wanted, label_errors, targets_of
from seedbed.student.weaknesses import Weakness, weaknesses_of


def weak_spots(bound: BoundRecipe, material: Material, examined: Examined, arm: str = MIX) -> list[Weakness]:
    """Slices of the dev rows in which what was learnt from an arm errs more than elsewhere.

    `examined` is of the material's dev rows: the texts of some stand in the result.
    """
    slicing = Slicing(bound.task, material.real, seed=bound.recipe.generate.seed)
    return weaknesses_of(examined, arm, bound.task, slicing)


def next_targets(
    bound: BoundRecipe,
    overrides: Sequence[str],
    examined: Examined,
    weaknesses: Sequence[Weakness],
    step: int,
    arm: str = MIX,
) -> Targets:
    """What the next run is to want: `step` records more than this one, which was loaded with `overrides`.

    Edge cases are left out, with a note, where the recipe takes none: its templates may not show them.
    """
    generate, label = bound.recipe.generate, bound.task.label_field
    errors = label_errors(examined, arm, bound.labels) if label is not None else {}

    def made(*, takes_cases: bool) -> Targets:
        wanted = Wanted(
            bound.quotas.target, bound.quotas.by_field, generate.cover, generate.edge_cases, takes_cases
        )
        return targets_of(weaknesses, wanted, step, label_field=label, errors=errors)

    targets = made(takes_cases=True)
    if targets.asked:
        try:
            load_bound(bound.loaded.path, (*overrides, *targets.overrides))
        except InputError:
            return made(takes_cases=False)
    return targets
