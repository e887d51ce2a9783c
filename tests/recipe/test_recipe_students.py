"""Students as a recipe names them: by a name, with options below it, or by an option of their name."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import Problem, RecipeError
from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import LoadedRecipe, load_recipe, to_lock_yaml
from seedbed.run.registry import registry
from tests.recipe.test_recipe_schema import REAL, errors

HEAD = "name: tickets\ntask: {kind: classification, input: text, label: team, labels: [a, b]}\n"


def loaded(folder: Path, student: str, *overrides: str) -> LoadedRecipe:
    (folder / "recipe.yaml").write_text(HEAD + student, "utf-8")
    return load_recipe(folder, registry(), overrides, {}, default_filters=DEFAULT_FILTERS)


def problems(folder: Path, student: str) -> list[Problem]:
    with pytest.raises(RecipeError) as caught:
        loaded(folder, student)
    return list(caught.value.problems)


SHORT = 'student:\n  command: "bash t.sh {train} {out}"\n  score: s.json\n  time: 90m\n'
LONG = 'student:\n  command:\n    command: "bash t.sh {train} {out}"\n    score: s.json\n    time: 90m\n'


def test_both_forms_are_one_student(tmp_path: Path) -> None:
    short, long = loaded(tmp_path, SHORT), loaded(tmp_path, LONG)
    assert short.recipe.student == long.recipe.student
    assert short.recipe.student is not None
    assert short.recipe.student.name == "command"
    assert errors(HEAD + SHORT, REAL) == errors(HEAD + LONG, REAL) == []
    (tmp_path / "recipe.lock.yaml").write_text(to_lock_yaml(short), "utf-8")
    again = load_recipe(tmp_path / "recipe.lock.yaml", registry(), (), {}, default_filters=DEFAULT_FILTERS)
    assert again.recipe == short.recipe
    changed = loaded(tmp_path, SHORT, "student.time=2h", "student.metric=accuracy")
    assert changed.recipe.student is not None
    assert changed.recipe.student.options.model_dump(mode="json")["time"] == "2h"


@pytest.mark.parametrize(
    ("options", "key", "message"),
    [
        ({"scores": "s.json"}, "scores", "unknown key 'scores'; did you mean 'score'?"),
        ({"score": "../s.json"}, "score", "must be the name of a file in {out}"),
        ({"time": "2", "score": "s"}, "time", "must be a duration such as 6h, 1h30m or 90s, not 2; write"),
        ({"metric": "m", "predict": "'p {out}'"}, "metric", "decides by a number of the file `score`"),
        ({}, "", "needs score, a file that the command writes, or predict, a command that answers"),
        ({"score": "5"}, "score", "must be text, not 5; put it in quotes"),
    ],
)
def test_both_forms_have_the_same_errors_each_at_its_line(
    options: dict[str, str], key: str, message: str, tmp_path: Path
) -> None:
    written = [("command", '"bash t.sh {train} {out}"'), *options.items()]
    short = problems(tmp_path, "student:\n" + "".join(f"  {name}: {value}\n" for name, value in written))
    long = problems(
        tmp_path, "student:\n  command:\n" + "".join(f"    {name}: {value}\n" for name, value in written)
    )
    assert [problem.message for problem in short] == [problem.message for problem in long]
    assert message in short[0].message
    assert [problem.key for problem in short] == [f"student.{key}" if key else "student"]
    assert [problem.key for problem in long] == [f"student.command.{key}" if key else "student"]
    if key:
        assert (short[0].line, long[0].line) == (5, 6)


@pytest.mark.parametrize(
    ("student", "key", "message"),
    [
        ("student: command\n", "student.command", "this key is missing"),
        ("student: {command: {score: s}}\n", "student.command.command", "this key is missing"),
        ('student: {command: "t {tain}", score: s}\n', "student.command", "did you mean {train}?"),
        ("student: {comand: t, score: s}\n", "student.comand", "did you mean 'command'?"),
        ('student: {command: "t {out}", score: s}\n', "student.command", "has no {train} in it: the trainer"),
        ('student: {command: "t {train}", score: s}\n', "student.command", "has no {out} in it: what it"),
        ('student: {command: "t {{train}} {out}", score: s}\n', "student.command", "has no {train} in it"),
        (
            'student: {command: "t {train} {out}", predict: p}\n',
            "student.predict",
            "has no {out} in it: what was learnt lies there, and each arm has its own; write {out} where",
        ),
        ("student: {score: s}\n", "student.score", "no student is called 'score'"),
        ("student: {classifier: word}\n", "student.classifier", "must be a map of keys and values"),
        ("student: {command: [a], score: s}\n", "student.score", "no student is called 'score'"),
    ],
)
def test_what_names_no_student_says_so(student: str, key: str, message: str, tmp_path: Path) -> None:
    found = problems(tmp_path, student)
    assert any(problem.key == key and message in problem.message for problem in found), found
    assert all(problem.line == 3 for problem in found)


@pytest.mark.parametrize(
    "student", ["comand: t, predict: p", "predict: p, comand: t", "clasifier: {}, x: {}"]
)
def test_of_options_below_a_mistyped_name_nothing_is_said(student: str, tmp_path: Path) -> None:
    (found,) = problems(tmp_path, f"student: {{{student}}}\n")
    assert "; did you mean 'c" in found.message


@pytest.mark.parametrize(
    "student",
    [
        "student: command\n",
        "student: {command: }\n",
        "student: {command: {score: s}}\n",
        "student: {command: t, scores: s}\n",
        "student: {command: t, score: 5}\n",
        "student: {command: {command: t, score: s}, classifier: {}}\n",
        "student: {score: s}\n",
    ],
)
def test_editors_see_typical_mistakes(student: str) -> None:
    assert errors(HEAD + student, REAL) != []


def test_what_does_not_fit_the_task_is_told_where_it_stands(tmp_path: Path) -> None:
    (tmp_path / "recipe.yaml").write_text("name: a\ntask: {kind: instruction}\nstudent: {classifier: {}}\n")
    with pytest.raises(RecipeError, match="learns labels") as caught:
        load_recipe(tmp_path, registry(), (), {}, default_filters=DEFAULT_FILTERS)
    assert [problem.key for problem in caught.value.problems] == ["student"]
