"""Keys that samples vote by: equal for the same answer, different for another."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seedbed.verify.answers import answer_key, solution_key

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Paris", "**paris**.", True),
        ("New  York\n", "new york", True),
        ("1,000.0", "1000", True),
        (".5", "0.50", True),
        ("5", ".5", False),
        ("52", "5²", False),
        ("2021-05-03", "2021-05-3", False),
        ("3 apples", "3 pears", False),
        ("café", "cafe\u0301", True),
        ({"b": 1.0, "a": ["X "]}, {"a": ["x"], "b": 1}, True),
        ({"a": 1}, {"a": 2}, False),
        (["a", "b"], ["b", "a"], False),
        (True, 1, False),
    ],
)
def test_what_is_the_same_answer(one: Any, other: Any, same: bool) -> None:
    assert (answer_key(one) == answer_key(other)) == same


@example("00\x1f")  # white space that is none of ASCII's, behind a number
@given(st.text(max_size=30))
def test_the_key_of_a_key_is_itself(text: str) -> None:
    assert answer_key(answer_key(text)) == answer_key(text)


@given(JSON)
def test_every_value_of_json_has_a_key(value: Any) -> None:
    assert answer_key(value) == answer_key(value)


@pytest.mark.parametrize(
    ("solution", "key"),
    [
        ("9 * 2 = 18\nA: $18.00", "18"),
        ("So it takes 1 1/2 hours. The answer is 1 1/2 hours.", "3/2"),
        ("The answer is Blue.", "blue"),
        ("I do not know.", ""),
    ],
)
def test_solutions_vote_by_what_they_come_to(solution: str, key: str) -> None:
    assert solution_key(solution) == key
