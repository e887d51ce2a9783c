"""What an answer is worth, kind by kind: right ones, wrong ones, and those of which nobody can tell."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.protocols import Task
from seedbed.student.arms import MIX, REAL_ONLY
from seedbed.student.examine import Examined
from seedbed.student.rows import Row, row_of
from seedbed.student.scores import MACRO_F1, metrics_of, scores_of
from seedbed.tasks import TASKS
from seedbed.verify.sandbox.backends import Backend
from tests.tasks.kinds import EXAMPLES, ORDER


def bound(kind: str, options: Mapping[str, Any] | None = None) -> Task:
    plugin = TASKS.get(kind)
    described = {key: value for key, value in EXAMPLES[kind].task.items() if key != "kind"}
    task: Task = plugin.bind(plugin.Options.model_validate(options or described), None)
    return task


MATH = bound("math")
CODE = bound("code")
ORDERS = bound("extraction", {"schema": ORDER})
ASKED = bound("instruction")
REVIEWS = bound(
    "custom",
    {"fields": {"text": "a review", "stars": {"type": "integer", "minimum": 1}, "place": "where it was"}},
)


def problem(answer: str) -> Row:
    return row_of(MATH, "r", {"question": "How many?", "solution": "Count them.", "answer": answer})


def programming(tests: str) -> Row:
    return row_of(CODE, "r", {"prompt": "Add two numbers.", "solution": "", "tests": tests})


def worth(task: Task, metric: str, answer: str, row: Row) -> float | None:
    (score,) = [score for score in scores_of(task) if score.name == metric]
    (found,) = score.of(task, [answer], [row])
    return found


def example_rows(kind: str) -> tuple[Task, list[Row]]:
    """The rows of an example that have all of the task's fields."""
    if kind == "extraction":
        return ORDERS, [row_of(ORDERS, "r", fields) for fields in EXAMPLES[kind].real]
    if kind == "preference":
        pairs = bound(kind, {"prompt": "question"})
        rows = [{"question": one["question"], "chosen": one["answer"]} for one in EXAMPLES[kind].real]
        return pairs, [row_of(pairs, "r", fields) for fields in rows]
    task = bound(kind)
    whole = [fields for fields in EXAMPLES[kind].real if all(fields.get(name) for name in task.fields)]
    return task, [row_of(task, f"r{at}", fields) for at, fields in enumerate(whole)]


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        ("16 - 3 = 13, so the answer is 13.", "13", 1.0),
        ("#### 1,000", "1000", 1.0),
        ("Thus \\boxed{3/4}", "0.75", 1.0),
        ("He pays $18.", "18", 1.0),
        ("#### 14", "13", 0.0),
        ("", "13", 0.0),
        ("It cannot be said.", "13", None),  # no number, and no text like the answer
        ("#### 50%", "0.5", None),
        ("#### 3.33", "10/3", None),  # rounded, or wrong
        ("yes", "Yes.", 1.0),
        ("#### 13", "", None),
    ],
)
def test_an_answer_is_what_it_comes_to(said: str, wanted: str, expected: float | None) -> None:
    assert worth(MATH, "answer_match", said, problem(wanted)) == expected


def test_formulas_are_compared_by_sympy_where_it_is_installed() -> None:
    pytest.importorskip("sympy")
    assert worth(MATH, "answer_match", "\\boxed{2\\sqrt{2}}", problem("\\sqrt{8}")) == 1.0
    assert worth(MATH, "answer_match", "\\boxed{2\\sqrt{2}}", problem("\\sqrt{6}")) == 0.0
    assert worth(MATH, "exact_match", "\\boxed{2\\sqrt{2}}", problem("\\sqrt{8}")) == 0.0


def test_an_exact_answer_is_written_as_the_rows() -> None:
    assert worth(MATH, "exact_match", "so it is\n#### 1,000", problem("1000")) == 1.0
    assert worth(MATH, "exact_match", "#### 3/4", problem("75%")) == 0.0


