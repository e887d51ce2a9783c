"""From a path and overrides to a bound recipe, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from seedbed.core.errors import InputError, Problem, RecipeError
from seedbed.core.registry import Registry
from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import LoadedRecipe, load_recipe
from seedbed.run.binding import BoundRecipe, bind, real_and_eval
from seedbed.run.real_rows import needed_of_eval
from seedbed.run.registry import registry
from seedbed.run.rendering import check_rendering
from seedbed.sources.eval_lock import EvalLockServer

# Sections without which the data and templates of a recipe can be looked at all the same.
_APART = ("filters", "roles", "mix", "student", "budget", "export")


def load_bound(
    recipe: Path, overrides: Sequence[str], *, env: Mapping[str, str] = os.environ, calibrated: bool = True
) -> BoundRecipe:
    """Load, validate and bind; unless `calibrated`, without looking for the calibrations that filters name.

    Raises InputError with the problems of recipe, data and templates together.
    """
    tables = registry()
    try:
        loaded = _load(recipe, tables, overrides, env)
    except RecipeError as error:
        raise RecipeError([*error.problems, *_further(recipe, tables, overrides, error.problems)]) from None
    try:
        bound = bind(loaded, tables, calibrated=calibrated)
    except RecipeError as error:
        raise RecipeError([*error.problems, *_of_eval(loaded, tables)]) from None
    check_rendering(bound)
    return bound


def _load(
    recipe: Path, tables: Registry, overrides: Sequence[str], env: Mapping[str, str] = os.environ
) -> LoadedRecipe:
    return load_recipe(recipe, tables, overrides, env, default_filters=DEFAULT_FILTERS)


def _further(
    recipe: Path, tables: Registry, overrides: Sequence[str], known: Sequence[Problem]
) -> list[Problem]:
    """Problems of data and templates behind a recipe that has problems of its own.

    The sections that do not decide how data is read are left out, then generation too.
    """
    for apart in (_APART, (*_APART, "generate")):
        without = [f"{section}=null" for section in apart]
        loaded: LoadedRecipe | None = None
        try:
            loaded = _load(recipe, tables, [*overrides, *without])
            bind(loaded, tables)
            return _of_eval(loaded, tables)
        except InputError as error:
            # Whatever has a key is said of the recipe, of which parts are left out here.
            own = str(_file(recipe))
            found = [p for p in error.problems if p not in known and not p.key and p.file != own]
            if loaded is not None:
                return [*found, *_of_eval(loaded, tables)]
    return []


def _file(recipe: Path) -> Path:
    return recipe / "recipe.yaml" if recipe.is_dir() else recipe


def _of_eval(loaded: LoadedRecipe, tables: Registry) -> list[Problem]:
    """What the eval's own process says of the eval file, where something else is wrong already."""
    task, spec = real_and_eval(loaded, tables)
    if spec is None:
        return []
    try:
        needs = needed_of_eval(spec, task, tested=loaded.recipe.student is not None)
        EvalLockServer.start(spec, needs=needs, may_be_empty=task.optional_fields).close()
    except InputError as error:
        return list(error.problems)
    return []
