"""A recipe on another's keys: what is merged, whose paths are whose, and where a problem is told."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import Problem, RecipeError
from seedbed.core.registry import Registry
from seedbed.recipe import LoadedRecipe, WireRole, load_recipe, to_lock_yaml
from seedbed.recipe.document import fits, parse
from seedbed.recipe.extends import MOST_FILES_DEEP, PATH_KEYS, difference, merge, read_tree
from tests.recipe.fake_registry import DEFAULT_FILTERS
from tests.recipe.test_recipe_docs import MODELS

BASE = """\
name: base
task: {kind: classification, input: text, label: team, labels: [a, b]}
sources:
  real: {path: data/train.csv, licence: mit}
generate:
  target: 50
  templates: [prompts/a.j2]
  axes: {tone: [plain, cross], topic: {file: topics.txt}}
student: classifier
"""


def write(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")


@pytest.fixture
def base(folder: Path) -> Path:
    """The folder of a base with its files; recipes stand in folders beside and below it."""
    (folder / "topics.txt").write_text("parcels\nrefunds\n", encoding="utf-8")
    write(folder, recipe=BASE)
    return folder


def loaded(file: Path, registry: Registry, *overrides: str) -> LoadedRecipe:
    return load_recipe(file, registry, overrides, env={}, default_filters=DEFAULT_FILTERS)


def problems(file: Path, registry: Registry, *overrides: str) -> tuple[Problem, ...]:
    with pytest.raises(RecipeError) as caught:
        loaded(file, registry, *overrides)
    return caught.value.problems


def test_maps_merge_and_all_else_is_replaced(base: Path, registry: Registry) -> None:
    write(
        base / "one",
        recipe="extends: ..\nname: one\ngenerate: {target: 70, axes: {tone: [warm]}}\nstudent:\n"
        "sources: {real: {licence: cc0}}\n",
    )
    recipe = loaded(base / "one", registry).recipe
    assert (recipe.name, recipe.generate.target, recipe.student) == ("one", 70, None)
    assert recipe.task.labels == ("a", "b")
    assert recipe.generate.axes["tone"] == ("warm",)
    assert recipe.sources["real"].licence == "cc0"
    assert loaded(base / "one", registry, "generate.target=9").recipe.generate.target == 9


def test_paths_of_a_base_are_relative_to_its_own_folder(base: Path, registry: Registry) -> None:
    write(base / "deep" / "er", recipe="extends: ../../recipe.yaml\n")
    one = loaded(base / "deep" / "er", registry)
    for path in (one.recipe.sources["real"].path, *one.recipe.generate.templates):
        assert path.startswith("../../")
        assert one.resolve(path).is_file()
    write(base, same="extends: recipe.yaml\n")
    assert loaded(base / "same.yaml", registry).recipe.generate.templates == ("prompts/a.j2",)


def test_every_path_of_the_models_is_rewritten() -> None:
    sections = {
        "Options": "task",
        "Source": "sources",
        "RecordedRole": "roles",
        "Generate": "generate",
        "AxisFile": "generate",
    }
    relative = [
        (sections[model.__name__], info.alias or name)
        for model in MODELS
        for name, info in model.model_fields.items()
        if "recipe's folder" in (info.description or "")
    ]
    assert len(relative) >= 4
    for section, name in relative:
        assert any(pattern[0] == section and name in pattern for pattern in PATH_KEYS), name


def test_a_schema_is_a_file_beside_the_base_or_a_class(base: Path, registry: Registry) -> None:
    (base / "order.json").write_text('{"type": "object"}')
    write(base, recipe="name: a\ntask: {kind: extraction, schema: order.json}\n")
    write(base / "one", recipe="extends: ..\n", other="extends: ..\ntask: {schema: 'seedbed.recipe:Split'}\n")
    options: Any = loaded(base / "one", registry).recipe.task.options
    assert options.record_schema == {"type": "object"}
    options = loaded(base / "one" / "other.yaml", registry).recipe.task.options
    assert options.record_schema["title"] == "Split"
    write(base, other="extends: one/other.yaml\n")
    assert loaded(base / "other.yaml", registry).recipe.task.options == options


def test_another_kind_replaces_the_whole(base: Path, registry: Registry) -> None:
    write(base, rehearsing="extends: recipe.yaml\nroles: {teacher: {rehearsal: {copy: 0.5}}}\n")
    write(
        base,
        real="extends: rehearsing.yaml\nroles: {teacher: {model: m, endpoint: 'http://localhost:1/v1'}}\n"
        "generate: {axes: {topic: {from: teacher, count: 3}}}\n",
    )
    recipe = loaded(base / "real.yaml", registry).recipe
    assert isinstance(recipe.teacher, WireRole)
    write(base, slower="extends: real.yaml\nroles: {teacher: {concurrency: 2}}\n")
    teacher = loaded(base / "slower.yaml", registry).recipe.teacher
    assert isinstance(teacher, WireRole)
    assert (teacher.model, teacher.concurrency) == ("m", 2)


def test_a_problem_is_told_where_it_stands(base: Path, registry: Registry) -> None:
    write(base, recipe=BASE.replace("target: 50", "targts: 50"))
    write(base / "one", recipe="extends: ..\nmix: {synthetik: 0.5}\n")
    first, second = problems(base / "one", registry)
    assert (first.file, first.line, first.key) == (str(base / "one/recipe.yaml"), 2, "mix.synthetik")
    assert (Path(second.file).resolve(), second.line) == ((base / "recipe.yaml").resolve(), 6)
    assert "did you mean 'target'?" in second.message


@pytest.mark.parametrize(
    ("written", "line", "message"),
    [
        ("name: x\nextends: none.yaml\n", 2, "no such recipe: "),
        ("extends: [recipe.yaml, 3]\n", 1, "must name a recipe"),
        ("extends:\n  - recipe.yaml\n  - list.yaml\n", 3, "is no map of keys"),
        ("extends: empty.yaml\n", 1, "is empty"),
        ("extends: one.yaml\n", 1, "in a circle"),
    ],
)
def test_bases_that_are_none(base: Path, registry: Registry, written: str, line: int, message: str) -> None:
    write(base, one=written, list="[a]\n", empty="# nothing\n")
    (problem,) = problems(base / "one.yaml", registry)
    assert (problem.file, problem.line, problem.key) == (str(base / "one.yaml"), line, "extends")
    assert message in problem.message


def test_what_breaks_a_base_names_both_files(base: Path, registry: Registry) -> None:
    write(base, broken="name: x\ntask: {kind: [\n", one="name: y\nextends: broken.yaml\n")
    (problem,) = problems(base / "one.yaml", registry)
    assert problem.file == str(base / "broken.yaml")
    assert f"(taken in by {base / 'one.yaml'}:2)" in problem.message


def test_circles_and_long_chains_end(base: Path, registry: Registry) -> None:
    write(base, a="extends: b.yaml\n", b="extends: a.yaml\n")
    (problem,) = problems(base / "a.yaml", registry)
    assert problem.file == str(base / "b.yaml")
    assert f"{base / 'a.yaml'} extends {base / 'b.yaml'} extends {base / 'a.yaml'}" in problem.message
    steps = {f"s{at}": f"extends: s{at + 1}.yaml\n" for at in range(MOST_FILES_DEEP + 1)}
    write(base, **steps, **{f"s{MOST_FILES_DEEP + 1}": BASE})
    (problem,) = problems(base / "s0.yaml", registry)
    assert f"{MOST_FILES_DEEP} are the most" in problem.message
    assert loaded(base / "s2.yaml", registry).recipe.name == "base"


def test_extends_is_no_override_and_no_part_of_the_lock(base: Path, registry: Registry) -> None:
    write(base, one="extends: recipe.yaml\n")
    (problem,) = problems(base / "one.yaml", registry, "extends=recipe.yaml")
    assert "before --set" in problem.message
    lock = to_lock_yaml(loaded(base / "one.yaml", registry))
    assert "extends" not in lock
    write(base, lock=lock)
    assert loaded(base / "lock.yaml", registry).recipe == loaded(base / "one.yaml", registry).recipe


WORD = st.sampled_from(["a", "b", "c", "roles", "model", "path"])
TREE: st.SearchStrategy[dict[str, Any]] = st.dictionaries(
    WORD,
    st.recursive(
        st.integers(0, 9) | st.none() | st.lists(st.integers(0, 9), max_size=2),
        lambda inner: st.dictionaries(WORD, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=4,
)


def resolved(files: Mapping[str, Mapping[str, Any]], name: str) -> Any:
    with tempfile.TemporaryDirectory() as folder:
        for file, tree in files.items():
            (Path(folder) / file).write_text(json.dumps(tree), encoding="utf-8")
        root, found = read_tree(Path(folder) / name)
        assert not found
        return root.plain()


def leaves(tree: Any, path: tuple[str, ...] = ()) -> dict[tuple[str, ...], Any]:
    if isinstance(tree, dict) and tree:
        return {at: leaf for key, inner in tree.items() for at, leaf in leaves(inner, (*path, key)).items()}
    return {path: tree}


@given(TREE, TREE, TREE)
def test_a_chain_is_what_a_list_is(a: dict[str, Any], b: dict[str, Any], c: dict[str, Any]) -> None:
    listed = {"a": a, "b": b, "c": {**c, "extends": ["a", "b"]}}
    chained = {"a": a, "b": {**b, "extends": "a"}, "c": {**c, "extends": "b"}}
    assert resolved(listed, "c") == resolved(chained, "c")


@given(TREE, TREE)
def test_no_key_is_lost(base: dict[str, Any], over: dict[str, Any]) -> None:
    merged = leaves(resolved({"base": base, "over": {**over, "extends": "base"}}, "over"))
    own = {path: value for path, value in leaves(over).items() if value not in (None, {})}
    for path, value in own.items():
        assert merged[path] == value
    for path, value in leaves(base).items():
        covered = any(
            path[: len(other)] == other or other[: len(path)] == path for other in leaves(over) if other
        )
        # A role that says which kind it is replaces one of another kind.
        if path and not covered and not fits(("roles", "*"), path[:2]):
            assert merged[path] == value


# Of the keys some tell a kind of map where they stand, and values are maps, lists or spelt in two ways.
_KEYS = st.sampled_from(
    ["student", "roles", "judge", "model", "recorded", "generate", "axes", "file", "from"]
)
_TREES = st.recursive(
    st.sampled_from([12, 1.5, "12", "012", True, "true", [1, 2], ["1", 2], [{"file": 1}]]),
    lambda inner: st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_KEYS, _TREES), st.dictionaries(_KEYS, _TREES))
def test_a_difference_laid_over_its_base_is_what_was_wanted(
    base: dict[str, Any], wanted: dict[str, Any]
) -> None:
    one, _ = parse(json.dumps(base), "base")
    other, _ = parse(json.dumps(wanted), "wanted")
    said = difference(one, other)
    # As a file says it, which is all that a recipe gets to see.
    written, _ = parse(json.dumps(said.plain()), "over")
    assert json.dumps(merge(one, written).plain(), sort_keys=True) == json.dumps(wanted, sort_keys=True)
    assert difference(one, one).plain() == {}
