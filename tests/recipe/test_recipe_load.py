"""What a valid recipe becomes: defaults, short forms, overrides, places of keys."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.registry import Registry
from seedbed.recipe import RecordedRole, RehearsalRole, WireRole, load_recipe
from tests.recipe.fake_registry import Fail, Load

SHORTEST = "name: tickets\ntask: {kind: classification, input: text, label: team, labels: [a, b]}\n"

FULL = """\
name: bank-intents
task: {kind: classification, input: text, label: category}
sources:
  real: {path: data/train.csv, columns: {category: label}, split: {dev: 0.2}}
  eval: {path: data/test.csv, lock: true, compare: question, ignore_after: "Choices:"}
roles:
  teacher: {model: qwen3-32b, endpoint: "http://localhost:8000/v1"}
generate:
  target: 3000
  cover:
    category: {rare: 400, "*": fill}
    channel: even
  templates: [prompts/a.j2, prompts/b.j2]
  axes: {channel: [app, phone]}
  methods: {template: 3, direct: 1}
  temperature: 0.7
filters: [default, -refusal, {near_duplicates: {threshold: 0.7}}]
mix: {synthetic: 0.5}
student: {classifier: {features: char}}
budget: {requests: 9000}
export: [jsonl, trl-sft]
"""


def test_the_shortest_recipe_has_every_default(load: Load) -> None:
    recipe = load(SHORTEST).recipe
    assert isinstance(recipe.teacher, RehearsalRole)
    assert recipe.is_rehearsal
    assert recipe.generate.target == 200
    assert [(entry.name, entry.weight) for entry in recipe.generate.methods] == [("template", 1.0)]
    assert [entry.name for entry in recipe.filters] == [
        "refusal",
        "schema",
        "length",
        "duplicates",
        "near_duplicates",
        "contamination",
    ]
    assert recipe.sources == {}
    assert recipe.mix is None
    assert recipe.budget.requests is None


def test_every_section_arrives(load: Load) -> None:
    loaded = load(FULL)
    recipe = loaded.recipe
    assert isinstance(recipe.teacher, WireRole)
    assert not recipe.is_rehearsal
    assert recipe.teacher.endpoint.url == "http://localhost:8000/v1"
    assert recipe.teacher.api_key is None
    assert {name: source.lock for name, source in recipe.sources.items()} == {"real": False, "eval": True}
    assert recipe.sources["real"].compare == ("text",)
    assert loaded.resolve(recipe.sources["real"].path).is_file()
    assert recipe.sources["eval"].compare == ("question",)
    assert recipe.generate.cover == {"category": {"rare": 400, "*": "fill"}, "channel": "even"}
    assert recipe.generate.temperature == (0.7,)
    assert [(e.name, e.weight) for e in recipe.generate.methods] == [("template", 3), ("direct", 1)]
    filters = {entry.name: entry.options.model_dump() for entry in recipe.filters}
    assert list(filters) == ["schema", "length", "duplicates", "near_duplicates", "contamination"]
    assert filters["near_duplicates"] == {"threshold": 0.7}
    assert recipe.student is not None
    assert recipe.student.options.model_dump() == {"features": "char"}
    assert recipe.export == ("jsonl", "trl-sft")


def test_a_folder_and_its_file_are_the_same_recipe(folder: Path, load: Load, registry: Registry) -> None:
    loaded = load(SHORTEST)
    again = load_recipe(folder / "recipe.yaml", registry, env={}, default_filters=["refusal"])
    assert again.recipe.name == loaded.recipe.name
    assert again.folder == loaded.folder == folder
    assert [entry.name for entry in again.recipe.filters] == ["refusal"]


def test_a_share_of_a_source_may_be_the_eval(load: Load) -> None:
    recipe = load(SHORTEST + "sources: {all: {path: data/train.csv, split: {eval: 0.3}}}\n").recipe
    (source,) = recipe.sources.values()
    assert not source.lock
    assert (source.split.eval, source.split.dev) == (0.3, 0.0)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("template", {"template": (1.0, "json")}),
        ("{template: 3, direct: {output: text}}", {"template": (3.0, "json"), "direct": (1.0, "text")}),
        ("[direct, {template: {output: text, weight: 2}}]", {"direct": (1, "json"), "template": (2, "text")}),
    ],
)
def test_forms_of_methods(load: Load, written: str, expected: dict[str, tuple[float, str]]) -> None:
    methods = load(SHORTEST + f"generate: {{methods: {written}}}\n").recipe.generate.methods
    assert {e.name: (e.weight, e.options.model_dump()["output"]) for e in methods} == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("default", ["refusal", "schema", "length", "duplicates", "near_duplicates", "contamination"]),
        ("[]", []),
        ("[length, schema]", ["length", "schema"]),
        (
            "[contamination, default]",
            ["contamination", "refusal", "schema", "length", "duplicates", "near_duplicates"],
        ),
        ("[default, -schema, -contamination]", ["refusal", "length", "duplicates", "near_duplicates"]),
        (
            "[{length: {min_words: 3}}, default]",
            ["length", "refusal", "schema", "duplicates", "near_duplicates", "contamination"],
        ),
        (
            "[default, {length: {min_words: 3}}]",
            ["refusal", "schema", "length", "duplicates", "near_duplicates", "contamination"],
        ),
        (
            "[default, -schema, schema, -refusal, -length, -duplicates, -contamination]",
            ["near_duplicates", "schema"],
        ),
    ],
)
def test_forms_of_filters(load: Load, written: str, expected: list[str]) -> None:
    recipe = load(SHORTEST + f"filters: {written}\n").recipe
    assert [entry.name for entry in recipe.filters] == expected
    options = {entry.name: entry.options.model_dump() for entry in recipe.filters}
    if "min_words" in written:
        assert options["length"] == {"min_words": 3}


def test_recorded_and_rehearsal_teachers(load: Load) -> None:
    recorded = "roles: {teacher: {recorded: replies.jsonl, by: label, match: 'Label: (?P<label>.+)'}}\n"
    role = load(SHORTEST + recorded).recipe.teacher
    assert isinstance(role, RecordedRole)
    assert (role.by, role.concurrency) == ("label", 32)
    role = load(SHORTEST + "roles: {teacher: {rehearsal: {refusal: 0.2, copy: 0.5}}}\n").recipe.teacher
    assert isinstance(role, RehearsalRole)
    assert role.rehearsal.model_dump() == {"broken_json": 0.06, "refusal": 0.2, "copy": 0.5}


def test_labels_and_slots_stay_as_they_are_written(load: Load) -> None:
    recipe = load(
        "name: codes\n"
        "task: {kind: classification, input: text, label: code, labels: [012, 1.10, true, no, 2024-01-01]}\n"
        "generate: {axes: {size: [1, 0x1F, 1e3]}, cover: {code: {012: 150, no: 50}}}\n"
    ).recipe
    assert recipe.task.labels == ("012", "1.10", "true", "no", "2024-01-01")
    assert recipe.generate.axes == {"size": ("1", "0x1F", "1e3")}
    assert recipe.generate.cover == {"code": {"012": 150, "no": 50}}


def test_a_key_without_a_value_is_not_written(load: Load) -> None:
    recipe = load(SHORTEST + "sources:\ngenerate:\n  target:\n  axes:\nmix:\nroles:\n  teacher:\n").recipe
    assert recipe.generate.target == 200
    assert recipe.mix is None
    assert recipe.is_rehearsal


def test_overrides_are_laid_over_the_file(load: Load) -> None:
    overrides = [
        "generate.target=500",
        "generate.target=600",
        "filters=[default, -refusal]",
        "mix.synthetic=1",
    ]
    loaded = load(FULL, [*overrides, "generate.axes.channel=[mail, 07]"])
    assert loaded.recipe.generate.target == 600
    assert "refusal" not in [entry.name for entry in loaded.recipe.filters]
    assert loaded.recipe.mix is not None
    assert loaded.recipe.mix.synthetic == 1
    assert loaded.recipe.generate.axes["channel"] == ("mail", "07")


def test_a_nulled_override_is_the_default_again(load: Load) -> None:
    assert load(FULL, ["generate.temperature="]).recipe.generate.temperature == ()


def test_other_rooms_report_at_the_line_of_a_key(folder: Path, load: Load) -> None:
    loaded = load(FULL, ["generate.round=10"])
    problem = loaded.problem(("sources", "eval", "path"), "has no rows")
    assert str(problem) == f"{folder / 'recipe.yaml'}:5: sources.eval.path: has no rows"
    assert loaded.problem(("generate", "templates", 1), "is odd").line == 13
    assert loaded.problem(("generate", "cover", "category", "nowhere"), "is odd").line == 11
    assert (
        str(loaded.problem(("generate", "round"), "is odd"))
        == "--set generate.round=10: generate.round: is odd"
    )


def test_no_file_there(tmp_path: Path, registry: Registry) -> None:
    for path in (tmp_path, tmp_path / "other.yaml"):
        with pytest.raises(RecipeError, match="no such file; a recipe is a folder with a recipe"):
            load_recipe(path, registry, default_filters=[])


def test_a_byte_that_is_not_utf_8_is_named_with_its_line(folder: Path, registry: Registry) -> None:
    (folder / "recipe.yaml").write_bytes(b"name: a\ntask: {kind: caf\xe9}\n")
    with pytest.raises(RecipeError) as caught:
        load_recipe(folder, registry, default_filters=[])
    (problem,) = caught.value.problems
    assert problem.line == 2
    assert "0xe9" in problem.message


def test_a_byte_order_mark_is_no_part_of_the_first_key(folder: Path, registry: Registry) -> None:
    (folder / "recipe.yaml").write_text("\ufeff" + SHORTEST, encoding="utf-8")
    assert load_recipe(folder, registry, default_filters=[]).recipe.name == "tickets"


def test_a_recipe_is_frozen(load: Load) -> None:
    recipe = load(SHORTEST).recipe
    with pytest.raises(ValueError, match="frozen"):
        recipe.generate.target = 5  # type: ignore[misc]


@pytest.mark.parametrize(
    ("text", "what"), [("", "is empty"), ("# nothing\n", "is empty"), ("- a\n", "must be a map")]
)
def test_a_file_that_is_no_map(fail: Fail, text: str, what: str) -> None:
    (problem,) = fail(text)
    assert what in problem.message
