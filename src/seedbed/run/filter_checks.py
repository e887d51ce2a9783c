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


def asks_embedder(plugin: type, options: object) -> bool:
    """Whether a filter with these options compares by vectors of the role `embedder`."""
    return hasattr(plugin, "asks_embedder") and bool(plugin.asks_embedder(options))


def filter_problems(
    loaded: LoadedRecipe, registry: Registry, task: Task, real: Sequence[Record]
) -> list[Problem]:
    """Each at the filter's place in the recipe.

    A filter may say of itself what it `needs` (modules that can be imported), what its options ask of
    the task (`problems`), what it wants of the real rows (`problems_with_rows`), and what it lacks where the
    recipe has no documents (`problems_without_documents`); and whether it has the role `embedder` asked
    (`asks_embedder`).
    """
    written = loaded.written("filters")
    documents = any(source.chunk is not None for source in loaded.recipe.sources.values())
    return [
        loaded.problem(
            [*place_of_filter(written, entry.name), *path],
            f"{entry.name} {message}" if not path else message,
        )
        for entry in loaded.recipe.filters
        for path, message in [
            *problems_of(registry.filters.get(entry.name), entry.options, task, real, documents),
            *_without_embedder(loaded.recipe, registry.filters.get(entry.name), entry.options),
        ]
    ]


def _without_embedder(recipe: Recipe, plugin: type, options: object) -> list[tuple[tuple[str, ...], str]]:
    if recipe.roles.embedder is not None or not asks_embedder(plugin, options):
        return []
    return [((), "compares by roles.embedder, which is not there; write one, or another embedder here")]


def problems_of(
    plugin: type, options: object, task: Task, real: Sequence[Record], documents: bool
) -> Iterator[tuple[tuple[str, ...], str]]:
    if missing := [module for module in getattr(plugin, "needs", ()) if find_spec(module) is None]:
        extras = ", ".join(dict.fromkeys(_EXTRAS.get(module, module) for module in missing))
        yield (), f"needs {', '.join(missing)}: pip install 'seedbed[{extras}]', or take the filter out"
        return  # what else it says of itself may take them
    found = list(plugin.problems(options, task)) if hasattr(plugin, "problems") else []
    yield from found
    if not found and not documents and hasattr(plugin, "problems_without_documents"):
        yield from (((), message) for message in plugin.problems_without_documents(options, task))
    if not found and hasattr(plugin, "problems_with_rows"):
        yield from (((), message) for message in plugin.problems_with_rows(options, task, real))
