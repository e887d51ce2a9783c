"""Worked solutions against the answers beside them and the equations in them."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from seedbed.verify.mathematics import final_answer, without_answer
from seedbed.verify.outcome import PASSED, Finding, Outcome, failed, undecided, worst
from seedbed.verify.solutions import check_answer, check_equations


@pytest.mark.parametrize(
    ("solution", "answer", "finding", "reason"),
    [
        ("16 - 3 = 13\n#### 13", "13", "passed", ""),
        ("16 - 3 = 13\n#### 13", "$13.00", "passed", ""),
        ("16 - 3 = 13\n#### 14", "13", "failed", "wrong_answer"),
        (r"so \fbox{13}", "14", "failed", "wrong_answer"),
        ("**Answer**: 13", "14", "failed", "wrong_answer"),
        # A last number that nothing marks says something where an equation comes to it, or it is the answer.
        ("16 - 3 = 13", "14", "failed", "wrong_answer"),
        ("16 - 3 = 13", "13", "passed", ""),
        ("16 - 3 = 13, which lasts for 4 days.", "13", "undecided", "undecided_answer"),
        ("In 4 days she is done.", "4", "passed", ""),
        ("#### one third", "1/3", "undecided", "undecided_answer"),
        ("1/3 = 0.33\n#### 0.33", "1/3", "undecided", "undecided_answer"),
        ("She does.", "4", "undecided", "no_final_answer"),
        (13, 13, "passed", ""),
    ],
)  # fmt: skip
def test_a_solution_comes_to_its_answer(solution: Any, answer: Any, finding: Finding, reason: str) -> None:
    found = check_answer(solution, answer)
    assert (found.finding, found.reason) == (finding, reason)


def test_evidence_is_what_each_side_says() -> None:
    found = check_answer("The answer is 13.", "14")
    assert found == failed("wrong_answer", answer="14", solution="13")


@pytest.mark.parametrize(
    ("solution", "outcome"),
    [
        ("16 - 3 = 13 and 13 * 2 = 26", PASSED),
        ("16 - 3 = 14 and 14 * 2 = 29", failed("wrong_equation", equations=["16 - 3 = 14", "14 * 2 = 29"])),
        (
            "1 hour + 30 minutes = 90 minutes",
            undecided("undecided_equation", equations=["1 hour + 30 minutes = 90"]),
        ),
        ("There are 26.", undecided("no_equation")),
    ],
)
def test_equations_that_a_solution_states(solution: str, outcome: Outcome) -> None:
    assert check_equations(solution) == outcome


def test_the_worst_of_several_outcomes_counts_and_of_two_alike_the_first() -> None:
    one, two = undecided("one"), undecided("two")
    assert worst([PASSED, one, failed("f"), two]).reason == "f"
    assert worst([PASSED, one, two]) == one
    assert worst([PASSED, PASSED]) == PASSED
    assert worst([]).finding == "undecided"


def recorded(folder: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(right answer, one of four models' solutions) of each question."""
    path = folder / "grade_school_math/data/example_model_solutions.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        for value in row.values():
            if isinstance(value, dict):
                yield final_answer(row["ground_truth"]) or "", value


@pytest.mark.real_data
def test_all_recorded_solutions_of_gsm8k_are_judged_as_their_labels_say(
    real_data: Callable[[str], Path],
) -> None:
    """D5. Held against the right answer, a solution passes where people called it right, and not else."""
    found: Counter[tuple[str, bool]] = Counter()
    for right, solution in recorded(real_data("gsm8k")):
        found[check_answer(solution["solution"], right).finding, solution["is_correct"]] += 1
    print(f"answers: {dict(found)}")
    assert found["passed", True] == 2_001
    assert found["passed", False] == found["failed", True] == found["undecided", True] == 0
    assert found.total() == 5_276


@pytest.mark.real_data
def test_stated_equations_of_gsm8k_tell_wrong_solutions_from_right_ones(
    real_data: Callable[[str], Path],
) -> None:
    found: Counter[tuple[str, bool]] = Counter()
    for _, solution in recorded(real_data("gsm8k")):
        found[check_equations(solution["solution"]).finding, solution["is_correct"]] += 1
    print(f"equations: {dict(found)}")
    right, wrong = (found["failed", is_right] / (2_001 if is_right else 3_275) for is_right in (True, False))
    assert right <= 0.015
    assert wrong >= 5 * right


@pytest.mark.real_data
def test_solutions_of_people_are_hardly_ever_found_wrong(real_data: Callable[[str], Path]) -> None:
    """Also without their marked answer, as the methods of this project make records of solutions."""
    path = real_data("gsm8k") / "grade_school_math/data/test.jsonl"
    rows = [json.loads(line)["answer"] for line in path.read_text("utf-8").splitlines()]
    found: Counter[str] = Counter()
    for text in rows:
        answer, solution = final_answer(text), without_answer(text)
        outcome = worst([check_answer(solution, answer), check_equations(solution)])
        found[outcome.reason or "passed"] += 1
    print(f"of {len(rows)} solutions of people: {dict(found)}")
    assert found["wrong_answer"] + found["wrong_equation"] <= 0.02 * len(rows)
    assert found["passed"] >= 0.85 * len(rows)
