"""The JSON Schema for editors: it accepts what loads, refuses typical mistakes, and describes every key."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.core.errors import RecipeError
from seedbed.core.registry import Registry
from seedbed.recipe import load_recipe
from seedbed.recipe.document import parse
from seedbed.recipe.json_schema import DIALECT, recipe_schema
from seedbed.run.registry import registry as real_registry
from tests.recipe.fake_registry import DEFAULT_FILTERS, Load, fake_registry
from tests.recipe.test_recipe_docs import DOCS, MODELS, NOT_TYPED
from tests.recipe.test_recipe_fuzz import SECTIONS, SOUND, VALUE
from tests.recipe.test_recipe_load import FULL, SHORTEST
from tests.recipe.test_recipe_lock import ENV, RECIPES

FAKE = recipe_schema(fake_registry())
REAL = recipe_schema(real_registry())
VALIDATORS = {id(schema): jsonschema_rs.Draft202012Validator(schema) for schema in (FAKE, REAL)}


def errors(recipe: str, schema: dict[str, Any]) -> list[str]:
    root, problems = parse(recipe, "recipe.yaml")
    assert not problems
    found = VALIDATORS[id(schema)].iter_errors(root.plain())
    return [f"{list(error.instance_path)}: {error.message}" for error in found]


def starters() -> list[str]:
    root = resources.files("seedbed") / "examples"
    return [
        (entry / "recipe.yaml").read_text("utf-8")
        for entry in root.iterdir()
        if (entry / "recipe.yaml").is_file()
    ]


def shown() -> list[str]:
    return re.findall(r"```yaml\n(name:.*?)```", DOCS.read_text("utf-8"), re.DOTALL)


def test_it_is_a_schema() -> None:
    assert REAL["$schema"] == DIALECT
    jsonschema_rs.meta.validate(REAL)


@pytest.mark.parametrize("recipe", [*starters(), *shown()])
def test_recipes_that_are_shown_validate(recipe: str) -> None:
    assert errors(recipe, REAL) == []


FORMS = [
    *RECIPES.values(),
    FULL,
    SHORTEST + "generate: {methods: [direct, {template: {output: text, weight: 2}}], temperature: [0, 1]}\n",
    SHORTEST + "generate: {methods: template, templates: prompts/a.j2, cover: {team: {a: 3, '*': fill}}}\n",
    SHORTEST + "generate: {axes: {tone: [1.10, true, dry], who: {from: teacher, count: 4, ask: who}}}\n",
    SHORTEST + "generate: {axes: {topic: {file: data/train.csv, column: text}}}\n",
    SHORTEST + "filters: [default, '-length', {near_duplicates: }, {schema: {}}]\nstudent: {classifier: }\n",
    SHORTEST + "sources:\nroles:\ngenerate:\nfilters:\nmix:\nstudent:\nbudget:\nexport:\n",
    SHORTEST + "roles: {teacher: {rehearsal: }}\nbudget: {requests: }\n",
    SHORTEST + "use: research\nbudget: {time: 1h30m, disk: 512MB, cost: 4, tokens: 100}\n",
    SHORTEST + "roles: {teacher: {model: m, timeout: 2m, price: {input: 1, output: 2.5}, licence: mit}}\n",
    SHORTEST + "roles: {teacher: {model: m, timeout: 9, licence: {terms: ours, allows_training: true}}}\n",
    SHORTEST + "sources: {all: {path: 'data/*.csv', lock: , compare: text, split: {eval: 0.3}}}\n",
]


@pytest.mark.parametrize("recipe", FORMS)
def test_every_form_that_loads_validates(load: Load, recipe: str) -> None:
    load(recipe, env=ENV)
    assert errors(recipe, FAKE) == []


@pytest.mark.parametrize(
    "recipe",
    [
        "name: x\n",
        "task: {kind: instruction}\n",
        SHORTEST.replace("tickets", "My Tickets"),
        SHORTEST.replace("classification", "classify"),
        SHORTEST.replace("input: text, ", ""),
        SHORTEST + "generate: {targts: 5}\n",
        SHORTEST + "generate: {target: many}\n",
        SHORTEST + "generate: {target: 0}\n",
        SHORTEST + "generate: {methods: {templat: 1}}\n",
        SHORTEST + "generate: {temperature: 3}\n",
        SHORTEST + "generate: {cover: {team: {a: 1.5}}}\n",
        SHORTEST + "generate: {axes: {tone: []}}\n",
        SHORTEST + "generate: {axes: {label: [a]}}\n",
        SHORTEST + "generate: {axes: {tone: {from: teacher}}}\n",
        SHORTEST + "generate: {axes: {tone: {from: judge, count: 3}}}\n",
        SHORTEST + "filters: [default, -lenght]\n",
        SHORTEST + "filters: [{length: {min_word: 3}}]\n",
        SHORTEST + "sources: {real: {pth: data/train.csv}}\n",
        SHORTEST + "sources: {real: {path: a.csv, format: excel}}\n",
        SHORTEST + "roles: {teacher: {model: m, api_key: sk-123}}\n",
        SHORTEST + "roles: {teacher: {recorded: r.jsonl, by: luck}}\n",
        SHORTEST + "mix: {synthetic: 75}\n",
        SHORTEST + "use: fun\n",
        SHORTEST + "budget: {time: 6}\n",
        SHORTEST + "roles: {teacher: {model: m, price: {input: 3}}}\n",
        SHORTEST + "student: {classifier: {}, other: {}}\n",
        SHORTEST + "export: [parquet]\n",
        SHORTEST + "judge: {min: 4}\n",
        "extends: base.yaml\ngenerate: {targts: 5}\n",
        "extends: base.yaml\ntask: {kind: classify}\n",
    ],
)
def test_typical_mistakes_do_not(recipe: str) -> None:
    assert errors(recipe, FAKE) != []


@pytest.mark.parametrize(
    "recipe",
    [
        "extends: base.yaml\n",
        "extends: [a.yaml, b.yaml]\nname: x\nmix:\nsources: {real: }\n",
        "extends: base.yaml\ntask: {labels: [a, b]}\nroles: {teacher: {by: label}}\n",
        "extends: base.yaml\ngenerate: {axes: {who: {count: 50}}}\nsources: {real: {licence: mit}}\n",
    ],
)
def test_over_a_base_a_part_of_a_section_will_do(recipe: str) -> None:
    assert errors(recipe, FAKE) == []


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.dictionaries(st.sampled_from(SECTIONS), VALUE, max_size=3))
def test_whatever_loads_validates(folder: Path, registry: Registry, sections: dict[str, Any]) -> None:
    recipe = json.dumps(SOUND | sections)
    (folder / "recipe.yaml").write_text(recipe, encoding="utf-8")
    try:
        load_recipe(folder, registry, env={}, default_filters=DEFAULT_FILTERS)
    except RecipeError:
        return
    assert errors(recipe, FAKE) == []


def paths(tree: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield (*path, key)
            yield from paths(value, (*path, key))


WHOLE: dict[str, Any] = parse(FULL, "")[0].plain() | {"roles": {"teacher": {"rehearsal": {"copy": 0.1}}}}
CHANGE = st.tuples(
    st.sampled_from(sorted(paths(WHOLE), key=str)),
    st.sampled_from(["none", "gone", "list", "map", 0, 1, 0.5, "default", "even"]),
)


def a_changed_recipe_that_loads_validates(folder: Path, registry: Registry, changes: list[Any]) -> None:
    recipe = copy.deepcopy(WHOLE)
    for (*above, last), to in changes:
        inner: Any = recipe
        for key in above:
            inner = inner.get(key) if isinstance(inner, dict) else None
        if not isinstance(inner, dict):
            continue
        if to == "gone":
            inner.pop(last, None)
        else:
            inner[last] = {"none": None, "list": [], "map": {}}.get(to, to) if isinstance(to, str) else to
    text = json.dumps(recipe)
    (folder / "recipe.yaml").write_text(text, encoding="utf-8")
    try:
        load_recipe(folder, registry, env={}, default_filters=DEFAULT_FILTERS)
    except RecipeError:
        return
    assert errors(text, FAKE) == []


CHANGES = given(changes=st.lists(CHANGE, min_size=1, max_size=3))
FEW, MANY = (
    settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=examples)
    for examples in (60, 2_000)
)
test_a_changed_recipe_that_loads_validates = FEW(CHANGES(a_changed_recipe_that_loads_validates))
test_many_changed_recipes_that_load_validate = pytest.mark.campaign(
    MANY(CHANGES(a_changed_recipe_that_loads_validates))
)


def keys(schema: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every key that the schema knows, with what it says of it."""
    if isinstance(schema, list):
        for item in schema:
            yield from keys(item)
    elif isinstance(schema, dict):
        for name, value in schema.items():
            if name == "properties":
                yield from value.items()
                yield from keys(list(value.values()))
            elif name != "if":
                yield from keys(value)


def test_every_key_of_the_models_is_there_with_its_description_and_says_something() -> None:
    found: dict[tuple[str, str], dict[str, Any]] = {
        (name, schema["description"]): schema for name, schema in keys(REAL) if "description" in schema
    }
    wanted = [
        (info.alias or name, info.description or "")
        for model in MODELS
        for name, info in model.model_fields.items()
        if (model, name) not in NOT_TYPED
    ]
    assert [key for key in wanted if key not in found] == []
    saying = {"type", "enum", "const", "anyOf", "if", "allOf"}
    assert [key for key, schema in found.items() if not saying & schema.keys()] == []


def test_the_command_prints_it() -> None:
    command = [sys.executable, "-m", "seedbed.cli", "schema"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == json.loads(json.dumps(REAL))
    assert done.stderr == ""
