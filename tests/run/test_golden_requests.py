"""Whole requests as recipes make them are pinned: a library whose upgrade would repay a run fails here.

Where a hash differs, look which part does (`fingerprint`) before anything else: to change a hash here
is to ask every logged cell of every run again.
"""

from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from seedbed.core.hashing import short_id
from seedbed.run.asking import BoundRole
from seedbed.run.binding import BoundRecipe
from seedbed.run.drift import Fingerprint, trial_requests
from seedbed.run.loading import load_bound
from seedbed.run.rendering import asking_space
from seedbed.run.replaying import LoggedOnly
from tests.cli.workspace import STARTER, Workspace

TEACHER = "roles={teacher: {model: golden, endpoint: 'http://127.0.0.1:9/v1', max_tokens: 300, licence: mit}}"


def requests_of(bound: BoundRecipe) -> dict[str, Fingerprint]:
    role = BoundRole("golden", None, 300, LoggedOnly(None))
    return asyncio.run(trial_requests(bound, asking_space(bound, {"teacher": role}), bound.methods))


def of_one_part(requests: dict[str, Fingerprint], part: str) -> str:
    return short_id("golden", sorted([cell, value[part]] for cell, value in requests.items()))


def test_the_requests_of_the_starter_recipe(tmp_path: Path) -> None:
    shutil.copytree(STARTER, tmp_path / "starter")
    requests = requests_of(load_bound(tmp_path / "starter", (TEACHER, "generate.temperature=[0.7, 1.0]")))
    assert len(requests) == 252
    assert {value["template"] for value in requests.values()} == {
        "prompts/new_ticket.j2",
        "prompts/story_first.j2",
        "prompts/neighbouring_category.j2",
    }
    assert of_one_part(requests, "system message") == "13cbbc16700f42ca3c25a65a"
    assert of_one_part(requests, "user message") == "a6cee4b853c68237f0b1ff7f"
    assert of_one_part(requests, "schema") == "496b3dcac0098d8c9d3334aa"
    assert of_one_part(requests, "sampling") == "91df5cfed40fbd557f67678b"
    assert of_one_part(requests, "request") == "ef6d39992549e431ab0eff80"


@pytest.mark.parametrize(
    ("task", "generate", "golden"),
    [
        (
            {"kind": "classification", "input": "text", "label": "category"},
            {"target": 9, "methods": {"direct": 1, "template": 2}, "axes": {"tone": ["calm", "cross"]}},
            "da8c4a0f4be3e25df48fd761",
        ),
        (
            {"kind": "instruction", "prompt": "text", "answer": "category"},
            {"target": 9, "methods": {"template": {"output": "text"}}, "axes": {"category": ["a", "b"]}},
            "8adbe1011047761aa22863ec",
        ),
    ],
    ids=["classification", "instruction"],
)
def test_the_requests_of_the_library(
    tmp_path: Path, task: dict[str, str], generate: dict[str, object], golden: str
) -> None:
    workspace = Workspace.make(tmp_path, task=task, generate=generate)
    requests = requests_of(load_bound(workspace.folder, (TEACHER,)))
    assert of_one_part(requests, "request") == golden
