"""The main job against a real server that misbehaves: N accepted means N, and nothing paid for is lost."""

from __future__ import annotations

import json
import random
import signal
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workspace import Workspace, check_accounts, kill_group
from tests.fake_endpoint import Answer, FakeEndpoint, Fault, plausible, request_key


def sometimes_bad(share: float) -> Callable[[dict[str, Any]], str | Answer]:
    """Replies of which a share is broken, refused, cut off or always the same."""

    def reply(body: dict[str, Any]) -> str | Answer:
        dice = random.Random(request_key(body) + "bad")
        if dice.random() >= share:
            return plausible(body)
        bad: list[str | Answer] = [
            plausible(body)[:-2],
            "I'm sorry, but I can't help with that.",
            Answer(plausible(body), finish_reason="length"),
            json.dumps({"text": "The very same words come back each and every time somebody asks."}),
        ]
        return dice.choice(bad)

    return reply


def test_the_target_counts_accepted_records(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        summary = workspace.run("run", ".", "--target", "120", "--json").json
        accounts = summary["accounts"]
        check_accounts(accounts)
        assert accounts["drafts"]["accepted"] == 120
        assert accounts["stopped"] == "target"
        reasons = set(accounts["drafts"]["rejected"])
        assert {"not_json", "refused", "truncated", "duplicate"} <= reasons
        assert summary["calls"]["requests"] == endpoint.stats().requests
        assert len(set(workspace.accepted())) == 120
        rows = workspace.run("export", ".", "--format", "trl-sft", "--json").json
        assert rows["rows"] == 120


def test_errors_resets_and_a_cap_lose_nothing(tmp_path: Path) -> None:
    shares = {Fault.http(500): 0.05, Fault("reset"): 0.02}
    with FakeEndpoint(shares=shares, cap=64, latency=0.02) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(
            endpoint.url,
            roles={
                "teacher": {"model": "fake", "endpoint": endpoint.url, "concurrency": 80, "licence": "mit"}
            },
        )
        summary = workspace.run("run", ".", "--target", "200", "--json").json
        check_accounts(summary["accounts"])
        assert summary["accounts"]["drafts"]["accepted"] == 200
        assert summary["accounts"]["cells"]["failed"] == 0
        assert summary["calls"]["attempts"]["http_500"] > 0
        assert endpoint.stats().repeats_after_answered == 0


def test_every_way_of_failing_has_a_name(tmp_path: Path) -> None:
    script = [
        Fault("hang"),
        Fault("half_close"),
        Fault("cut_body"),
        Fault("html"),
        Fault("empty_choices"),
        Fault("no_message"),
        Fault("truncated_json"),
        Fault.http(503),
        Fault("close"),
    ]
    with FakeEndpoint(script=script) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        teacher = {"model": "fake", "endpoint": endpoint.url, "timeout": 1.0, "licence": "mit"}
        workspace.write(endpoint.url, roles={"teacher": teacher})
        summary = workspace.run("run", ".", "--json").json
    check_accounts(summary["accounts"])
    assert summary["accounts"]["drafts"]["accepted"] == 40
    attempts = summary["calls"]["attempts"]
    assert sum(attempts.values()) == len(script)
    assert {"timeout", "not_json_body", "empty_choices", "http_503", "malformed_body"} <= set(attempts)


def test_a_question_that_never_gets_an_answer_is_a_failed_cell(tmp_path: Path) -> None:
    def reply(body: dict[str, Any]) -> str | Fault:
        calm = "tone: calm" in body["messages"][-1]["content"]
        return Fault.http(400, "this prompt is not allowed") if calm else plausible(body)

    with FakeEndpoint(reply) as endpoint:
        cover = {"tone": {"calm": 20, "cross": 20}}
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(
            endpoint.url, generate={"target": 40, "axes": {"tone": ["calm", "cross"]}, "cover": cover}
        )
        accounts = workspace.run("run", ".", "--json", expect=6).json["accounts"]
    check_accounts(accounts)
    assert accounts["stopped"] == "cells"
    assert accounts["drafts"]["accepted"] == 20
    assert accounts["cells"]["failed"] == sum(accounts["drafts"]["failed"].values()) > 0


def test_a_server_that_is_busy_for_a_while_is_waited_for(tmp_path: Path) -> None:
    with FakeEndpoint(limited_for=3.0, retry_after="1") as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        accounts = workspace.run("run", ".", "--json").json["accounts"]
        assert accounts["drafts"]["accepted"] == 40
        assert accounts["cells"]["failed"] == 0
        # Retry-After holds the whole endpoint: the storm is a few probes and not one per cell and second.
        assert endpoint.stats().faults["http_429"] < 200


def test_variety_that_runs_out_stops_the_run_and_says_so(tmp_path: Path) -> None:
    with FakeEndpoint(
        lambda body: json.dumps({"text": "Always the same few words, whatever is asked."})
    ) as e:
        workspace = Workspace.make(tmp_path, e.url)
        done = workspace.run("run", ".", expect=3)
    assert "variety" in done.out
    accounts = workspace.run("report", ".", "--no-html", "--json").json["accounts"]
    check_accounts(accounts)
    assert accounts["drafts"]["accepted"] == 1


def test_a_second_process_on_one_run_is_refused(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.3) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        first = workspace.start("run", ".", "--target", "300")
        while endpoint.stats().requests == 0:
            time.sleep(0.02)
        second = workspace.run("run", ".", expect=2)
        assert str(first.pid) in second.err
        assert "works on this run" in second.err
        kill_group(first)


def test_a_budget_stops_and_a_higher_one_goes_on(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        done = workspace.run("run", ".", "--max-requests", "25", "--json", expect=4)
        accounts = done.json["accounts"]
        check_accounts(accounts)
        assert endpoint.stats().requests == 25
        assert accounts["stopped"] == "budget"
        assert done.json["partial"]
        assert accounts["drafts"]["accepted"] == 25
        # What there is can be used before the run goes on.
        assert workspace.run("export", ".", "--json").json["rows"] == 25
        workspace.run("run", ".", "--max-requests", "25", expect=4)
        assert endpoint.stats().requests == 25
        accounts = workspace.run("run", ".", "--max-requests", "1000", "--json").json["accounts"]
        check_accounts(accounts)
        assert accounts["drafts"]["accepted"] == 40
        assert endpoint.stats().requests == 40


def test_ctrl_c_drains_and_the_same_command_goes_on(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.1) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        process = workspace.start("run", ".", "--target", "150", "--json")
        while endpoint.stats().answered < 60:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        assert process.returncode == 130, err
        accounts = json.loads(out)["accounts"]
        check_accounts(accounts)
        assert accounts["stopped"] == "interrupted"
        assert accounts["drafts"]["pending"] == 0
        workspace.run("run", ".", "--target", "150")
        assert endpoint.stats().repeats_after_answered == 0
        assert len(workspace.accepted()) == 150


def test_ctrl_c_before_the_first_round_says_what_is_left(tmp_path: Path) -> None:
    """An axis is asked for before the run has anything to drain."""
    generate = {"target": 30, "axes": {"writer": {"from": "teacher", "count": 5, "ask": "who writes"}}}
    with FakeEndpoint(latency=30) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate=generate)
        process = workspace.start("run", ".")
        while endpoint.stats().requests < 1:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=20)
    assert process.wait() == 130
    assert err == "seedbed: stopped; the replies received are in the log, and the same command goes on\n"


