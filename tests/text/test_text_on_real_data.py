"""Published eval sets that stand in their own train sets, and how long it takes to see it."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.text.overlap import EvalIndex

RealData = Callable[[str], Path]
pytestmark = pytest.mark.real_data


def banking(real_data: RealData, part: str) -> list[str]:
    path = real_data(f"banking77/banking_data/{part}.csv")
    with path.open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def clinc(real_data: RealData, part: str) -> list[str]:
    data = json.loads(real_data("clinc150/data/data_full.json").read_text(encoding="utf-8"))
    return [text for text, _ in data[part]]


def leaks(train: list[str], test: list[str]) -> list[tuple[int, int]]:
    index = EvalIndex(test)
    return [(row, hit.row) for row, text in enumerate(train) for hit in index.check([text])[0] if hit.is_leak]


def test_banking77_has_25_leaks(real_data: RealData) -> None:
    found = leaks(banking(real_data, "train"), banking(real_data, "test"))
    assert len(found) == 25
    assert len({row for _, row in found}) == 25


def test_clinc150_has_20_leaks_on_19_rows(real_data: RealData) -> None:
    train, test = clinc(real_data, "train"), clinc(real_data, "test")
    found = leaks(train, test)
    assert len(found) == 20
    assert len({row for _, row in found}) == 19


def test_near_hits_never_count_as_leaks(real_data: RealData) -> None:
    index = EvalIndex(banking(real_data, "test"), common=banking(real_data, "train")[:2000])
    hits = [hit for text in banking(real_data, "train")[::10] for hit in index.check([text])[0]]
    near = [hit for hit in hits if not hit.is_leak]
    assert {hit.rule for hit in near} <= {"contained", "similar", "ngrams", "run"}
    assert len(near) > len(hits) - len(near) > 0
