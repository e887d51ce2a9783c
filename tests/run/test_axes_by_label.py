"""An axis whose values hang on the label, and AttrPrompt's pools as axes."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.core.errors import RecipeError
from seedbed.run.loading import load_bound
from seedbed.run.planner import plan_from_scratch
from seedbed.run.view import RunView
from tests.cli.workspace import Workspace

POOL = [
    {"topic": "a refund", "for": "billing"},
    {"topic": "an old invoice", "for": "billing"},
    {"topic": "a lost key", "for": "access"},
    {"topic": "a screenshot", "for": ""},
]
LABELS = ("billing", "access")


def workspace(folder: Path, pool: list[dict[str, str]], **axis: str) -> Workspace:
    task = {"kind": "classification", "input": "text", "label": "category", "labels": list(LABELS)}
    axes = {"topic": {"file": "topics.jsonl", "column": "topic", "label": "for", **axis}}
    generate = {"target": 80, "axes": axes}
    made = Workspace.make(folder, task=task, sources=None, generate=generate, filters=["schema"])
    (folder / "topics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in pool), "utf-8")
    return made


def test_a_label_gets_its_own_values_and_those_of_no_label(tmp_path: Path) -> None:
    workspace(tmp_path, POOL)
    bound = load_bound(tmp_path, ())
    space = bound.space
    by_label: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for cell in plan_from_scratch(space, bound.quotas, 80):
        by_label[str(cell.axes["category"])][str(cell.axes["topic"])] += 1
    assert set(by_label["billing"]) == {"a refund", "an old invoice", "a screenshot"}
    assert set(by_label["access"]) == {"a lost key", "a screenshot"}
    assert min(min(counts.values()) for counts in by_label.values()) >= 5


@pytest.mark.parametrize(
    ("pool", "message"),
    [
        (POOL[:2], "no value for the label 'access'"),
        ([*POOL, {"topic": "x", "for": "biling"}], "no label is called 'biling'; did you mean 'billing'"),
    ],
)
def test_a_pool_that_does_not_fit_the_labels_is_refused(
    tmp_path: Path, pool: list[dict[str, str]], message: str
) -> None:
    workspace(tmp_path, pool)
    with pytest.raises(RecipeError, match=message):
        load_bound(tmp_path, ())


def test_cover_over_such_an_axis_is_refused(tmp_path: Path) -> None:
    place = workspace(tmp_path, POOL)
    with pytest.raises(RecipeError, match="hang on the label"):
        load_bound(place.folder, ("generate.cover.topic=even",))


@pytest.mark.real_data
def test_the_pools_of_attrprompt_are_covered(tmp_path: Path, real_data: Callable[[str], Path]) -> None:
    """AG News: four labels with their own subtopics, and styles, places and lengths for all of them."""
    pools = real_data("attrprompt") / "datasets" / "agnews"
    found = pools / "attrprompt" / "gpt-3.5-turbo"
    labels = pools.joinpath("label.txt").read_text("utf-8").split()
    topics = []
    for label in labels:
        file = found / "subtopics" / f"{label.lower().replace('/', '_')}.jsonl"
        lines = [line for line in file.read_text("utf-8").splitlines() if line.strip()]
        topics += [{"topic": str(line).strip(), "for": label} for line in lines]
    task = {"kind": "classification", "input": "text", "label": "category", "labels": labels}
    axes = {
        "topic": {"file": "topics.jsonl", "column": "topic", "label": "for"},
        "style": {"file": str(found / "style" / "style.txt")},
        "place": {"file": str(found / "location" / "location.txt")},
    }
    generate = {"target": 600, "axes": axes}
    place = Workspace.make(tmp_path, task=task, sources=None, generate=generate, filters=["schema"])
    (tmp_path / "topics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in topics), "utf-8")
    place.run("run", ".")
    used: defaultdict[str, set[str]] = defaultdict(set)
    own = {(row["topic"], row["for"]) for row in topics}
    for record in RunView.open(tmp_path).ledger().accepted():
        assert (record.slots["topic"], record.slots["category"]) in own
        for name in axes:
            used[name].add(record.slots[name])
    bound = load_bound(tmp_path, ())
    covered = {name: len(used[name]) / len(bound.axes[name]) for name in axes}
    assert all(share > 0.99 for share in covered.values())
