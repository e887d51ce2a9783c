"""Bounds on figures: each condition can fail, and what was not measured never holds."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.evidence.__main__ import DEMONSTRATIONS
from benchmarks.evidence.expected import misses, read_expected

FIGURES = {"set": {"pairs": 25, "name": "Choices:", "share": 0.80}}


@pytest.mark.parametrize(
    ("condition", "met", "missed"),
    [
        ("is", 25, 24),
        ("below", 26, 25),
        ("above", 24, 25),
        ("at_most", 25, 24),
        ("at_least", 25, 26),
        ("within", [27, 2], [27, 1]),
    ],
)
def test_every_condition_holds_and_fails(condition: str, met: object, missed: object) -> None:
    assert misses(FIGURES, {"set.pairs": {condition: met}}) == []
    assert misses(FIGURES, {"set.pairs": {condition: missed}}) == [
        f"set.pairs = 25, expected {condition} {missed}"
    ]


@pytest.mark.parametrize("name", ["set.rows", "other.pairs", "set.pairs.deeper"])
def test_a_figure_that_is_not_there_is_a_miss(name: str) -> None:
    assert len(misses(FIGURES, {name: {"below": 10}})) == 1


def test_all_conditions_of_a_figure_count() -> None:
    assert len(misses(FIGURES, {"set.pairs": {"above": 30, "below": 20}})) == 2


@pytest.mark.parametrize("name", DEMONSTRATIONS)
def test_every_demonstration_has_bounds(name: str) -> None:
    assert read_expected(name)


@pytest.mark.parametrize("text", ["", "[D2]\nx = {is = 1}\n", "[D1]\nx = {near = 1}\n", "[D1]\nx = {}\n"])
def test_bounds_that_prove_nothing_are_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "expected.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match=r"expected\.toml"):
        read_expected("D1", path)
