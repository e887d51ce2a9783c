from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.rouge import common_subsequence, rouge_l

words = st.lists(st.sampled_from("abcdefg"), max_size=80)


def by_table(a: list[str], b: list[str]) -> int:
    """The textbook's dynamic programme."""
    row = [0] * (len(b) + 1)
    for item in a:
        above = row
        row = [0]
        for at, other in enumerate(b):
            row.append(above[at] + 1 if item == other else max(above[at + 1], row[at]))
    return row[-1]


@given(words, words)
def test_the_longest_common_subsequence_is_that_of_the_textbook(a: list[str], b: list[str]) -> None:
    assert common_subsequence(a, b) == by_table(a, b) == common_subsequence(b, a)


@pytest.mark.parametrize(
    ("a", "b", "score"),
    [
        # The example of Lin 2004, section 3.1: "police killed the gunman" against two others.
        ("police killed the gunman", "police kill the gunman", 0.75),
        ("police killed the gunman", "the gunman kill police", 0.5),
        ("police killed the gunman", "police killed the gunman", 1.0),
        ("police killed the gunman", "", 0.0),
        ("a b", "c d", 0.0),
    ],
)
def test_rouge_l(a: str, b: str, score: float) -> None:
    assert rouge_l(a.split(), b.split()) == pytest.approx(score)
