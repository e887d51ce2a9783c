"""What the measures say of sets whose variety is known: real rows, copies, one opening, one topic."""

from __future__ import annotations

import csv
import json
import random
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seedbed.metrics import METRICS
from seedbed.metrics.comparison import (
    AS_VARIED,
    LESS_VARIED,
    NOT_COMPARED,
    Embedded,
    embed_lexically,
    measure,
)
from seedbed.metrics.sample import FEWEST, Pool, draw_sample
from seedbed.text.lexical import Lexical

RealData = Callable[[str], Path]

WORDS = [first + second for first in "bdfgklmnprst" for second in ("ala", "emo", "iru", "oke", "usi")]


def made_up(count: int, *, length: int = 9, words: int = 60, seed: int = 0) -> list[str]:
    """Texts of words drawn from the first `words` of a small vocabulary, some more often than others."""
    rng = random.Random(seed)
    weights = [1 / (1 + place) for place in range(words)]
    return [" ".join(rng.choices(WORDS[:words], weights, k=length)) for _ in range(count)]


def pooled(texts: Sequence[str], name: str) -> list[str]:
    pool = Pool()
    for index, text in enumerate(texts):
        pool.add(f"{name}-{index}", text)
    return pool.texts()


def read(folder: Path) -> list[str]:
    if folder.name == "banking77":
        with (folder / "banking_data" / "train.csv").open(newline="", encoding="utf-8") as file:
            return [row["text"] for row in csv.DictReader(file)]
    rows = json.loads((folder / "data" / "data_full.json").read_text("utf-8"))["train"]
    return [text for text, _ in rows]


@cache
def real_side(folder: Path) -> tuple[list[str], list[str], Lexical, Any]:
    """All rows of a set, the pool that stands for them, the embedder fitted on it, the pool's vectors."""
    rows = read(folder)
    pool = pooled(rows, "real")
    embedder = Lexical.fit(pool)
    return rows, pool, embedder, embedder.embed(pool)


def verdicts(folder: Path, texts: Sequence[str], name: str) -> dict[str, str]:
    _, pool, embedder, vectors = real_side(folder)
    sample = draw_sample(pooled(texts, name), pool)
    entries = measure(sample, Embedded(embedder.embed(sample.generated), vectors))
    return {entry["name"]: entry["verdict"] for entry in entries}


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["banking77", "clinc150"])
def test_real_rows_are_as_varied_as_real_rows(name: str, real_data: RealData) -> None:
    """Bootstraps of 150 rows: in the long form (twenty of all rows) two of twenty may alarm, so here none."""
    folder = real_data(name)
    rows = real_side(folder)[0]
    rng = random.Random(name)
    found = [verdicts(folder, rng.choices(rows, k=150), f"draw-{draw}") for draw in range(5)]
    assert sum(LESS_VARIED in said.values() for said in found) == 0
    assert sum(list(said.values()).count(AS_VARIED) for said in found) > 15


@pytest.mark.campaign
@pytest.mark.real_data
@pytest.mark.parametrize("name", ["banking77", "clinc150"])
@pytest.mark.timeout(900)
def test_whole_bootstraps_of_real_rows_do_not_alarm(name: str, real_data: RealData) -> None:
    """As many rows as the set has, drawn with replacement: more than a third of those are copies."""
    folder = real_data(name)
    rows = real_side(folder)[0]
    rng = random.Random(name)
    found = [verdicts(folder, rng.choices(rows, k=len(rows)), f"draw-{draw}") for draw in range(20)]
    assert sum(LESS_VARIED in said.values() for said in found) <= 2


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["banking77", "clinc150"])
def test_a_set_with_one_opening_alarms(name: str, real_data: RealData) -> None:
    folder = real_data(name)
    rows = random.Random(1).sample(real_side(folder)[0], 300)
    # As long as the others: what stood there goes.
    one_opening = ["so could you please " + " ".join(row.split()[4:]) for row in rows]
    said = verdicts(folder, one_opening, "opening")
    assert said["common_opening"] == LESS_VARIED


@pytest.mark.real_data
@pytest.mark.parametrize("name", ["banking77", "clinc150"])
def test_a_few_texts_again_and_again_alarm_everywhere(name: str, real_data: RealData) -> None:
    folder = real_data(name)
    rng = random.Random(2)
    few = rng.sample(real_side(folder)[0], 12)
    said = verdicts(folder, rng.choices(few, k=300), "few")
    assert {name for name, verdict in said.items() if verdict != LESS_VARIED} == set()


def by_name(entries: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {entry["name"]: entry for entry in entries}


def test_every_measure_has_a_figure_with_its_interval() -> None:
    sample = draw_sample(made_up(200, seed=1), made_up(300, seed=2))
    entries = measure(sample)
    assert [entry["name"] for entry in entries] == METRICS.names()
    for entry in entries:
        assert 0 <= entry["low"] <= entry["value"] <= entry["high"]
        assert 0 <= entry["real_low"] <= entry["real"] <= entry["real_high"]
        ceiling = METRICS.get(entry["name"]).ceiling
        assert ceiling is None or max(entry["high"], entry["real_high"]) <= ceiling


def test_equal_samples_give_equal_figures() -> None:
    sample = draw_sample(made_up(120, seed=1), made_up(150, seed=2))
    assert measure(sample, seed=5) == measure(sample, seed=5)
    assert measure(sample, seed=5) != measure(sample, seed=6)


def test_a_small_vocabulary_is_less_varied() -> None:
    entries = by_name(measure(draw_sample(made_up(300, words=12, seed=1), made_up(300, seed=2))))
    for name in ("compression_gzip", "compression_xz", "distinct_1", "distinct_2"):
        assert entries[name]["verdict"] == LESS_VARIED


def test_without_real_rows_there_are_values_and_no_verdict() -> None:
    entries = measure(draw_sample(made_up(100), []))
    assert {entry["verdict"] for entry in entries} == {NOT_COMPARED}
    assert {entry["real"] for entry in entries} == {None}
    assert not [entry for entry in entries if entry["name"].startswith("topic")]


def test_lengths_that_never_meet_are_not_compared() -> None:
    sample = draw_sample(made_up(100, length=40), made_up(100, length=9))
    assert "too few have a length in common (median 40 words against 9" in sample.notes[0]
    entries = measure(sample)
    assert {entry["verdict"] for entry in entries} == {NOT_COMPARED}


def test_the_figures_are_those_of_the_embedder_given() -> None:
    """Vectors that lie in one place make any texts alike; those of words alone are not moved."""
    sample = draw_sample(made_up(FEWEST * 2, seed=1), made_up(FEWEST * 2, seed=2))
    lexical = embed_lexically(sample)
    in_one_place = Embedded(np.ones_like(lexical.generated), lexical.real)
    usual, alike = by_name(measure(sample, lexical)), by_name(measure(sample, in_one_place))
    assert alike["nearest_neighbour"]["value"] == pytest.approx(0, abs=1e-6)
    assert alike["topic_coverage"]["verdict"] == LESS_VARIED
    assert usual["nearest_neighbour"]["value"] > 0.05
    assert usual["distinct_2"] == alike["distinct_2"]
