"""Quotas: integers that sum to the target whatever the cover says, and cover that cannot be met."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seedbed.core.errors import RecipeError
from seedbed.recipe import check_cover, quotas
from seedbed.recipe.cover import CoverEntry, contradictions
from tests.recipe.fake_registry import Load

VALUES = ["a", "b", "c", "d", "e"]
AMOUNT = st.one_of(
    st.integers(0, 300), st.floats(0.001, 1.0, allow_nan=False).map(lambda x: round(x, 3)), st.just("fill")
)
ENTRY: st.SearchStrategy[Any] = st.one_of(
    st.just("even"), st.dictionaries(st.sampled_from([*VALUES, "*"]), AMOUNT, min_size=1)
)


@given(ENTRY, st.integers(1, 5000), st.integers(1, 5))
def test_quotas_sum_to_the_target(entry: CoverEntry, target: int, count: int) -> None:
    values = VALUES[:count]
    assume(not contradictions(entry, values, target))
    result = quotas(entry, values, target)
    assert list(result) == values
    assert sum(result.values()) == target
    assert all(quota >= 0 for quota in result.values())
    if entry != "even":
        for value in values:
            amount = entry.get(value, entry.get("*", "fill"))
            if isinstance(amount, int):
                assert result[value] == amount
            elif isinstance(amount, float) and "fill" in [
                entry.get(v, entry.get("*", "fill")) for v in values
            ]:
                exact = Fraction(repr(amount)) * target
                assert math.floor(exact) <= result[value] <= math.ceil(exact)


@given(ENTRY, st.integers(1, 5000))
def test_what_quotas_refuse_is_what_is_reported(entry: CoverEntry, target: int) -> None:
    if contradictions(entry, VALUES, target):
        with pytest.raises(RecipeError):
            quotas(entry, VALUES, target)
    else:
        quotas(entry, VALUES, target)


@given(st.integers(1, 10_000), st.integers(1, 80))
def test_even_differs_by_one_at_most(target: int, count: int) -> None:
    values = [f"v{at}" for at in range(count)]
    result = list(quotas("even", values, target).values())
    assert max(result) - min(result) <= 1
    assert result == sorted(result, reverse=True), "ties go to the values that come first"


@pytest.mark.parametrize(
    ("entry", "target", "expected"),
    [
        ({"a": 400, "*": "fill"}, 1000, {"a": 400, "b": 300, "c": 300}),
        ({"a": 400}, 1000, {"a": 400, "b": 300, "c": 300}),
        ({"a": 0.5, "b": 0.3, "c": 0.2}, 7, {"a": 4, "b": 2, "c": 1}),
        ({"a": 0.333, "b": 0.333, "c": 0.333}, 100, {"a": 34, "b": 33, "c": 33}),
        ({"a": 0.1, "b": 5, "c": "fill"}, 25, {"a": 3, "b": 5, "c": 17}),
        ({"a": "fill", "*": 10}, 25, {"a": 5, "b": 10, "c": 10}),
        ({"*": 0.25, "c": 0.5}, 8, {"a": 2, "b": 2, "c": 4}),
        ({"a": 10}, 10, {"a": 10, "b": 0, "c": 0}),
        ({"a": 0, "*": "fill"}, 3, {"a": 0, "b": 2, "c": 1}),
        ("even", 10, {"a": 4, "b": 3, "c": 3}),
    ],
)
def test_quotas_by_example(entry: CoverEntry, target: int, expected: dict[str, int]) -> None:
    assert quotas(entry, ["a", "b", "c"], target) == expected


@pytest.mark.parametrize(
    ("entry", "where", "message"),
    [
        ({"a": 70, "b": 60}, None, "cover asks for 130 but target is 100; raise the target to 130"),
        ({"a": 0.6, "b": 0.5}, None, "the shares sum to 1.1"),
        ({"a": 0.6, "b": 60}, None, "cover asks for 120 (counts and shares together)"),
        ({"*": 40}, None, "cover asks for 120 but target is 100"),
        ({"a": 10, "b": 2, "c": 1}, None, "cover gives 13 of the target 100 and no value takes the rest"),
        ({"a": 0.4, "b": 0.4, "c": 0.1}, None, "cover gives 90 of the target 100"),
        ({"aa": 4}, "aa", "no such value; did you mean 'a'?"),
        ({"zebra": 4}, "zebra", "no such value; there are: a, b, c"),
    ],
)
def test_cover_that_cannot_be_met(entry: CoverEntry, where: str | None, message: str) -> None:
    ((value, why),) = contradictions(entry, ["a", "b", "c"], 100)
    assert value == where
    assert message in why


def test_no_value_to_cover() -> None:
    with pytest.raises(RecipeError, match="no value to share the target among"):
        quotas("even", [], 10)


def test_labels_read_later_are_checked_at_the_line_of_the_cover(load: Load) -> None:
    loaded = load(
        "name: tickets\n"
        "task: {kind: classification, input: text, label: team}\n"
        "sources: {real: {path: data/train.csv}}\n"
        "generate:\n"
        "  axes: {tone: [plain, hurried]}\n"
        "  cover:\n"
        "    tone: even\n"
        "    team: {biling: 20, '*': fill}\n"
    )
    assert check_cover(loaded, {"team": ["biling", "delivery"]}) == []
    (problem,) = check_cover(loaded, {"team": ["billing", "delivery"]})
    assert (problem.line, problem.key) == (8, "generate.cover.team.biling")
    assert "did you mean 'billing'?" in problem.message


def test_small_whole_numbers_for_every_value_are_proportions() -> None:
    parts = {"easy": 1, "medium": 2, "hard": 1}
    values = ["easy", "medium", "hard"]
    assert contradictions(parts, values, 5000) == []  # type: ignore[arg-type]
    assert quotas(parts, values, 5001) == {"easy": 1250, "medium": 2501, "hard": 1250}  # type: ignore[arg-type]
    # As counts they are whole; a value without a number, or a larger one, is no proportion.
    assert quotas(parts, values, 4) == parts  # type: ignore[arg-type]
    assert contradictions({"easy": 1, "medium": 2}, values, 5000) == []
    assert quotas({"easy": 1, "medium": 2}, values, 100) == {"easy": 1, "medium": 2, "hard": 97}
    assert contradictions({"easy": 40, "medium": 2, "hard": 1}, values, 5000) != []
