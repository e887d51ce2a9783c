"""What is asked again is what somebody said: forgotten answers, failed cells, and nothing else."""

from __future__ import annotations

import json
import random
import shutil
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_run import sometimes_bad
from tests.cli.workspace import Workspace, check_accounts, kill_group
from tests.fake_endpoint import FakeEndpoint, Fault, plausible


def report(workspace: Workspace) -> dict[str, Any]:
    value: dict[str, Any] = workspace.run("report", ".", "--no-html", "--json").json
    check_accounts(value["accounts"])
    return value


def test_forget_asks_exactly_those_again(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        before = workspace.run("run", ".", "--json").json
        asked, ids = endpoint.stats().requests, set(workspace.accepted())
        refused = before["accounts"]["drafts"]["rejected"]["refused"]
        forget = ("requests", "forget", ".", "--where", "reason=refused", "--json")
        dry = workspace.run(*forget, "--dry-run").json
        assert (dry["answers"], dry["calls"], dry["cells"]) == (refused, refused, refused)
        assert dry["prompt_tokens"] > 0
        assert report(workspace)["accounts"] == before["accounts"]
        done = workspace.run(*forget).json
        assert done == {**dry, "dry_run": False}
        # What was sent and spent is told as before, and the rest of the run is there to look at.
        between = report(workspace)
        for figure in ("requests", "attempts", "prompt_tokens", "completion_tokens"):
            assert between["calls"][figure] == before["calls"][figure]
        assert between["calls"]["forgotten"] == refused
        assert between["accounts"]["cells"]["pending"] == refused
        assert between["accounts"]["drafts"]["rejected"].get("refused", 0) == 0
        assert set(workspace.accepted()) == ids
        assert workspace.run(*forget, expect=2).err
        assert endpoint.stats().requests == asked
        # All that was forgotten comes first: a budget of just as many calls reaches the target or stops.
        after = workspace.run("run", ".", "--json", "--max-requests", str(asked + refused), expect=None).json
        check_accounts(after["accounts"])
        assert endpoint.stats().requests == asked + refused
        assert endpoint.stats().repeats_after_answered == 0  # asked with another seed
        assert after["calls"]["requests"] == asked + refused
        aside = json.loads((workspace.run_folder / "manifest.json").read_bytes())["set_aside"]
        assert [entry["why"] for entry in aside] == ["forgotten: reason=refused"]
        assert (workspace.run_folder / aside[0]["folder"] / "rounds" / "0001.json").is_file()


def test_conditions_narrow_one_another_and_wrong_ones_are_told_together(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".")
        asked = endpoint.stats().requests
        (one, *_) = workspace.accepted()
        wrong = workspace.run(
            "requests", "forget", ".", "--where", "resaon=x", "--where", "label", expect=2
        ).err
        assert "did you mean 'reason'?" in wrong
        assert "NAME=VALUE" in wrong
        assert "reason=" in workspace.run("requests", "forget", ".", expect=2).err
        record = f"record=sbd-{one[:12]}"
        nothing = ("--where", record, "--where", "model=another")
        assert "nothing of this run meets" in workspace.run("requests", "forget", ".", *nothing, expect=2).err
        both = ("--where", record, "--where", "model=fake", "--json")
        done = workspace.run("requests", "forget", ".", *both).json
        assert (done["cells"], done["answers"], done["accepted"]) == (1, 1, 1)
        assert len(workspace.accepted()) == 39
        workspace.run("run", ".")
        assert endpoint.stats().requests == asked + 1
        assert len(workspace.accepted()) == 40


def test_a_forgotten_answer_leaves_the_eval_lock_and_a_busy_run_alone(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    with FakeEndpoint(latency=0.05) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(endpoint.url, sources=sources)
        process = workspace.start("run", ".", "--target", "2000")
        while not (workspace.run_folder / "manifest.json").is_file():
            time.sleep(0.02)
        label = ("--where", "label=billing")
        assert str(process.pid) in workspace.run("requests", "forget", ".", *label, expect=2).err
        assert "works on this run" in workspace.run("refilter", ".", expect=2).err
        kill_group(process)
        lock = (workspace.run_folder / "eval.lock.json").read_bytes()
        asked = endpoint.stats().requests
        while endpoint.stats().in_flight:
            time.sleep(0.02)
        done = workspace.run("requests", "forget", ".", *label, "--json", expect=None)
        assert done.code in (0, 2), done.err  # killed early there may be no answer yet
        report(workspace)
        assert (workspace.run_folder / "eval.lock.json").read_bytes() == lock
        assert endpoint.stats().requests <= asked + 64


def test_failed_cells_are_asked_again_only_where_that_is_said(tmp_path: Path) -> None:
    mended = tmp_path / "mended"

    def reply(body: dict[str, Any]) -> str | Fault:
        bad = "tone: calm" in body["messages"][-1]["content"] and not mended.exists()
        dice = random.Random(str(body["messages"]))
        return (Fault.http(400, "no") if dice.random() < 0.5 else Fault("html")) if bad else plausible(body)

    with FakeEndpoint(reply) as endpoint:
        workspace = Workspace.make(tmp_path / "work", endpoint.url)
        teacher = {"model": "fake", "endpoint": endpoint.url, "retries": 0, "licence": "mit"}
        generate = {"target": 40, "axes": {"tone": ["calm", "cross"]}}
        workspace.write(endpoint.url, roles={"teacher": teacher}, generate=generate)
        before = workspace.run("run", ".", "--json").json
        failed = before["accounts"]["cells"]["failed"]
        causes = before["accounts"]["drafts"]["failed"]
        assert len(causes) == 2, "refusals, and failures that were tried"
        mended.touch()
        asked = endpoint.stats().requests
        workspace.run("run", ".")
        assert endpoint.stats().requests == asked
        cause = next(cause for cause in causes if cause.startswith("not_json"))
        done = workspace.run("requests", "forget", ".", "--where", f"cause={cause}", "--json").json
        assert (done["failed_cells"], done["answers"], done["calls"]) == (causes[cause], 0, causes[cause])
        report(workspace)
        workspace.run("run", ".")
        assert endpoint.stats().requests == asked + causes[cause]
        after = workspace.run("run", ".", "--retry-failed", "--json")
        assert "failed cells are asked again" in after.err
        accounts = after.json["accounts"]
        check_accounts(accounts)
        assert accounts["cells"]["failed"] == 0
        assert endpoint.stats().requests == asked + failed


def test_refilter_needs_no_endpoint_and_its_verdicts_are_the_runs(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.env = {"TEACHER": endpoint.url, "KEY": "k-123"}
        teacher = {"model": "fake", "endpoint": "env:TEACHER", "api_key": "env:KEY", "licence": "mit"}
        workspace.write(roles={"teacher": teacher})
        workspace.run("run", ".", "--target", "60")
        first = report(workspace)["accounts"]
        asked = endpoint.stats().requests
        same = workspace.run("refilter", ".", "--json").json
        assert same["moved"] == []
    workspace.env = {}
    stricter = ["default", {"length": {"max_chars": 81}}]
    workspace.write(roles={"teacher": teacher}, filters=stricter)
    dry = workspace.run("refilter", ".", "--dry-run", "--json").json
    assert report(workspace)["accounts"] == first
    done = workspace.run("refilter", str(workspace.run_folder), "--json").json
    assert done == {**dry, "applied": True}
    assert any("filters.length.max_chars: 81" in line for line in done["changes"])
    assert done["before"]["accepted"] == 60
    moved = {(move["from"], move["to"]): move for move in done["moved"]}
    fallen = moved["accepted", "too_long"]
    accepted = workspace.accepted()
    assert len(accepted) == done["after"]["accepted"] < 60
    assert not set(fallen["examples"]) & set(accepted)
    told = report(workspace)
    assert told["accounts"]["drafts"]["accepted"] == len(accepted)
    assert told["accounts"]["drafts"]["rejected"] == done["after"]["rejected"]
    assert told["accounts"]["stopped"] is None
    assert [entry["changed"] for entry in told["versions"]] == [[], ["filters"]]
    assert workspace.run("show", ".", fallen["examples"][0], "--json").json["reason"] == "too_long"
    assert workspace.run("export", ".", "--json").json["rows"] == len(accepted)
    assert "Versions of the recipe" in workspace.run("report", ".", "--no-html").out
    for entry in told["versions"]:
        assert (workspace.run_folder / entry["lock"]).is_file()
        assert all((workspace.run_folder / path).is_file() for path in entry["prompts"].values())
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace.env = {"TEACHER": endpoint.url, "KEY": "k-123"}
        workspace.run("run", ".", "--target", "60", "--max-requests", str(asked + 10), expect=None)
        assert endpoint.stats().requests == 10
        assert len(workspace.accepted()) >= len(accepted)


def test_refilter_refuses_a_recipe_that_asks_something_else(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".")
        tone = ["calm", "cross", "glad", "terse"]
        workspace.write(endpoint.url, generate={"target": 40, "axes": {"tone": tone, "length": ["short"]}})
        said = workspace.run("refilter", ".", expect=2).err
        assert "generate.axes.tone: 2 → 4 values (+ glad, + terse)" in said
        assert "generate.axes.length: 2 → 1 values (- long)" in said
        plan = workspace.run("plan", ".", "--json")
        assert "generate changed" in plan.err
        assert any("generate.axes.tone" in line for line in plan.json["differences"])
        assert plan.json["cells"] == plan.json["calls"] + plan.json["logged"] == 40
        asked = endpoint.stats().requests
        run = workspace.run("run", ".")
        assert f"{plan.json['calls']} are asked anew" in run.err
        assert endpoint.stats().requests == asked + plan.json["calls"]


CHANGES = {
    "forget": ("requests", "forget", ".", "--where", "label=billing"),
    "refilter": ("refilter", "."),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace whose run has ended, and whose filters have changed since."""
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path_factory.mktemp("finished"), endpoint.url)
        workspace.run("run", ".", "--target", "80")
        workspace.write(endpoint.url, filters=["default", {"length": {"max_chars": 81}}])
    return workspace.folder


def check_kills(folder: Path, finished: Path, command: str, waits: Sequence[Callable[[Path], None]]) -> None:
    """The command, killed once each of `waits` returns: before and after there is all of it or nothing."""
    whole = Workspace(folder / "whole")
    shutil.copytree(finished, whole.folder)
    before = report(whole)
    whole.run(*CHANGES[command])
    after = report(whole)
    for attempt, wait in enumerate(waits):
        again = Workspace(folder / f"killed-{attempt}")
        shutil.copytree(finished, again.folder)
        process = again.start(*CHANGES[command])
        wait(again.run_folder)
        kill_group(process)
        seen = report(again)
        assert seen["accounts"]["drafts"] in (before["accounts"]["drafts"], after["accounts"]["drafts"])
        assert seen["calls"]["requests"] == before["calls"]["requests"]
        done = again.run(*CHANGES[command], expect=None)
        assert done.code in (0, 2), done.err  # forgotten already: there is nothing left to forget
        assert report(again)["accounts"]["drafts"] == after["accounts"]["drafts"]
        assert not (again.run_folder / "next").exists()


@pytest.mark.parametrize("command", CHANGES)
def test_kill_9_in_the_midst_changes_all_or_nothing(finished: Path, tmp_path: Path, command: str) -> None:
    """While the rounds to come are made, and while they take the place of those there are."""

    def wait_for(name: str, run_folder: Path) -> None:
        while not (run_folder / name).exists():
            time.sleep(0.0005)

    check_kills(tmp_path, finished, command, [partial(wait_for, name) for name in ("next", "earlier")])


@pytest.mark.campaign
@pytest.mark.parametrize("command", CHANGES)
def test_kill_9_at_any_moment_changes_all_or_nothing(finished: Path, tmp_path: Path, command: str) -> None:
    dice = random.Random(command)
    check_kills(tmp_path, finished, command, [lambda _: time.sleep(dice.uniform(0, 1.5))] * 12)
