"""Measures as a user meets them: at the end of a run, in its report, and over a file."""

from __future__ import annotations

import asyncio
import csv
import json
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.evidence import variety
from seedbed.metrics import METRICS
from seedbed.publish.text_layout import display_width
from seedbed.run.loading import load_bound
from seedbed.run.measuring import measure_run, read_measures
from tests.cli.workspace import Workspace


def tickets(folder: Path, **changes: Any) -> Workspace:
    axes = {"tone": ["calm", "cross"], "length": ["short", "long"]}
    return Workspace.make(folder, generate={"target": 120, "axes": axes, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """A folder with a run of 80 records, and what the run said."""
    workspace = tickets(tmp_path_factory.mktemp("finished"), target=80)
    return workspace.folder, workspace.run("run", ".", "--json").json


def copied(finished: tuple[Path, Any], folder: Path) -> Workspace:
    shutil.copytree(finished[0], folder, dirs_exist_ok=True)
    return Workspace(folder)


def test_a_run_measures_what_it_accepted_once(finished: tuple[Path, Any], tmp_path: Path) -> None:
    workspace, summary = copied(finished, tmp_path), finished[1]
    measures = summary["measures"]
    assert measures["embedder"] == "lexical"
    assert measures["rows"]["generated"] == 80
    assert measures["rows"]["real"] == 150
    assert [entry["name"] for entry in measures["metrics"]] == METRICS.names()
    labels = measures["axes"]["category"]
    assert sum(labels["counts"].values()) == 80
    assert sum(labels["real_counts"].values()) == 150
    assert measures["axes"]["tone"]["covered"] == 2
    assert measures["axes"]["tone"]["real_counts"] is None
    file = workspace.run_folder / "measures.json"
    before = file.stat()
    workspace.run("run", ".")
    assert file.stat().st_mtime_ns == before.st_mtime_ns
    text = workspace.run("report", ".", "--no-html").out
    assert "How varied the data is" in text
    assert "Compression ratio (xz) ↓" in text
    section = text.partition("How varied the data is")[2].partition("Rounds")[0]
    assert max(map(display_width, section.splitlines())) <= 80
    # Other records, other figures; and of none but these.
    again = workspace.run("run", ".", "--target", "60", "--json").json["measures"]
    assert again["rows"]["generated"] == 60


def test_figures_of_other_records_are_not_shown(finished: tuple[Path, Any], tmp_path: Path) -> None:
    workspace = copied(finished, tmp_path)
    bound = load_bound(tmp_path, ())
    assert read_measures(bound.folder) is not None
    commit = min((workspace.run_folder / "rounds").glob("*.json"))
    commit.write_bytes(commit.read_bytes() + b"\n")
    assert read_measures(bound.folder) is None


def test_a_run_that_the_budget_stopped_is_measured_too(tmp_path: Path) -> None:
    workspace = tickets(tmp_path)
    done = workspace.run("run", ".", "--max-requests", "100", "--json", expect=4)
    assert done.json["measures"]["rows"]["sample"] >= 50


def test_too_few_rows_have_no_figure(tmp_path: Path) -> None:
    workspace = tickets(tmp_path, target=40)
    measures = workspace.run("run", ".", "--json").json["measures"]
    assert measures["metrics"] == []
    assert "too few to measure: 40 generated rows" in measures["notes"][0]
    assert "too few to measure" in workspace.run("report", ".", "--no-html").out


def test_without_real_rows_the_values_stand_alone(tmp_path: Path) -> None:
    task = {"kind": "classification", "input": "text", "label": "category", "labels": ["billing", "login"]}
    workspace = Workspace.make(tmp_path, sources=None, task=task, generate={"target": 60})
    measures = workspace.run("run", ".", "--json", expect=None).json["measures"]
    assert measures["rows"]["real"] == 0
    assert any("no real rows" in note for note in measures["notes"]) or measures["metrics"] == []
    assert all(entry["verdict"] == "not compared" for entry in measures["metrics"])


@dataclass
class Constant:
    """An embedder that finds all texts alike."""

    name: str = "constant-1"
    asked: list[int] = field(default_factory=list)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        await asyncio.sleep(0)
        self.asked.append(len(texts))
        return np.ones((len(texts), 4), dtype=np.float32)


def test_another_embedder_can_stand_in(finished: tuple[Path, Any], tmp_path: Path) -> None:
    workspace = copied(finished, tmp_path)
    bound, embedder = load_bound(tmp_path, ()), Constant()
    measures = asyncio.run(measure_run(bound, embedder))
    assert measures["embedder"] == "constant-1"
    found = {entry["name"]: entry for entry in measures["metrics"]}
    assert found["nearest_neighbour"]["value"] == pytest.approx(0, abs=1e-6)
    assert asyncio.run(measure_run(bound, embedder)) == measures
    assert len(embedder.asked) == 1
    assert "Embedder: constant-1" in " ".join(workspace.run("report", ".", "--no-html").out.split())


def test_audit_measures_a_file_alone_or_beside_real_rows(tmp_path: Path) -> None:
    workspace = tickets(tmp_path)
    alone = workspace.run("audit", "data/train.csv", "--json").json["measures"]
    assert {entry["verdict"] for entry in alone["metrics"]} == {"not compared"}
    assert alone["axes"] == {}
    beside = workspace.run("audit", "data/train.csv", "--recipe", ".", "--json").json["measures"]
    # The same rows on both sides. 150 of them are few for the topics, whose intervals may pass the margin.
    verdicts = Counter(entry["verdict"] for entry in beside["metrics"])
    assert verdicts["as varied as the real data"] >= 8
    assert verdicts.keys() <= {"as varied as the real data", "undecided"}
    assert beside["axes"]["category"]["counts"] == beside["axes"]["category"]["real_counts"]
    with (tmp_path / "data" / "train.csv").open(newline="", encoding="utf-8") as file:
        texts = [row["text"] for row in csv.DictReader(file)]
    rows = [json.dumps({"message": "I am writing to say " + " ".join(text.split()[5:])}) for text in texts]
    (tmp_path / "habit.jsonl").write_text("\n".join(rows), encoding="utf-8")
    habit = workspace.run("audit", "habit.jsonl", "--recipe", ".", "--json").json["measures"]
    assert "Commonest opening" in habit["notes"][-1]
    assert "less varied" in workspace.run("audit", "habit.jsonl", "--recipe", ".").out


@pytest.mark.real_data
def test_slots_spread_what_a_collapsing_teacher_says(
    tmp_path: Path, real_data: Callable[[str], Path]
) -> None:
    """The demonstration `variety` at a smaller budget: `template` against `direct` over HTTP."""
    real_data("clinc150")
    real, pool = variety.halves()
    few = {label: texts[:300] for label, texts in pool.items()}
    runs = {}
    for method in ("direct", "template"):
        (tmp_path / method).mkdir()
        runs[method] = variety.run(tmp_path / method, real=real, pool=few, method=method, budget=120)
    difference = variety.apart(runs["direct"], runs["template"])
    for name in ("compression_gzip", "compression_xz", "topic_coverage"):
        assert difference[name]["template_is_more_varied"], (name, runs)
