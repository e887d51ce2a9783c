"""Fixtures of the recipe: its folder, and loading a text that stands in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from seedbed.core.errors import Problem, RecipeError
from seedbed.core.registry import Registry
from seedbed.recipe import LoadedRecipe, load_recipe
from tests.recipe.fake_registry import DEFAULT_FILTERS, Fail, Load, fake_registry


@pytest.fixture(scope="session")
def registry() -> Registry:
    return fake_registry()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A recipe's folder with the files that the recipes of the tests name."""
    for name in ("data/train.csv", "data/test.csv", "replies.jsonl", "prompts/a.j2", "prompts/b.j2"):
        file = tmp_path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text("text,label\nsome,thing\n", encoding="utf-8")
    return tmp_path


@pytest.fixture
def load(folder: Path, registry: Registry) -> Load:
    def load_text(
        text: str, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> LoadedRecipe:
        (folder / "recipe.yaml").write_text(text, encoding="utf-8")
        return load_recipe(folder, registry, overrides, env or {}, default_filters=DEFAULT_FILTERS)

    return load_text


@pytest.fixture
def fail(load: Load) -> Fail:
    def problems(
        text: str, overrides: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> tuple[Problem, ...]:
        with pytest.raises(RecipeError) as caught:
            load(text, overrides, env)
        return caught.value.problems

    return problems
