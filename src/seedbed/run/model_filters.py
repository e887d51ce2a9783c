"""The filters that ask a model, built when a recipe is bound: their prompts are part of what a run is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.errors import InputError, Problem, RecipeError
from seedbed.core.hashing import short_id
from seedbed.core.protocols import FilterContext, ModelFilter, Task
from seedbed.core.record import Record
from seedbed.core.registry import Registry
from seedbed.filters.scoring import ScoringFilter
from seedbed.recipe import LoadedRecipe
from seedbed.recipe.filters import place_of_filter
from seedbed.review.calibration import Comparison
from seedbed.run.calibrations import identity_of, read_calibration
from seedbed.run.filter_checks import asks_embedder
from seedbed.run.roles import asked_model


@dataclass(frozen=True)
class ModelFilters:
    """The model filters of a recipe in its order. `compared` is, by name, how judges do beside people."""

    filters: tuple[ModelFilter, ...] = ()
    compared: Mapping[str, Comparison] = field(default_factory=dict)


def build_model_filters(
    loaded: LoadedRecipe,
    task: Task,
    variables: Mapping[str, str],
    labels: Sequence[str],
    registry: Registry,
    documents: Sequence[Record],
    *,
    calibrated: bool = True,
) -> ModelFilters:
    """Raises RecipeError with what is wrong with any, at the filter's line.

    `variables` and `labels` are what prompts have of the task. Unless `calibrated`, the calibrations that
    filters name are not looked for.
    """
    context = FilterContext(task=task, folder=loaded.folder, documents=documents)
    built: list[ModelFilter] = []
    compared: dict[str, Comparison] = {}
    problems: list[Problem] = []
    for entry in loaded.recipe.filters:
        kind = registry.filters.get(entry.name)
        if kind.kind != "model":
            continue
        options: Any = entry.options
        try:
            made = kind.build(options, context)
            if calibrated and isinstance(made, ScoringFilter) and (path := options.calibration) is not None:
                judge = identity_of(loaded, made, variables, labels)
                found = read_calibration(loaded.resolve(path), judge).at(made.good_from)
                compared[entry.name] = found
                made = made.in_regime(found.regime)
            built.append(made)
        except InputError as error:
            place = place_of_filter(loaded.written("filters"), entry.name)
            problems += [loaded.problem(place, str(problem)) for problem in error.problems]
    if problems:
        raise RecipeError(problems)
    return ModelFilters(tuple(built), compared)


def filter_versions(loaded: LoadedRecipe, registry: Registry, model_filters: ModelFilters) -> list[list[Any]]:
    """What decides the verdicts of each filter: its name, version, options, whom it asks and by which
    prompts, how that does beside people, and the model of embeddings that it compares by."""
    recipe = loaded.recipe
    decisive = {
        each.name: [
            asked_model(loaded, recipe.roles.bound[each.role]).hash,
            *sorted(prompt.hash for prompt in each.prompts.values()),
        ]
        for each in model_filters.filters
    }
    for name, comparison in model_filters.compared.items():
        decisive[name].append(comparison.hash)
    if (embedder := recipe.roles.embedder) is not None:
        for entry in recipe.filters:
            if asks_embedder(registry.filters.get(entry.name), entry.options):
                decisive[entry.name] = [short_id("embedder", [embedder.model, embedder.revision])]
    return [
        [
            entry.name,
            registry.filters.get(entry.name).version,
            entry.options.model_dump(),
            *decisive.get(entry.name, ()),
        ]
        for entry in loaded.recipe.filters
    ]