ADDS = "assert add(1, 2) == 3\nassert add(-1, 1) == 0\n"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("def add(a, b):\n    return a + b\n", 1.0),
        ("Here it is:\n\n```python\ndef add(a, b):\n    return a + b\n```\n\nCall `add(1, 2)`.", 1.0),
        ("```python\nadd(1, 2)\n```\nuses\n```python\ndef add(a, b):\n    return a + b\n```", 1.0),
        ("```python\ndef add(a, b):\n    return a + b\n", 1.0),  # cut off before the fence closes
        ("```python\ndef add(a, b):\n    return a - b\n```", 0.0),
        ("```python\ndef add(a, b)\n```", 0.0),
        ("import os\n\ndef add(a, b):\n    os._exit(0)\n", 0.0),
        ("I would add them.", 0.0),
        ("", 0.0),
    ],
)
def test_a_program_is_run_on_its_rows_tests(sandbox: Backend, said: str, expected: float) -> None:
    assert worth(CODE, "tests_passed", said, programming(ADDS)) == expected


def test_a_row_without_tests_says_nothing_of_a_program(sandbox: Backend) -> None:
    program = "def add(a, b):\n    return a + b\n"
    assert worth(CODE, "tests_passed", program, programming("")) is None
    assert worth(CODE, "tests_passed", program, programming("no Python!")) is None
    assert worth(CODE, "parses", program, programming("")) == 1.0


LEARNS = """
import sys
from seedbed.core.errors import SeedbedError
from seedbed.student.arms import Arm
from seedbed.student.fitting import fitted, student_of
from seedbed.student.job import Job
from tests.student.test_scores import CODE, MATH, problem, programming

class Pupil:
    name, slow = "pupil", False
    def fit(self, lesson):
        print("learnt", lesson.task.kind)

for task, row in ((CODE, programming("assert add(1, 2) == 3")), (MATH, problem("13"))):
    try:
        with fitted(Job((Arm("mix", (row,), 1, 0),)), task, Pupil()):
            pass
    except SeedbedError as error:
        print(type(error).__name__, error)
"""


