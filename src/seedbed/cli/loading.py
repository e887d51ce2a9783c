"""From a path on the command line to a bound recipe."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import load_recipe
from seedbed.run.binding import BoundRecipe, bind
from seedbed.run.registry import registry
from seedbed.run.rendering import check_rendering


def load_bound(recipe: Path, overrides: Sequence[str]) -> BoundRecipe:
    """Load, validate and bind; raises InputError with every problem."""
    tables = registry()
    bound = bind(load_recipe(recipe, tables, overrides, default_filters=DEFAULT_FILTERS), tables)
    check_rendering(bound)
    return bound
