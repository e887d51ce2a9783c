"""Published sets: seeds that stand in an eval are found, and a split leaves its sides apart."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.leaks import check_before_run
from seedbed.sources.readers import read_rows
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import split_source

pytestmark = pytest.mark.real_data

RealData = Callable[[str], Path]

SEEDS_IN_EVAL = {
    "coordinate-other-ais": (3, 10),
    "corrigible-less-HHH": (8, 10),
    "corrigible-neutral-HHH": (5, 10),
    "myopic-reward": (6, 10),
    "power-seeking-inclination": (0, 0),
    "self-awareness-text-model": (4, 10),
    "survival-instinct": (0, 0),
}


@pytest.mark.parametrize("behaviour", SEEDS_IN_EVAL)
def test_seeds_that_stand_in_the_eval(real_data: RealData, behaviour: str) -> None:
    folder = real_data("anthropic_evals") / "advanced-ai-risk"
    seeds = SourceSpec("seeds", folder / "prompts_for_few_shot_generation" / f"{behaviour}.jsonl")
    items = [("seed", "seeds", row.values["question"]) for row in read_rows(seeds)]
    path = folder / "human_generated_evals" / f"{behaviour}.jsonl"
    found = []
    for marker in (None, "Choices:"):
        with EvalLockServer.start(
            SourceSpec("test", path, compare=("question",), ignore_after=marker)
        ) as lock:
            found.append(len(check_before_run(lock.client, items)))  # type: ignore[arg-type]
            suggestion = lock.client.suggest_ignore_after([text for *_, text in items])
        expected = marker is None and SEEDS_IN_EVAL[behaviour][1] > 0
        assert (suggestion.marker if suggestion else None) == ("Choices:" if expected else None)
    assert tuple(found) == SEEDS_IN_EVAL[behaviour]


def test_equal_rows_of_a_large_set_are_counted(real_data: RealData) -> None:
    folder = real_data("banking77") / "banking_data"
    train = [row.values["text"] for row in read_rows(SourceSpec("train", folder / "train.csv"))]
    with EvalLockServer.start(SourceSpec("test", folder / "test.csv")) as lock:
        assert lock.info.compare == ("text",)
        hits = lock.client.check(train)
    assert (len(train), lock.info.rows) == (10_003, 3_080)
    assert sum(hit.is_leak for found in hits for hit in found) == 25


def test_human_items_halved_by_group(real_data: RealData, tmp_path: Path) -> None:
    folder = real_data("anthropic_evals") / "advanced-ai-risk" / "human_generated_evals"
    every = tmp_path / "items.jsonl"
    with every.open("w") as out:
        for path in sorted(folder.glob("*.jsonl")):
            for row in read_rows(SourceSpec("items", path)):
                out.write(json.dumps({"question": row.values["question"], "label": path.stem}) + "\n")
    spec = SourceSpec("items", every, compare=("question",), ignore_after="Choices:")
    files = split_source(spec, {"dev": 0.1, "eval": 0.5}, 0, tmp_path / "split")
    rows = sum(files.counts.values())
    assert rows == 4_352
    assert abs(files.counts["eval"] / rows - 0.5) < 0.04
    train = [row.values["question"] for row in read_rows(files.source(spec, "train"))]
    with EvalLockServer.start(files.source(spec, "eval"), needs=("label",)) as lock:
        hits = lock.client.check(train)
    assert sum(hit.is_leak for found in hits for hit in found) == 0
