"""Sums read as they are written and worked out exactly, within bounds, whatever the text."""

from __future__ import annotations

from fractions import Fraction
from typing import TypeAlias

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.verify.arithmetic import NoSum, Sum, SumReader, plain, tokens_of

Written: TypeAlias = "tuple[str, Fraction]"


def read(text: str) -> Sum:
    reader = SumReader(tokens_of(plain(text)))
    found = reader.read()
    assert reader.at == len(reader.tokens), "all of it"
    return found


def _number(value: int, places: int) -> Written:
    exact = Fraction(value, 10**places)
    return f"{value // 10**places:,}" + (f".{value % 10**places:0{places}d}" if places else ""), exact


SPELLINGS = {"+": "+", "-": "-", "−": "-", "*": "*", "x": "*", "×": "*", "\\times": "*", "/": "/", "÷": "/"}


def _joined(left: Written, spelt: str, right: Written) -> Written:
    match SPELLINGS[spelt]:
        case "+":
            value = left[1] + right[1]
        case "-":
            value = left[1] - right[1]
        case "/" if right[1]:
            value = left[1] / right[1]
        case _:
            value, spelt = left[1] * right[1], "*"
    return f"({left[0]} {spelt} {right[0]})", value


NUMBERS = st.builds(_number, st.integers(0, 10**7), st.integers(0, 3))
SUMS = st.recursive(
    NUMBERS,
    lambda inner: st.builds(_joined, inner, st.sampled_from(sorted(SPELLINGS)), inner),
    max_leaves=8,
)


@given(SUMS)
def test_a_sum_has_the_value_that_its_tree_has(written: Written) -> None:
    assert read(written[0]).value == written[1]


@given(st.lists(st.tuples(st.sampled_from("+-*/"), st.integers(1, 99)), max_size=9), st.integers(1, 99))
def test_signs_bind_as_in_python(rest: list[tuple[str, int]], first: int) -> None:
    text = f"{first}" + "".join(f" {sign} {number}" for sign, number in rest)
    fractions = f"Fraction({first})" + "".join(f" {sign} Fraction({number})" for sign, number in rest)
    assert read(text).value == eval(fractions, {"Fraction": Fraction})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^3^2", 512),
        ("-3^2", -9),
        ("2**10", 1024),
        ("5² + 1", 26),
        ("2(3 + 4)", 14),
        ("1 1/2 + 1/2", 2),
        (r"\frac{3}{4} \cdot 8", 6),
        ("50 x 20%", 10),
        ("$1,000.50 + $0.50", 1001),
        ("3 apples + 4", 7),
        ("4 - -3", 7),
        ("10^{2}", 100),
    ],
)
def test_sums_of_people(text: str, value: int) -> None:
    assert read(text).value == value


@pytest.mark.parametrize(
    "text",
    [
        "9^9^9^9",
        "1/0",
        "0^-1",
        "4^(1/2)",
        "2y",
        "9" * 401,
        "(" * 50 + "1" + ")" * 50,
        "2^" * 300 + "1",
        "(1",
        "",
    ],
)
def test_what_is_no_sum_or_out_of_bounds_is_not_read(text: str) -> None:
    with pytest.raises(NoSum):
        SumReader(tokens_of(plain(text))).read()


@given(st.text(alphabet="0123456789.,+-*/^()=%$x \nab{}\\", max_size=80))
def test_any_text_is_read_or_is_no_sum(text: str) -> None:
    reader = SumReader(tokens_of(plain(text)))
    try:
        reader.read()
    except NoSum:
        return
    assert 0 < reader.at <= len(reader.tokens)
