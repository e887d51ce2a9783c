"""Whatever stands in a recipe, it loads or is refused with problems that name their place."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.core.errors import Problem, RecipeError
from seedbed.core.registry import Registry
from seedbed.recipe import load_recipe, to_lock_yaml
from tests.recipe.fake_registry import DEFAULT_FILTERS
from tests.recipe.test_recipe_docs import MODELS

# A fixed order keeps hypothesis's reproductions valid from one process to the next.
KEYS = sorted({name for model in MODELS for name in model.model_fields})
WORDS = [
    *KEYS,
    "template",
    "direct",
    "default",
    "-refusal",
    "length",
    "even",
    "fill",
    "*",
    "env:X",
    "data/train.csv",
]
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 300),
    st.floats(allow_nan=False, allow_infinity=False, width=16),
    st.sampled_from(WORDS),
    st.text(max_size=5),
)
VALUE: st.SearchStrategy[Any] = st.recursive(
    SCALAR,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=4),
    max_leaves=12,
)
SECTIONS = ["task", "sources", "roles", "generate", "filters", "mix", "student", "budget", "export"]
SOUND = {
    "name": "x",
    "task": {"kind": "classification", "input": "text", "label": "team", "labels": ["a", "b"]},
}


def problems_of(recipe: dict[str, Any], folder: Path, registry: Registry) -> tuple[Problem, ...]:
    """What is wrong with the recipe; nothing where it loads, and then it can be locked too."""
    file = folder / "recipe.yaml"
    file.write_text(json.dumps(recipe), encoding="utf-8")
    try:
        loaded = load_recipe(file, registry, env={}, default_filters=DEFAULT_FILTERS)
    except RecipeError as error:
        return error.problems
    lock = folder / "recipe.lock.yaml"
    lock.write_text(to_lock_yaml(loaded), encoding="utf-8")
    again = load_recipe(lock, registry, env={}, default_filters=DEFAULT_FILTERS)
    assert again.recipe == loaded.recipe
    return ()


RECIPES = given(sections=st.dictionaries(st.sampled_from(SECTIONS), VALUE, max_size=4), sound=st.booleans())


def no_recipe_makes_it_stumble(
    folder: Path, registry: Registry, sections: dict[str, Any], sound: bool
) -> None:
    problems = problems_of((SOUND if sound else {"name": "x"}) | sections, folder, registry)
    assert all(problem.message and problem.file and problem.line == 1 for problem in problems)


FEW, MANY = (
    settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples)
    for examples in (100, 3_000)
)
test_no_recipe_makes_it_stumble = FEW(RECIPES(no_recipe_makes_it_stumble))
test_none_of_many_recipes_makes_it_stumble = pytest.mark.campaign(MANY(RECIPES(no_recipe_makes_it_stumble)))


@pytest.mark.parametrize("section", SECTIONS)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30)
@given(value=VALUE)
def test_no_section_makes_it_stumble(folder: Path, registry: Registry, section: str, value: Any) -> None:
    problems = problems_of(SOUND | {section: value}, folder, registry)
    own = [problem for problem in problems if problem.key.startswith(section)]
    assert len(own) == len(problems) or section in ("task", "sources")
