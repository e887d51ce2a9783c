"""What a judge said can be asked again, passed over by new filters, and is counted once."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_judging import JUDGE, STRICT, by_dice, drafts, judge_at
from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

PRICE = {"input": 1, "output": 2}


def recipe(teacher: FakeEndpoint, judge: FakeEndpoint, rules: Any) -> dict[str, Any]:
    common = {"licence": "apache-2.0", "price": PRICE, "timeout": 5.0}
    roles = {
        "teacher": {"model": "fake", "endpoint": teacher.url, **common},
        "judge": {"model": JUDGE, "endpoint": judge.url, **common},
    }
    return {"roles": roles, "generate": {"target": 30, "round": 40}, "filters": rules}


def test_what_a_judge_said_is_forgotten_and_asked_again_alone(tmp_path: Path) -> None:
    mended = tmp_path / "mended"

    def rate(body: dict[str, Any]) -> str | Answer | Fault:
        """A tenth of the texts is refused until that is mended."""
        data = body["messages"][-1]["content"].split("\n")[1]
        if random.Random(data).random() < 0.2 and not mended.exists():
            return Fault.http(400, "I will not rate this")
        return by_dice({"messages": [{"content": data}]})

    with FakeEndpoint() as teacher, judge_at(rate) as judge:
        rules = ["default", "-length", STRICT]
        workspace = Workspace.make(tmp_path, **recipe(teacher, judge, rules))
        before = workspace.run("run", ".", "--json").json
        check_accounts(before["accounts"])
        (judged,) = before["judged"]
        refused = judged["unjudged"]["bad_request"]
        poor = before["accounts"]["drafts"]["rejected"]["judge_below_min"]
        assert min(refused, poor) > 1
        written, asked = teacher.stats().requests, judge.stats().requests
        of_judge = ("requests", "forget", ".", "--where", "role=judge", "--json")

        # One draft: its answer goes, its text stays, and the next run asks just that.
        one = next(row for row in drafts(workspace) if row["accepted"])
        condition = ("--where", f"record=sbd-{one['id'][:12]}")
        dry = workspace.run(*of_judge, *condition, "--dry-run").json
        assert (dry["answers"], dry["calls"], dry["cells"], dry["accepted"]) == (1, 1, 1, 1)
        assert workspace.run(*of_judge, *condition).json == {**dry, "dry_run": False}
        between = workspace.run("report", ".", "--json").json
        check_accounts(between["accounts"])
        assert between["accounts"]["drafts"]["pending"] == 1
        assert between["calls"]["requests"] == before["calls"]["requests"]
        assert between["calls"]["forgotten"] == 1
        assert one["id"] not in workspace.accepted()

        # All that it turned away, and all that it would not rate.
        reasons = workspace.run(*of_judge, "--where", "reason=judge_below_min").json
        assert (reasons["answers"], reasons["calls"]) == (poor, poor)
        mended.touch()
        causes = workspace.run(*of_judge, "--where", "cause=bad_request").json
        assert (causes["answers"], causes["refusals"], causes["calls"]) == (0, refused, refused)
        after = workspace.run("run", ".", "--json").json
        check_accounts(after["accounts"])
        # Drafts that are rated now may fail, so that the target asks for more; what was known is not asked.
        fresh = teacher.stats().requests - written
        again = judge.stats().requests - asked
        assert 1 + poor + refused <= again <= 1 + poor + refused + fresh
        assert judge.stats().repeats_after_answered == 0  # asked with another seed
        assert "bad_request" not in after["judged"][0]["unjudged"]
        assert after["calls"]["forgotten"] == 1 + poor + refused
        assert after["calls"]["requests"] == teacher.stats().requests + judge.stats().requests
        shown = json.loads(workspace.run("show", ".", one["id"], "--json").out)
        assert shown["judged"][0]["reply"] is not None
        nothing = workspace.run(*of_judge, "--where", "cause=bad_request", expect=2).err
        assert "nothing of this run meets" in nothing


def test_new_filters_over_what_a_judge_has_said(tmp_path: Path) -> None:
    tight = ["default", {"length": {"max_chars": 81}}, STRICT]
    with FakeEndpoint() as teacher, judge_at(by_dice) as judge:
        workspace = Workspace.make(tmp_path, **recipe(teacher, judge, ["default", "-length", STRICT]))
        workspace.run("run", ".", "--max-requests", "50", expect=4)
        # An open round and another list of filters: what the log has is counted once.
        spent = workspace.run("report", ".", "--json").json["cost"]["money"]["spent"]
        workspace.write(**recipe(teacher, judge, ["default", "-length", "-refusal", STRICT]))
        first = workspace.run("run", ".", "--json").json
        assert first["cost"]["money"]["cached"] == pytest.approx(spent)
        sent = (teacher.stats().requests, judge.stats().requests)
        assert judge.stats().repeats_after_answered == teacher.stats().repeats_after_answered == 0

        # Stricter: verdicts alone, and the judge is not asked.
        workspace.write(**recipe(teacher, judge, tight))
        dry = workspace.run("refilter", ".", "--dry-run", "--json").json
        done = workspace.run("refilter", ".", "--json").json
        assert done == {**dry, "applied": True}
        moved = {(move["from"], move["to"]): move["drafts"] for move in done["moved"]}
        assert moved["accepted", "too_long"] > 0
        told = workspace.run("report", ".", "--json").json
        check_accounts(told["accounts"])
        assert told["accounts"]["drafts"]["rejected"] == done["after"]["rejected"]
        left = told["accounts"]["drafts"]
        assert told["judged"][0]["judged"] == left["accepted"] + left["rejected"]["judge_below_min"]
        assert (teacher.stats().requests, judge.stats().requests) == sent

        # Back again: the judge has said all of it before.
        workspace.write(**recipe(teacher, judge, ["default", "-length", "-refusal", STRICT]))
        back = workspace.run("refilter", ".", "--json").json
        assert back["after"] == done["before"]
        assert (teacher.stats().requests, judge.stats().requests) == sent


def test_a_loosened_filter_before_a_judge_asks_it_alone(tmp_path: Path) -> None:
    tight = ["default", {"length": {"max_chars": 81}}, "judge"]
    with FakeEndpoint() as teacher, judge_at(by_dice) as judge:
        workspace = Workspace.make(tmp_path, **recipe(teacher, judge, tight))
        first = workspace.run("run", ".", "--json").json["accounts"]["drafts"]
        let_through = first["rejected"]["too_long"]
        sent = (teacher.stats().requests, judge.stats().requests)
        before = workspace.shards()
        workspace.write(**recipe(teacher, judge, ["default", "-length", "judge"]))
        assert "which asks them alone" in workspace.run("refilter", ".", expect=2).err
        assert workspace.shards() == before
        workspace.run("run", ".")
        assert (teacher.stats().requests, judge.stats().requests) == (sent[0], sent[1] + let_through)


def test_a_role_that_no_filter_asks(tmp_path: Path) -> None:
    with FakeEndpoint() as teacher, judge_at(by_dice) as judge:
        workspace = Workspace.make(tmp_path, **recipe(teacher, judge, ["default", "-length", STRICT]))
        workspace.run("run", ".")
        told = workspace.run("requests", "forget", ".", "--where", "role=embedder", expect=2).err
        assert "no filter of this run asks the role embedder" in told
        assert "role is teacher or judge" in told
