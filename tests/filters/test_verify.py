"""`verify`: false claims fall, true ones stay, and what cannot be told is said to be so."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.verify import Verify
from seedbed.tasks.code import Code
from seedbed.tasks.custom import Custom
from seedbed.tasks.math import Math
from seedbed.verify.sandbox.backends import Backend
from tests.filters.tickets import QUESTIONS, TICKETS, record, unread, verdicts_of

PROBLEMS = Math.bind(Math.Options(), None)
ANSWERS_ALONE = Math.bind(Math.Options(solution=False), None)


def problem(solution: Any, answer: Any = "13") -> Record:
    return record("p", question="How many are left?", solution=solution, answer=answer)


def verdicts(task: Task, *records: Record, **options: Any) -> list[Verdict]:
    return verdicts_of(Verify.build(Verify.Options(**options), FilterContext(task)), records)


GOLDEN = {
    ("16 - 3 = 13", "13"): "keep",
    ("16 - 3 = 13\n#### 13", "13"): "keep",
    ("16 - 3 = 14", "14"): "wrong_equation",
    ("16 - 3 = 13", "14"): "wrong_answer",
    ("16 - 3 = 14", "13"): "wrong_answer",
    ("Half of 26 are left: 13.", "13"): "flag no_equation",
    ("26 / 2 = 13, on each of 2 days", "13"): "flag undecided_answer",
    ("1 hour + 30 minutes = 90 minutes", "90"): "flag undecided_equation",
    ("They all leave.", "13"): "flag no_final_answer",
    (r"2 * 2 = 4, and \boxed{\sqrt{4}}", "2"): "flag undecided_answer",
    ("16 - 3 = 13", ""): "flag missing_field",
    (None, "13"): "flag missing_field",
    ("\ud800 16 - 3 = 14\x00", "14"): "wrong_equation",
}


def said(verdict: Verdict) -> str:
    return f"flag {verdict.reason}" if verdict.is_flag else verdict.reason or "keep"


def test_verdicts_on_worked_solutions_change_with_the_version_only() -> None:
    assert Verify.version == 1
    found = verdicts(PROBLEMS, *(problem(*fields) for fields in GOLDEN))
    assert [said(verdict) for verdict in found] == [*GOLDEN.values()]


def test_evidence_can_be_stored_whatever_a_record_holds() -> None:
    long = "+".join(["1.5"] * 60)
    (verdict,) = verdicts(PROBLEMS, problem(f"{long} = 7 \ud800\n" * 20, "7"))
    (equation,) = verdict.evidence["equations"]
    assert len(equation) == 200
    many = "\n".join(f"{n} + 1 = {n}" for n in range(30))
    (verdict,) = verdicts(PROBLEMS, problem(many, "29"))
    assert len(verdict.evidence["equations"]) == 10


def test_one_check_alone_says_nothing_of_the_other() -> None:
    wrong_sum, wrong_answer = problem("16 - 3 = 14", "14"), problem("16 - 3 = 13", "14")
    by_answer = verdicts(PROBLEMS, wrong_sum, wrong_answer, check=["answer"])
    by_sums = verdicts(PROBLEMS, wrong_sum, wrong_answer, check=["equations"])
    assert [said(verdict) for verdict in by_answer] == ["keep", "wrong_answer"]
    assert [said(verdict) for verdict in by_sums] == ["wrong_equation", "keep"]


TOOLS = [{"name": "weather", "parameters": {"required": ["city"]}}]
CHATS = Custom.bind(
    Custom.Options(fields={"ask": "what for", "calls": {"type": "array"}, "tools": {"type": "array"}}), None
)


def test_json_in_a_field_keeps_the_schema_of_a_file(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text('{"type": "object", "required": ["item"]}')
    context = {"folder": tmp_path}
    options = Verify.Options.model_validate({"json_schema": {"answer": "order.json"}}, context=context)
    assert options.json_schema == {"answer": {"type": "object", "required": ["item"]}}
    built = Verify.build(options, FilterContext(QUESTIONS))
    answers = ['{"item": "lamp"}', '{"itm": "lamp"}', "a lamp"]
    found = verdicts_of(
        built, [record(answer, question="What was ordered?", answer=answer) for answer in answers]
    )
    assert [said(verdict) for verdict in found] == ["keep", "breaks_schema", "invalid_json"]
    assert found[1].evidence == {"path": "", "message": '"item" is a required property'}


def test_tools_stand_in_a_file_or_in_the_record(tmp_path: Path) -> None:
    (tmp_path / "tools.json").write_text(json.dumps(TOOLS))
    right, wrong = ([{"name": "weather", "arguments": each}] for each in ({"city": "Bremen"}, {}))
    records = [record("r", ask="the weather", calls=calls, tools=TOOLS) for calls in (right, wrong, [])]
    for where in ({"tools": "tools.json"}, {"tools_field": "tools"}):
        options = Verify.Options.model_validate(
            {"tool_calls": {"field": "calls", **where}}, context={"folder": tmp_path}
        )
        found = verdicts_of(Verify.build(options, FilterContext(CHATS)), records)
        assert [said(verdict) for verdict in found] == ["keep", "invalid_arguments", "flag no_tool_call"]


def test_of_several_things_the_one_that_fails_decides() -> None:
    claims = {"json_schema": {"solution": {"type": "string"}}}
    (verdict,) = verdicts(PROBLEMS, problem('"They leave."', "3"), **claims)
    assert said(verdict) == "flag no_final_answer"
    (verdict,) = verdicts(PROBLEMS, problem("16 - 3 = 13", "13"), **claims)
    assert said(verdict) == "invalid_json"


def test_what_is_undecided_falls_where_the_recipe_says_so() -> None:
    (verdict,) = verdicts(PROBLEMS, problem("They all leave."), undecided="reject")
    assert (verdict.keep, verdict.reason) == (False, "no_final_answer")


def test_an_unreadable_reply_claims_nothing() -> None:
    assert verdicts(PROBLEMS, unread("16 - 3 = 14"))[0] == Verdict("r", "verify@1", keep=True)


def test_sympy_decides_what_exact_arithmetic_does_not_where_it_is_asked() -> None:
    pytest.importorskip("sympy")
    record = problem(r"2 * 2 = 4, and so \boxed{\frac{2}{\sqrt{2}}}", r"\sqrt{2}")
    wrong = problem(r"2 * 2 = 4, and so \boxed{\frac{3}{\sqrt{2}}}", r"\sqrt{2}")
    assert [said(v) for v in verdicts(PROBLEMS, record, wrong)] == ["flag undecided_answer"] * 2
    built = Verify.build(Verify.Options(symbolic=True), FilterContext(PROBLEMS))
    for each in (built, pickle.loads(pickle.dumps(built))):
        assert [said(v) for v in verdicts_of(each, [record, wrong])] == ["keep", "wrong_answer"]
    assert len(pickle.dumps(built)) < 2048


@pytest.mark.parametrize(
    ("options", "task", "key", "message"),
    [
        ({}, TICKETS, (), "can work nothing out of a task of kind classification"),
        ({}, ANSWERS_ALONE, (), "can work nothing out of a task of kind math"),
        ({"check": ["answer"]}, QUESTIONS, ("check",), "is for tasks of kind math"),
        ({"symbolic": True}, QUESTIONS, ("symbolic",), "is for tasks of kind math"),
        (
            {"json_schema": {"order": {}}},
            QUESTIONS,
            (),
            "the field 'order', and the task has question, answer",
        ),
        ({"tool_calls": {"field": "calls", "tools_field": "tool"}}, CHATS, (), "names the field 'tool', and"),
    ],
)
def test_what_does_not_fit_the_task_is_told_before_anything_is_asked(
    options: dict[str, Any], task: Task, key: tuple[str, ...], message: str
) -> None:
    ((path, said),) = Verify.problems(Verify.Options(**options), task)
    assert (path, message in said) == (key, True)


def test_what_fits_the_task_is_no_problem() -> None:
    assert Verify.problems(Verify.Options(symbolic=True), PROBLEMS) == []


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"check": []}, "at least 1 item"),
        ({"check": ["tests"]}, "'answer' or 'equations'"),
        ({"check": ["equations"], "symbolic": True}, "symbolic is about answers"),
        ({"kills_mutants": 7}, "less than or equal to 6"),
        ({"agree": {"solutions": 3}}, "agree"),
        ({"json_schema": {"answer": {"type": "objekt"}}}, "no valid JSON Schema"),
        ({"json_schema": {"answer": "nowhere.json"}}, "no such file"),
        ({"json_schema": ["answer"]}, "valid dictionary"),
        ({"tool_calls": {"field": "calls"}}, "write either tools"),
        ({"tool_calls": {"field": "calls", "tools": [{}]}}, "tool 0 has no name"),
        ({"tool_calls": {"field": "calls", "tools": "nowhere.json"}}, "no such file"),
        ({"undecided": "keep"}, "'flag' or 'reject'"),
    ],
)
def test_options_that_say_nothing_sensible_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Verify.Options(**options)


PROGRAMS = Code.bind(Code.Options(), None)
ADD = "def add(a, b):\n    return a + b\n"


def program(solution: Any, tests: Any = "assert add(1, 2) == 3") -> Record:
    return record("p", prompt="Add two numbers.", solution=solution, tests=tests)


def test_programs_are_run_against_their_tests(sandbox: Backend) -> None:
    found = verdicts(
        PROGRAMS,
        program(ADD),
        program(ADD.replace("+", "-")),
        program("def add(a, b:"),
        program("import os\nos._exit(0)"),
        program("def add(a, b):\n    while True: pass"),
        program(ADD, "assert add(1, 2) is not None"),
        program(ADD, "assert True"),
        program(ADD, ""),
        program("def add(a, b):\n    return object()"),
        limits={"seconds": 1, "memory": "256MB"},
    )
    assert [said(verdict) for verdict in found] == [
        "keep",
        "test_failed",
        "no_python",
        "program_ended",
        "timed_out",
        "vacuous_tests",
        "vacuous_tests",
        "flag missing_field",
        "flag unsupported_value",
    ]
    assert found[1].evidence == {"error": "AssertionError", "message": "", "line": 1}


def test_a_program_that_is_no_text_is_no_python() -> None:
    found = verdicts(PROGRAMS, program(["def add(a, b):"]), program(ADD, {"assert": 1}), program(7))
    assert [said(verdict) for verdict in found] == ["no_python"] * 3


def test_what_is_asked_of_tests_can_be_lowered(sandbox: Backend) -> None:
    idle = program(ADD, "assert add(1, 2) is not None")
    assert [said(one) for one in verdicts(PROGRAMS, idle, kills_mutants=0)] == ["keep"]
    nothing = program(ADD, "assert True")
    (verdict,) = verdicts(PROGRAMS, nothing, kills_mutants=0)
    assert verdict.evidence == {"passed": "stub"}
    assert [said(one) for one in verdicts(PROGRAMS, nothing, kills_mutants=0, fails_on_stub=False)] == [
        "keep"
    ]


def test_a_filter_of_programs_travels_to_a_worker(sandbox: Backend) -> None:
    built = Verify.build(Verify.Options(), FilterContext(PROGRAMS))
    assert [one.keep for one in verdicts_of(built, [program(ADD)])] == [True]
    assert [one.keep for one in verdicts_of(pickle.loads(pickle.dumps(built)), [program(ADD)])] == [True]


@pytest.mark.parametrize("task", [TICKETS, PROBLEMS, Code.bind(Code.Options(language="go"), None)])
def test_options_of_programs_are_for_programs(task: Task) -> None:
    options = Verify.Options(kills_mutants=2)
    (((key,), message),) = Verify.problems(options, task)
    assert key == "kills_mutants"
    assert "tasks of kind code in Python" in message


def test_programs_import_what_is_listed_and_nothing_else(sandbox: Backend) -> None:
    adds = program("import numpy\ndef add(a, b):\n    return numpy.add(a, b)\n")
    assert [said(one) for one in verdicts(PROGRAMS, adds, packages=["numpy"])] == ["keep"]
    (without,) = verdicts(PROGRAMS, adds)
    assert without.evidence == {"error": "ModuleNotFoundError", "message": "No module named 'numpy'"}
    missing = Verify.Options.model_validate({"packages": ["numpy", "no_such_package"]})
    (((key,), message),) = Verify.problems(missing, PROGRAMS)
    assert (key, message) == (
        "packages",
        "has no_such_package, which is not installed beside Seedbed; pip install it, or remove it",
    )


def test_memory_is_a_size_with_its_unit() -> None:
    with pytest.raises(ValidationError, match="must be a size such as 512MB"):
        Verify.Options.model_validate({"limits": {"memory": 512}})


QUERIES = Custom.bind(
    Custom.Options(fields={"asked": "a question", "tables": "SQL", "query": "SQL", "right": "SQL"}), None
)


def test_queries_are_run_on_the_tables_of_a_file_and_of_the_record(tmp_path: Path) -> None:
    pytest.importorskip("duckdb")
    (tmp_path / "lamps.sql").write_text("CREATE TABLE lamps (id INT); INSERT INTO lamps VALUES (1), (2)")
    own = "CREATE TABLE shops (id INT); INSERT INTO shops VALUES (2), (3)"
    rows = [
        record(
            "a", asked="?", query="SELECT id FROM lamps JOIN shops USING (id)", right="SELECT 2", tables=own
        ),
        record("b", asked="?", query="SELECT id FROM lamps", right="SELECT 2", tables=own),
        record("c", asked="?", query="SELECT id FROM lamps", right="", tables=own),
        record("d", asked="?", query="SELECT id FROM lamp", right="SELECT 2", tables=own),
    ]
    options = Verify.Options.model_validate(
        {"sql": {"query": "query", "expected": "right", "setup": "lamps.sql", "setup_field": "tables"}},
        context={"folder": tmp_path},
    )
    assert Verify.problems(options, QUERIES) == []
    built = pickle.loads(pickle.dumps(Verify.build(options, FilterContext(QUERIES))))
    assert [said(each) for each in verdicts_of(built, rows)] == [
        "keep",
        "wrong_rows",
        "flag missing_field",
        "does_not_run",
    ]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ({"setup": "CREATE TABLE t (id INTT)"}, "cannot be set up, setup_does_not_run: Catalog Error"),
        ({"setup": "COPY t TO 'x'"}, "cannot be set up, setup_does_more"),
        (
            {"setup": "CREATE TABLE t (id INT)", "dialect": "postgress"},
            "Unknown dialect 'postgress'. Did you mean postgres?",
        ),
    ],
)
def test_a_set_up_that_does_not_work_is_told_before_anything_is_asked(
    sql: dict[str, Any], message: str
) -> None:
    pytest.importorskip("duckdb")
    options = Verify.Options.model_validate({"sql": {"query": "query", **sql}})
    ((path, found),) = Verify.problems(options, QUERIES)
    assert path == ("sql",)
    assert message in found


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ({}, "has no tables"),
        ({"setup": "nowhere.sql"}, "no such file"),
        ({"setup": "x", "engine": "sqlite"}, "engine"),
    ],
)
def test_sql_options_that_cannot_be_used_are_refused(sql: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Verify.Options.model_validate({"sql": {"query": "query", **sql}})
