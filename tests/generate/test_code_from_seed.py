"""`code_from_seed`: what can be seen of programs and tests without running them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.verify.sandbox.backends import Backend
from tests.generate.scripted import Question, Scripted

SEED = """def next_high(times, now):
    at = bisect_left(times, now)
    later = times[at] if at < len(times) else None
    return later if later is None or later - now < 12 * 60 else now + 12 * 60
"""
PROGRAM = "def doubled(values):\n    return [2 * value for value in values]"
TESTS = ["assert doubled([1]) == [2]", "given = [0]\nassert doubled(given) == [0]"]


def recipe(language: str = "python", has_tests: bool = True, **options: object) -> dict[str, Any]:
    return {
        "task": {"kind": "code", "language": language, "tests": "tests" if has_tests else False},
        "sources": {"seeds": {"path": "*.py", "format": "text", "chunk": {"lines": 15}}},
        "generate": {"target": 4, "methods": {"code_from_seed": options}},
    }


def made(
    folder: Path,
    solutions: Sequence[str] = (PROGRAM,),
    tests: Sequence[str] = TESTS,
    entry_point: str = "doubled",
    **options: Any,
) -> tuple[Record, list[Question]]:
    def say(question: Question) -> str:
        if '"entry_point"' in question.system:
            return json.dumps({"problem": "Double every value of a list.", "entry_point": entry_point})
        assert SEED not in question.user
        if '{"solution"' in question.system:
            return json.dumps({"solution": solutions[question.choice]})
        return json.dumps({"tests": list(tests)})

    script = Scripted(folder, say)
    (record,) = script.records(recipe(solutions=len(solutions), **options), {"tides.py": SEED})
    return record, script.asked


def reason(record: Record) -> str:
    return record.rejected.reason if record.rejected else ""


def test_a_problem_its_solution_and_its_tests(tmp_path: Path) -> None:
    record, asked = made(tmp_path)
    assert record.rejected is None
    assert record.fields == {
        "prompt": "Double every value of a list.",
        "solution": PROGRAM,
        "tests": "\n".join(TESTS),
    }
    assert record.notes == {
        "unverified": "nothing was run",
        "entry_point": "doubled",
        "solutions": {"asked": 1, "usable": 1},
        "seed": "tides.py",
        "tests": 2,
    }
    assert [SEED.strip() in question.user for question in asked] == [True, False, False]


@pytest.mark.parametrize(
    "program",
    [
        f"```python\n{PROGRAM}\n```",
        "doubled = lambda values: [2 * value for value in values]",
        "class doubled(list):\n    pass",
        "async def doubled(values):\n    return values",
        'def doubled(values):\n    return "\\d"',
    ],
)
def test_programs_that_define_the_name(tmp_path: Path, program: str) -> None:
    assert reason(made(tmp_path, [program])[0]) == ""


@pytest.mark.parametrize(
    ("program", "why"),
    [
        ("def doubled(values:\n    return", "does_not_parse"),
        ("def doubled(values):\n    return '\0'", "does_not_parse"),
        ("(" * 5000, "does_not_parse"),
        ("Here you are:", "does_not_parse"),
        ("def twice(values):\n    return values", "lacks_entry_point"),
        ("if True:\n    def doubled(values):\n        return values", "lacks_entry_point"),
        (f"{PROGRAM}\n\n{SEED}", "copies_seed"),
    ],
)
def test_programs_of_no_use(tmp_path: Path, program: str, why: str) -> None:
    record, asked = made(tmp_path, [program])
    assert reason(record) == why
    assert len(asked) == 2


@pytest.mark.parametrize(
    ("tests", "why"),
    [
        (["assert doubled([1]) =="], "does_not_parse"),
        ([*TESTS, "assert 2 * 1 == 2"], "tests_do_not_call"),
        (["doubled"], "tests_do_not_call"),
        (["raises(TypeError, doubled, 3)"], ""),
        (["import module\nassert module.doubled([1])"], ""),
        ([*TESTS, f"assert doubled([])\n{SEED}"], "copies_seed"),
    ],
)
def test_tests_must_parse_and_call(tmp_path: Path, tests: Sequence[str], why: str) -> None:
    assert reason(made(tmp_path, tests=tests)[0]) == why


def test_the_first_solution_that_passes_is_taken(tmp_path: Path) -> None:
    record, _ = made(tmp_path, ["no program", "def other(): pass", PROGRAM, f"{PROGRAM} or []"])
    assert record.fields["solution"] in (PROGRAM, f"{PROGRAM} or []")
    assert record.notes["solutions"] == {"asked": 4, "usable": 2}


def test_how_much_may_be_shared_is_an_option(tmp_path: Path) -> None:
    line = f"{PROGRAM}\n# {SEED.splitlines()[1]}"
    assert reason(made(tmp_path / "1", [line])[0]) == ""
    assert reason(made(tmp_path / "2", [f"{PROGRAM}\n{SEED}"], shared=200)[0]) == ""
    assert reason(made(tmp_path / "3", [f"{PROGRAM}\n{SEED}"], shared=8)[0]) == "copies_seed"


def test_another_language_is_not_parsed(tmp_path: Path) -> None:
    program = "fn doubled(values: Vec<i64>) -> Vec<i64> { values }"
    record, _ = made(tmp_path, [program], ["assert_eq!(other(vec![]), vec![])"], language="rust")
    assert record.rejected is None


def test_a_task_without_tests_asks_for_none(tmp_path: Path) -> None:
    record, asked = made(tmp_path, has_tests=False)
    assert len(asked) == 2
    assert record.rejected is None
    assert set(record.fields) == {"prompt", "solution"}


def test_the_other_spelling_of_source(tmp_path: Path) -> None:
    record, _ = made(tmp_path, sources="seeds")
    assert record.rejected is None
    with pytest.raises(RecipeError, match=r"no source is called 'seed'; did you mean 'seeds'"):
        made(tmp_path, sources="seed")
    with pytest.raises(RecipeError, match="unknown key 'sourcess'"):
        made(tmp_path, sourcess="seeds")


SQUARED = PROGRAM.replace("2 * value", "value * value")
SHIFTED = PROGRAM.replace("2 * value", "value + 2")


def test_solutions_and_tests_are_run_and_what_most_agree_on_is_taken(
    tmp_path: Path, sandbox: Backend
) -> None:
    also_right = "def doubled(values):\n    return [value + value for value in values]"
    tests = [
        "assert doubled([1, 3]) == [2, 6]",
        "assert doubled([3]) == [9]",
        "assert doubled([]) == []",
        "assert doubled([5]) == [10]",
    ]
    record, _ = made(tmp_path, [SQUARED, PROGRAM, SHIFTED, also_right], tests, verify="tests")
    assert record.rejected is None
    assert record.fields["solution"] == PROGRAM
    assert record.fields["tests"] == "\n".join([tests[0], *tests[2:]])
    assert "unverified" not in record.notes
    assert record.notes["tests"] == {"written": 4, "passed": 3}


def test_solutions_that_pass_no_test_are_turned_down(tmp_path: Path, sandbox: Backend) -> None:
    record, _ = made(tmp_path, [SHIFTED], ["assert doubled([1]) == [2]"], verify="tests")
    assert reason(record) == "passes_no_test"


@pytest.mark.parametrize(
    ("more", "message"),
    [({"language": "rust"}, "only Python is run"), ({"has_tests": False}, "no field for tests")],
)
def test_what_cannot_be_run_is_refused(tmp_path: Path, more: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        made(tmp_path, verify="tests", **more)
