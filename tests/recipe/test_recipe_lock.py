"""The lock file: loads again to an equal recipe, and says the same on every machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.registry import Registry
from seedbed.recipe import LoadedRecipe, load_recipe, to_lock_yaml
from tests.recipe.fake_registry import Load
from tests.recipe.test_recipe_load import FULL, SHORTEST

ENV = {"OPENAI_BASE_URL": "http://localhost:8000/v1", "MY_KEY": "sk-live-1234"}
RECIPES = {
    "shortest": SHORTEST,
    "full": FULL,
    "wire": SHORTEST + "roles: {teacher: {model: m, api_key: env:MY_KEY}}\n",
    "recorded": SHORTEST + "roles: {teacher: {recorded: replies.jsonl, by: order}}\n",
    "rehearsal": SHORTEST + "roles: {teacher: {rehearsal: {copy: 0.5}}}\n",
    "judge": SHORTEST
    + "roles: {teacher: {model: m}, judge: {model: j, endpoint: 'http://localhost:9/v1'}}\n"
    + "filters: [default, {judge: {min: 4}}]\n",
    "rehearsal judge": SHORTEST
    + "roles: {judge: {rehearsal: {unreadable: 0.5}}}\nfilters: [default, judge]\n",
    "no filters": SHORTEST + "filters: []\n",
    "odd words": "name: codes\n"
    "task: {kind: classification, input: text, label: l, labels: [012, no, 'null']}\n"
    "generate: {axes: {tone: [1.10, 'a: b', ' x ', ünï, '- y']}, cover: {l: {'012': 1.0}}}\n",
    "instruction": "name: qa\ntask: {kind: instruction, context: source, description: 'answers'}\n",
}


def relock(loaded: LoadedRecipe, registry: Registry, env: dict[str, str]) -> LoadedRecipe:
    lock = loaded.folder / "recipe.lock.yaml"
    lock.write_text(to_lock_yaml(loaded), encoding="utf-8")
    return load_recipe(lock, registry, env=env, default_filters=["schema"])


@pytest.mark.parametrize("name", RECIPES)
def test_a_lock_loads_to_an_equal_recipe(load: Load, registry: Registry, name: str) -> None:
    loaded = load(RECIPES[name], env=ENV)
    again = relock(loaded, registry, ENV)
    assert again.recipe == loaded.recipe
    assert to_lock_yaml(again) == to_lock_yaml(loaded)


def test_defaults_are_filled_in_and_overrides_kept(folder: Path, load: Load) -> None:
    text = to_lock_yaml(load(SHORTEST, ["generate.target=77"]))
    assert "target: 77\n" in text
    assert "broken_json: 0.06\n" in text
    assert "threshold" not in text, "an option without a value is left out"
    assert str(folder) not in text, "paths stay as they were written"


def test_the_environment_stands_by_name_and_its_values_change_nothing(load: Load) -> None:
    text = to_lock_yaml(load(RECIPES["wire"], env=ENV))
    assert "endpoint: env:OPENAI_BASE_URL\n" in text
    assert "api_key: env:MY_KEY\n" in text
    assert not [value for value in ENV.values() if value in text]
    elsewhere = {"OPENAI_BASE_URL": "https://other/v1", "MY_KEY": "sk-2", "OPENAI_API_KEY": "sk-3"}
    assert to_lock_yaml(load(RECIPES["wire"], env=elsewhere)) == text
    undeclared = SHORTEST + "roles: {teacher: {model: m}}\n"
    assert to_lock_yaml(load(undeclared, env=ENV)) == to_lock_yaml(load(undeclared, env=elsewhere))
