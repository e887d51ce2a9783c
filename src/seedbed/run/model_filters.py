"""The filters that ask a model, built when a recipe is bound: their prompts are part of what a run is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from seedbed.core.errors import InputError, Problem, RecipeError
from seedbed.core.protocols import FilterContext, ModelFilter, Task
from seedbed.core.registry import Registry
from seedbed.recipe import LoadedRecipe, Recipe
from seedbed.recipe.filters import place_of_filter


def build_model_filters(loaded: LoadedRecipe, task: Task, registry: Registry) -> tuple[ModelFilter, ...]:
    """In the recipe's order. Raises RecipeError with what is wrong with any, at the filter's line."""
    context = FilterContext(task=task, folder=loaded.folder)
    built: list[ModelFilter] = []
    problems: list[Problem] = []
    for entry in loaded.recipe.filters:
        kind = registry.filters.get(entry.name)
        if kind.kind != "model":
            continue
        try:
            built.append(kind.build(entry.options, context))
        except InputError as error:
            place = place_of_filter(loaded.written("filters"), entry.name)
            problems += [loaded.problem(place, str(problem)) for problem in error.problems]
    if problems:
        raise RecipeError(problems)
    return tuple(built)


def filter_versions(
    recipe: Recipe, registry: Registry, model_filters: Sequence[ModelFilter]
) -> list[list[Any]]:
    """What decides the verdicts of each filter: its name, version, options, and the prompts it asks by."""
    prompts = {each.name: sorted(prompt.hash for prompt in each.prompts.values()) for each in model_filters}
    return [
        [
            entry.name,
            registry.filters.get(entry.name).version,
            entry.options.model_dump(),
            *prompts.get(entry.name, ()),
        ]
        for entry in recipe.filters
    ]
