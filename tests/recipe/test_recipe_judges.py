"""A judge and the filter that asks it: each needs the other, and a second opinion comes from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from seedbed.filters import DEFAULT_FILTERS
from seedbed.recipe import RehearsalRole, WireRole, load_recipe
from seedbed.recipe.judges import family_of
from seedbed.run.registry import registry
from tests.recipe.fake_registry import Fail, Load

SHORTEST = "name: tickets\ntask: {kind: classification, input: text, label: team, labels: [a, b]}\n"
TEACHER = "  teacher: {model: qwen3-32b, endpoint: http://localhost:8000/v1}\n"
JUDGE = "  judge: {model: gpt-oss-20b, endpoint: http://localhost:8001/v1}\n"
ROLES = "roles:\n" + TEACHER + JUDGE


def test_a_judge_is_a_role_like_the_teacher(load: Load) -> None:
    recipe = load(SHORTEST + ROLES + "filters: [default, {judge: {min: 4}}]\n").recipe
    assert isinstance(recipe.roles.judge, WireRole)
    assert list(recipe.roles.bound) == ["teacher", "judge"]
    recipe = load(SHORTEST + "roles: {judge: {rehearsal: {}}}\nfilters: [judge]\n").recipe
    assert isinstance(recipe.roles.judge, RehearsalRole)
    assert list(load(SHORTEST).recipe.roles.bound) == ["teacher"]


def test_a_judge_that_is_bound_ranks_by_default(load: Load) -> None:
    names = [entry.name for entry in load(SHORTEST + ROLES).recipe.filters]
    assert names[-1] == "judge"
    assert names[:-1] == [entry.name for entry in load(SHORTEST).recipe.filters]
    (options,) = (entry.options for entry in load(SHORTEST + ROLES).recipe.filters if entry.name == "judge")
    assert options == load(SHORTEST + ROLES + "filters: [judge]\n").recipe.filters[0].options


@pytest.mark.parametrize(
    ("text", "line", "key", "message"),
    [
        (
            "filters:\n  - default\n  - judge: {min: 4}\n",
            5,
            "filters[1].judge",
            "asks the role judge, which the recipe does not fill; write roles: {judge: {model: …",
        ),
        (ROLES + "filters: [schema]\n", 5, "roles.judge", "nothing asks this role; add the filter judge"),
        (ROLES + "filters: [default, -judge]\n", 5, "roles.judge", "nothing asks this role"),
        (
            "roles:\n" + TEACHER + "  judge: {rehearsal: {}}\nfilters: [judge]\n",
            5,
            "roles.judge",
            "this role rehearses and the teacher does not",
        ),
        ("roles:\n" + JUDGE + "filters: [judge]\n", 3, "roles.teacher", "rehearses and the judge does not"),
        (
            "roles:\n" + TEACHER + "  judge:\n    model: Qwen/Qwen2.5-7B-Instruct\n"
            "    endpoint: http://localhost:8001/v1\nfilters: [judge]\n",
            6,
            "roles.judge.model",
            "of the teacher's own family (qwen)",
        ),
        (
            "roles: {judge: {rehearsal: {refusal: 0.1}}}\nfilters: [judge]\n",
            3,
            "roles.judge.rehearsal.refusal",
            "unknown key 'refusal'",
        ),
    ],
)
def test_what_does_not_go_together_is_refused(
    fail: Fail, text: str, line: int, key: str, message: str
) -> None:
    (problem,) = fail(SHORTEST + text)
    assert (problem.line, problem.key) == (line, key)
    assert message in problem.message


def test_it_is_told_together_with_other_problems(fail: Fail) -> None:
    problems = fail(SHORTEST + "filters: [default, judge]\nbudget: {requests: 0}\nstudnt: classifier\n")
    assert [problem.key for problem in problems] == ["filters[1]", "budget.requests", "studnt"]


def test_the_recipe_may_allow_kin(load: Load) -> None:
    roles = "roles:\n" + TEACHER + JUDGE.replace("gpt-oss-20b", "qwen3-4b")
    recipe = load(SHORTEST + roles + "filters: [{judge: {same_family: allow}}]\n").recipe
    assert recipe.roles.bound.keys() == {"teacher", "judge"}


PAIRS = "name: pairs\ntask: {kind: preference}\n"
OF_QWEN = "{model: qwen3-4b, endpoint: http://localhost:8002/v1}"
OF_OTHERS = "{model: olmo-2, endpoint: http://localhost:8002/v1}"


def problems_of(tmp_path: Path, text: str) -> list[tuple[str, str]]:
    """(key, message) of all that is wrong with a recipe, by the real tables."""
    (tmp_path / "recipe.yaml").write_text(text)
    try:
        load_recipe(tmp_path, registry(), env={}, default_filters=DEFAULT_FILTERS)
    except RecipeError as error:
        return [(problem.key, problem.message) for problem in error.problems]
    return []


def test_a_judge_that_ranks_nothing_may_compare_what_students_say(tmp_path: Path) -> None:
    rest = ROLES + "filters: [schema]\n"
    trainer = "student: {command: 'sh train.sh {train} {out}', predict: 'sh say.sh {out}'}\n"
    answers = "name: answers\ntask: {kind: instruction}\n"
    assert problems_of(tmp_path, answers + rest + trainer) == []
    useless = [("roles.judge", "nothing asks this role; add the filter judge to filters, or remove the role")]
    assert problems_of(tmp_path, answers + rest) == useless
    assert problems_of(tmp_path, SHORTEST + rest + trainer) == useless  # labels are right or wrong


def test_each_of_several_teachers_is_of_another_family_than_the_judge(tmp_path: Path) -> None:
    several = "generate: {{target: 5, teachers: {{teacher: 1, second: 1}}}}\nfilters: [{}]\n"
    kin = SHORTEST + "roles:\n" + TEACHER.replace("qwen3-32b", "olmo-2") + JUDGE.replace("gpt-oss-20b", "qwq")
    kin += f"  second: {OF_QWEN}\n"
    ((key, message),) = problems_of(tmp_path, kin + several.format("judge"))
    assert key == "roles.judge.model"
    assert "of the second's own family (qwen)" in message
    assert problems_of(tmp_path, kin + several.format("judge: {same_family: allow}")) == []
    assert problems_of(tmp_path, kin.replace("qwen3-4b", "phi-4") + several.format("judge")) == []


@pytest.mark.parametrize(
    ("judge", "method", "told"),
    [
        (OF_QWEN, "{judge: arbiter}", "teacher's"),
        (OF_QWEN, "{judge: arbiter, same_family: allow}", ""),
        (OF_OTHERS, "{judge: arbiter}", ""),
        (OF_OTHERS, "{judge: arbiter, answers: [{n: 2}, {role: weak, n: 2}]}", "weak's"),
        (OF_OTHERS, "{judge: arbiter, same_family: allow, answers: [{n: 2}, {role: weak, n: 2}]}", ""),
        (OF_QWEN, "{judge: teacher}", ""),
    ],
)
def test_a_methods_own_judge_is_no_kin_of_those_whose_answers_it_scores(
    tmp_path: Path, judge: str, method: str, told: str
) -> None:
    roles = "roles:\n" + TEACHER
    roles += f"  arbiter: {judge}\n" if "arbiter" in method else ""
    roles += "  weak: {model: olmo-1, endpoint: http://localhost:8003/v1}\n" if "weak" in method else ""
    found = problems_of(
        tmp_path, f"{PAIRS}{roles}generate: {{target: 5, methods: {{preference: {method}}}}}\n"
    )
    assert [key for key, _ in found] == (["roles.arbiter.model"] if told else [])
    assert all(f"is of the {told} own family" in message for _, message in found)


@pytest.mark.parametrize(
    ("one", "other", "kin"),
    [
        ("qwen3-32b", "Qwen/QwQ-32B", True),
        ("gpt-4.1-mini", "o3-mini", True),
        ("meta-llama/Llama-3.1-8B-Instruct", "llama3.2:3b", True),
        ("meta-llama-3-8b", "llama-2", True),
        ("mistralai/Mixtral-8x7B", "ministral-8b", True),
        ("gemma-3-27b", "gemini-2.5-pro", True),
        ("qwen3-32b", "gpt-oss-20b", False),
        ("claude-sonnet", "deepseek-r1", False),
        ("olmo-2", "o1", False),
        ("7b-chat", "13b-chat", False),
    ],
)
def test_families_by_name(one: str, other: str, kin: bool) -> None:
    assert (family_of(one) == family_of(other)) == kin