def test_without_a_sandbox_nothing_is_learnt_for_programs(tmp_path: Path) -> None:
    """On a machine without its tools and Landlock there is none; what has no programs needs none."""
    without = Path(__file__).parents[1] / "verify" / "without_landlock.py"
    ended = subprocess.run(
        [sys.executable, str(without), sys.executable, "-c", LEARNS],
        env={"PATH": str(tmp_path), "PYTHONPATH": os.pathsep.join(sys.path)},
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    said = ended.stdout.splitlines()
    assert said[0].startswith("NoSandbox programs of a model run in a sandbox alone, and none holds here")
    assert said[1:] == ["learnt math"]


RECORD = {"customer": "Ada Kern", "items": [{"name": "lamp", "count": 2}, {"name": "bulb", "count": 4}]}


def order(record: Mapping[str, Any]) -> Row:
    return row_of(ORDERS, "r", {"text": "Two lamps and four bulbs.", "record": record})


@pytest.mark.parametrize(
    ("said", "fields", "whole", "valid"),
    [
        (RECORD | {"express": False}, 1.0, 1.0, 1.0),
        (RECORD | {"express": False, "customer": "ada  kern"}, 1.0, 1.0, 1.0),
        (RECORD | {"express": False, "wanted_by": None}, 1.0, 1.0, 1.0),
        (RECORD | {"express": True}, 10 / 12, 0.0, 1.0),
        (RECORD, 10 / 11, 0.0, 0.0),
        (RECORD | {"express": "false"}, 10 / 12, 0.0, 0.0),
        (RECORD | {"express": False, "paid": 3}, 12 / 13, 0.0, 0.0),
        (RECORD | {"express": False, "items": RECORD["items"][::-1]}, 1.0, 0.0, 1.0),
        ({}, 0.0, 0.0, 0.0),
        ([], 0.0, 0.0, 0.0),
    ],
)
def test_a_record_is_compared_value_by_value(said: Any, fields: float, whole: float, valid: float) -> None:
    row = order(RECORD | {"express": False})
    for text in (json.dumps(said), f"```json\n{json.dumps(said, indent=2)}\n```"):
        assert worth(ORDERS, "field_match", text, row) == pytest.approx(fields)
        assert worth(ORDERS, "record_match", text, row) == whole
        assert worth(ORDERS, "valid_record", text, row) == valid


@pytest.mark.parametrize("said", ["", "none", '{"customer": "Ada', "[" * 900 + "]" * 900, "NaN"])
def test_what_is_no_record_scores_nothing(said: str) -> None:
    row = order(RECORD | {"express": False})
    for score in scores_of(ORDERS):
        assert score.of(ORDERS, [said], [row]) == [0.0]


def test_fields_of_a_custom_task_are_a_record() -> None:
    row = row_of(REVIEWS, "r", {"text": "Fine soup.", "stars": 4, "place": "Bern"})
    assert metrics_of(REVIEWS) == ("field_match", "record_match", "valid_record")
    assert worth(REVIEWS, "field_match", '{"stars": 4, "place": "Basel"}', row) == 0.5
    assert worth(REVIEWS, "valid_record", '{"stars": 0, "place": "Basel"}', row) == 0.0
    assert worth(REVIEWS, "record_match", '{"place": "Bern", "stars": 4}', row) == 1.0


def test_rambling_gains_nothing_in_rouge_and_chrf_forgives_an_ending() -> None:
    row = row_of(ASKED, "r", {"instruction": "Name three herbs.", "response": "Mint, parsley, chives."})
    assert worth(ASKED, "rouge_l", "mint parsley chives", row) == 1.0
    long = worth(ASKED, "rouge_l", "Well, I would say mint, parsley, chives. " + "And more. " * 20, row)
    assert long is not None
    assert 0 < long < 0.2
    ending = worth(ASKED, "chrf", "Mints, parsleys, chive.", row)
    assert ending is not None
    assert 0.5 < ending < 1
    assert worth(ASKED, "exact_match", " Mint, parsley, chives.\n", row) == 1.0


@pytest.mark.parametrize("kind", sorted(EXAMPLES))
def test_the_rows_own_answer_scores_one_and_an_empty_one_nothing(kind: str, sandbox: Backend) -> None:
    task, rows = example_rows(kind)
    for score in scores_of(task):
        assert score.of(task, [row.answer for row in rows], rows) == pytest.approx([1.0] * len(rows))
        assert score.of(task, [""] * len(rows), rows) == [0.0] * len(rows)


TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(
        ["13", "#### 13", "about 13", "\\boxed{x+1}", "{}", "[1, 2]", "Mint, parsley", "```\n1\n```"]
    ),
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=5).map(
        json.dumps
    ),
)


ANSWERS = given(data=st.data(), answers=st.lists(TEXTS, min_size=1, max_size=6))


@settings(max_examples=15)
@ANSWERS
@pytest.mark.parametrize("task", [ORDERS, ASKED, REVIEWS], ids=lambda task: task.kind)
def test_a_score_is_a_share_and_the_order_of_rows_is_of_no_matter(
    task: Task, data: st.DataObject, answers: list[str]
) -> None:
    check_share_and_order(task, data, answers)


def so_it_is_where_mathematics_is_scored(data: st.DataObject, answers: list[str]) -> None:
    check_share_and_order(MATH, data, answers)


# A process that knows mathematics is started for each example.
FEW, MANY = (
    settings(max_examples=examples)(ANSWERS(so_it_is_where_mathematics_is_scored)) for examples in (4, 60)
)
test_so_it_is_where_mathematics_is_scored = FEW
test_so_it_is_with_many_answers = pytest.mark.campaign(MANY)