def check_kills(folder: Path, target: int, waits: Sequence[Callable[[FakeEndpoint], None]]) -> None:
    """A run that is killed once each of `waits` returns is in the end the one that nobody killed."""
    run = ("run", ".", "--target", str(target))
    with FakeEndpoint(sometimes_bad(0.2), latency=0.02) as endpoint:
        whole = Workspace.make(folder / "whole", endpoint.url)
        whole.fresh = True  # with another seed of `hash` too
        whole.run(*run)
        asked = endpoint.stats().requests
        killed = Workspace.make(folder / "killed", endpoint.url)
        for wait in waits:
            process = killed.start(*run)
            wait(endpoint)
            kill_group(process)
            if (killed.run_folder / "manifest.json").is_file():
                check_accounts(killed.run("report", ".", "--no-html", "--json").json["accounts"])
        killed.run(*run)
        assert killed.accepted() == whole.accepted()
        assert killed.shards() == whole.shards()
        # In flight at a kill are at most the teacher's 32 slots.
        assert endpoint.stats().requests - 2 * asked <= len(waits) * 32


def test_kill_9_loses_and_repeats_nothing(tmp_path: Path) -> None:
    """At the first answer, in the second round and in a later one."""

    def wait_for(answers: int, endpoint: FakeEndpoint) -> None:
        enough = endpoint.stats().answered + answers
        while endpoint.stats().answered < enough:
            time.sleep(0.002)

    check_kills(tmp_path, 120, [partial(wait_for, answers) for answers in (1, 50, 45)])


@pytest.mark.campaign
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_kill_9_at_any_moment_loses_and_repeats_nothing(tmp_path: Path, seed: int) -> None:
    dice = random.Random(seed)
    check_kills(tmp_path, 300, [lambda _: time.sleep(dice.uniform(0, 2))] * 5)


def test_the_order_of_replies_changes_no_byte(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        port = int(endpoint.url.split(":")[2].split("/")[0])
        ordered = Workspace.make(tmp_path / "one", endpoint.url)
        teacher = {"model": "fake", "endpoint": endpoint.url, "concurrency": 1, "licence": "mit"}
        ordered.write(endpoint.url, roles={"teacher": teacher})
        ordered.fresh = True  # with another seed of `hash` too
        ordered.run("run", ".", "--target", "80")

    # The same replies, but a fifth of the requests fail at first and come back much later.
    with FakeEndpoint(sometimes_bad(0.3), port=port, shares={Fault.http(503): 0.2}, seed=3) as endpoint:
        mixed = Workspace.make(tmp_path / "two", endpoint.url)
        mixed.run("run", ".", "--target", "80")
    assert mixed.shards() == ordered.shards()
