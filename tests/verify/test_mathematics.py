"""Final answers found, compared without guessing, and equations held to what they say."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.verify.mathematics import Comparison, compare, final_answer, quantity, stated_equations

ANSWERS = st.text(alphabet="0123456789.,+-/%$ xkmeh", max_size=12)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        (r"The answer is 3. So \boxed{\frac{3}{4}}. #### 5", r"\frac{3}{4}"),
        (r"\boxed{1} and then \boxed{2}", "2"),
        ("The answer is 3.\n#### 1,234", "1,234"),
        ("We get 7.\nThe answer is **$18.50**. There are 3 of them.", "$18.50"),
        ("The final answer is: 42 km.", "42 km"),
        ("5 + 3 = 8\nA: 8", "8"),
        ("Answer: $x = 5$", "x = 5"),
        ("First 7, and then 8.", "8"),
        ("it falls to -7", "-7"),
        ("from 10-3 on", "3"),
        (r"\boxed{never closed", None),
        ("no number at all", None),
        ("", None),
    ],
)
def test_the_final_answer_is_found_by_its_marks_in_their_order(text: str, answer: str | None) -> None:
    assert final_answer(text) == answer


@pytest.mark.parametrize(
    ("one", "other", "result"),
    [
        ("18", "$18.00", "equal"),
        ("1,234", "1234", "equal"),
        ("3/4", "0.75", "equal"),
        (r"\dfrac{3}{4}", "0.75", "equal"),
        ("1 1/2 hours", "1.5", "equal"),
        (r"1\frac{1}{2}", "1.5", "equal"),
        ("3!", "6", "undecided"),
        ("18 dollars", "$18", "equal"),
        ("$18 per day", "18 dollars a day", "equal"),
        ("50%", "50", "equal"),
        ("1.8 billion", "1,800,000,000", "equal"),
        ("3 dozen", "36 eggs", "equal"),
        ("x = 5", "5", "equal"),
        ("2^10", "1024", "equal"),
        ("Blue.", "blue", "equal"),
        ("-7", "7", "different"),
        ("18", "18.01", "different"),
        ("50%", "0.5", "undecided"),
        ("1/3", "0.33", "undecided"),
        ("5 km", "5 m", "undecided"),
        ("10+John's age", "50", "undecided"),
        ("blue", "red", "undecided"),
        ("1/0", "1", "undecided"),
        ("5:30", "5", "undecided"),
        ("9" * 5000, "9", "undecided"),
        ("", "", "undecided"),
    ],
)
def test_answers_are_compared_exactly_or_not_at_all(one: str, other: str, result: Comparison) -> None:
    assert compare(one, other) == compare(other, one) == result


@given(ANSWERS, ANSWERS)
def test_the_order_of_two_answers_is_of_no_matter(one: str, other: str) -> None:
    assert compare(one, other) == compare(other, one)


@given(st.integers(-(10**9), 10**9), st.integers(0, 4), st.sampled_from(["", " km", "%", " million"]))
def test_a_number_is_itself_however_it_is_written(value: int, places: int, unit: str) -> None:
    exact = Fraction(value, 10**places)
    number = f"{value / 10**places:,.{places}f}"
    found = quantity(number + unit)
    assert found is not None
    assert found.value == exact * (10**6 if unit == " million" else 1)
    assert compare(number + unit, number + unit) == "equal"
    assert compare(number, str(exact)) == "equal"


def stated(text: str) -> list[tuple[str, Comparison]]:
    return [(equation.text, equation.result) for equation in stated_equations(text)]


@pytest.mark.parametrize(
    ("text", "equations"),
    [
        ("She has 16 eggs - 3 eggs = 13 eggs.", [("16 eggs - 3 eggs = 13", "equal")]),
        ("She pays $5 x 3 = $15.", [("$5 x 3 = $15", "equal")]),
        ("so 16 - 3 = <<16-3=13>>13 are left", [("16-3=13", "equal")]),
        ("so 16 - 3 = <<16-3=13>>14 are left", [("16-3=13", "equal"), ("16 - 3 = 14", "different")]),
        ("12/60 = 1/5 = 0.2", [("12/60 = 1/5", "equal"), ("1/5 = 0.2", "equal")]),
        ("- 3 + 4 = 7\n1. 3 * 4 = 13", [("3 + 4 = 7", "equal"), ("3 * 4 = 13", "different")]),
        ("**2(3+4) = 14**", [("2(3+4) = 14", "equal")]),
        ("10/3 = 3.33, and 7/2 = 3", [("10/3 = 3.33", "equal"), ("7/2 = 3", "different")]),
        ("0.5-0.4=0.09999999999999998", [("0.5-0.4=0.09999999999999998", "equal")]),
        ("1 hour + 30 minutes = 90 minutes", [("1 hour + 30 minutes = 90", "undecided")]),
        ("50 * 20% = 10 but 50 + 10% = 55", [("50 * 20% = 10", "equal"), ("50 + 10% = 55", "undecided")]),
        ("3/4 = 75%", [("3/4 = 75%", "equal")]),
        ("3 / 2 = 1 1/2 hours", [("3 / 2 = 1 1/2", "equal")]),
        ("16 - 3 = 13 - she then sells them", [("16 - 3 = 13", "equal")]),
        ("Her total = 3 + 4 = 8", [("3 + 4 = 8", "different")]),
        # Algebra, and numbers that are cut apart, are nothing that can be worked out.
        ("2y + 3 + 1 = 7", []),
        ("5 + (4x-13) = 4x-8", []),
        ("x^2 + 3 = 7", []),
        ("3 + 5 = 7 + y", []),
        ("$350 000 + $17500 = $367 500", []),
        ("(1/2) 278 + 11 = 150", []),
        ("There are 5 of them = 5", []),
    ],
)  # fmt: skip
def test_equations_are_found_and_held_to_what_they_say(
    text: str, equations: list[tuple[str, Comparison]]
) -> None:
    assert stated(text) == equations


def test_equal_steps_have_equal_forms() -> None:
    one, other = "It is $1.50 x 2 = $3.", "1.5 * 2 cups = <<1.5*2=3.0>>3 in all"
    assert [e.form for e in stated_equations(one)] == [e.form for e in stated_equations(other)] == ["3/2*2=3"]


@given(st.integers(0, 999), st.integers(0, 999), st.integers(-1, 1))
def test_an_equation_holds_where_it_is_true(a: int, b: int, off: int) -> None:
    (equation,) = stated_equations(f"We see that {a} + {b} = {a + b + off}.")
    assert equation.holds == (off == 0)


@given(st.text(alphabet="0123456789.,+-*/^()=%$x \nabc<>{}\\", max_size=120))
def test_any_text_can_be_looked_at(text: str) -> None:
    final_answer(text)
    for equation in stated_equations(text):
        assert "=" in equation.text


def solutions(folder: Path) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """(question, one model's solution): four for each question."""
    path = folder / "grade_school_math/data/example_model_solutions.jsonl"
    for line in path.read_text("utf-8").splitlines():
        row = json.loads(line)
        for value in row.values():
            if isinstance(value, dict):
                yield row, value


@pytest.mark.real_data
def test_extracted_answers_agree_with_all_recorded_labels_of_gsm8k(
    real_data: Callable[[str], Path],
) -> None:
    found: Counter[tuple[bool, bool]] = Counter()
    for row, solution in solutions(real_data("gsm8k")):
        right, answer = final_answer(row["ground_truth"]), final_answer(solution["solution"])
        assert right is not None
        assert answer is not None
        found[compare(answer, right) == "equal", solution["is_correct"]] += 1
    assert found == {(True, True): 2_001, (False, False): 3_275}


@pytest.mark.real_data
def test_equations_of_people_hold(real_data: Callable[[str], Path]) -> None:
    """Written by people and checked: what does not hold there is misread, or their slip."""
    rows = list(solutions(real_data("gsm8k")))[::4]
    stating = [found for row, _ in rows if (found := stated_equations(row["ground_truth"]))]
    wrong = [equation.text for found in stating for equation in found if equation.result == "different"]
    assert len(stating) >= 1_300
    assert len(wrong) <= 8