def check_share_and_order(task: Task, data: st.DataObject, answers: list[str]) -> None:
    rows = [_any_row(task, at) for at in range(len(answers))]
    order_ = data.draw(st.permutations(range(len(answers))))
    for score in scores_of(task):
        found = score.of(task, answers, rows)
        assert all(value is None or 0 <= value <= 1 for value in found)
        again = score.of(task, [answers[at] for at in order_], [rows[at] for at in order_])
        assert again == [found[at] for at in order_]


def _any_row(task: Task, at: int) -> Row:
    if task is MATH:
        return problem(("13", "x + 1", "yes")[at % 3])
    if task is ORDERS:
        return order(RECORD | {"express": at % 2 == 0})
    if task is ASKED:
        said = ("Mint, parsley", "…", "13")[at % 3]
        return row_of(ASKED, f"r{at}", {"instruction": "Name some.", "response": said})
    return row_of(REVIEWS, f"r{at}", {"text": "Fine soup.", "stars": 1 + at, "place": "Bern"})


def test_slices_of_a_task_without_labels_have_intervals() -> None:
    rng = random.Random(7)
    task = bound("math", {"question": "question", "solution": "solution", "answer": "answer"})
    rows, said = [], []
    for at in range(200):
        topic = ("trade", "shapes")[at % 2]
        fields = {"question": f"{at}?", "solution": "", "answer": str(at), "topic": topic}
        rows.append(row_of(task, f"r{at}", fields))
        said.append(str(at) if topic == "trade" or rng.random() < 0.3 else "-1")
    examined = Examined("dev", task, rows, {MIX: said, REAL_ONLY: ["-1"] * 200}, draws=200)
    slices = examined.per_slice(MIX, ["topic=trade", "topic=shapes", "topic=none"])
    assert list(slices) == ["topic=trade", "topic=shapes"]
    assert slices["topic=trade"]["rows"] == 100
    assert slices["topic=trade"]["value"] == slices["topic=trade"]["high"] == 1.0
    assert 0.9 < slices["topic=trade"]["low"] < 1.0
    assert (
        0.1
        < slices["topic=shapes"]["low"]
        < slices["topic=shapes"]["value"]
        < slices["topic=shapes"]["high"]
        < 0.6
    )
    assert examined.metric == examined.row_metric == "answer_match"
    assert examined.difference(MIX, REAL_ONLY)["verdict"] == "better"


def test_a_slice_of_degrees_has_the_bootstraps_interval_and_a_label_its_recall() -> None:
    rows = [
        row_of(ASKED, f"r{at}", {"instruction": f"{at}?", "response": "one two three four", "tone": "plain"})
        for at in range(50)
    ]
    said = [" ".join(["one", "two", "three", "four"][: 1 + at % 4]) for at in range(50)]
    found = Examined("dev", ASKED, rows, {MIX: said}, draws=200).per_slice(MIX, ["tone=plain"])["tone=plain"]
    assert 0 < found["low"] < found["value"] < found["high"] < 1

    task, labelled = example_rows("classification")
    told = ["delivery"] * len(labelled)
    examined = Examined("dev", task, labelled, {MIX: told}, draws=200)
    assert (examined.metric, examined.row_metric) == (MACRO_F1, "accuracy")
    for label, figures in examined.per_class(MIX).items():
        slice_ = examined.per_slice(MIX, [label])[label]
        assert (slice_["value"], [slice_["low"], slice_["high"]]) == (
            figures["recall"],
            figures["recall_interval"],
        )


def test_what_cannot_be_told_counts_once_and_as_wrong() -> None:
    rows = [problem("0.5"), problem("13")]
    examined = Examined("dev", MATH, rows, {MIX: ["#### 50%", "#### 13"]}, draws=50)
    assert examined.undecided == {MIX: 1}
    assert list(examined.right[MIX]) == [0.0, 1.0]
    assert examined.draws(MIX)[0] == 0.5
