"""What a recipe's filters lack, told before a request is paid for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from seedbed.core.errors import Problem
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.core.registry import Registry
from seedbed.recipe import LoadedRecipe, Recipe
from seedbed.recipe.filters import place_of_filter

# Modules that a filter wants -> the extra that brings them.
_EXTRAS = {"sklearn": "classifier", "py3langid": "language"}


def not_checked(recipe: Recipe, registry: Registry) -> list[str]:
    """What the recipe's filters leave out by their options and say so (`not_checked`)."""
    return [
        f"{entry.name} did not check {left_out}"
        for entry in recipe.filters
        if (said := getattr(registry.filters.get(entry.name), "not_checked", None))
        and (left_out := said(entry.options))
    ]


def filter_problems(
    loaded: LoadedRecipe, registry: Registry, task: Task, real: Sequence[Record]
) -> list[Problem]:
    """Each at the filter's place in the recipe.

    A filter may say of itself what it `needs` (modules that can be imported), what its options ask of
    the task (`problems`) and what it wants of the real rows (`problems_with_rows`).
    """
    written = loaded.written("filters")
    return [
        loaded.problem(
            [*place_of_filter(written, entry.name), *path],
            f"{entry.name} {message}" if not path else message,
        )
        for entry in loaded.recipe.filters
        for path, message in problems_of(registry.filters.get(entry.name), entry.options, task, real)
    ]


def problems_of(
    plugin: type, options: object, task: Task, real: Sequence[Record]
) -> Iterator[tuple[tuple[str, ...], str]]:
    for module in getattr(plugin, "needs", ()):
        if find_spec(module) is None:
            extra = _EXTRAS.get(module, module)
            yield (), f"needs {module}: pip install 'seedbed[{extra}]', or take the filter out"
    found = list(plugin.problems(options, task)) if hasattr(plugin, "problems") else []
    yield from found
    if not found and hasattr(plugin, "problems_with_rows"):
        yield from (((), message) for message in plugin.problems_with_rows(options, task, real))
