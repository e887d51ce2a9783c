"""A guard behind a real address: what it rejects, what it costs, and that all of it replays."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from tests.cli.test_judging import drafts, judge_at
from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

# Of the teacher's own family, as a guard may be: it has no taste to favour anybody by.
GUARD = "fake-guard"
PRICE = {"input": 1, "output": 2}


def shown(body: dict[str, Any]) -> str:
    """The record of a question, which stands between its marks."""
    line = next(line for line in body["messages"][-1]["content"].split("\n") if line.startswith("{"))
    return str(json.loads(line)["text"])


def by_dice(body: dict[str, Any]) -> str:
    dice = random.Random(shown(body))
    return dice.choice(("safe", "safe", "\n\nsafe", "unsafe\nS1,S10", "unsafe\nS6"))


def guard_at(reply: Any = by_dice) -> FakeEndpoint:
    return FakeEndpoint(reply, model=GUARD)


def recipe(
    teacher: FakeEndpoint, server: FakeEndpoint, rules: Any, roles: dict[str, Any] | None = None
) -> dict[str, Any]:
    common = {"price": PRICE, "timeout": 5.0}
    bound = {
        "teacher": {"model": "fake", "endpoint": teacher.url, "licence": "apache-2.0", **common},
        "guard": {"model": GUARD, "endpoint": server.url, "licence": "apache-2.0", **common},
        **(roles or {}),
    }
    return {"roles": bound, "generate": {"target": 30, "round": 40}, "filters": rules}


def test_what_the_guard_calls_unsafe_is_rejected_and_all_of_it_is_accounted(tmp_path: Path) -> None:
    with FakeEndpoint() as teacher, guard_at() as guard:
        workspace = Workspace.make(tmp_path, **recipe(teacher, guard, ["default", "-length"]))
        plan = workspace.run("plan", ".")
        assert f"guard: asks {GUARD} (guard) about every draft" in plan.out
        before = workspace.run("run", ".", "--json").json
        check_accounts(before["accounts"])
        (judged,) = before["judged"]
        rejected = before["accounts"]["drafts"]["rejected"]["unsafe"]
        assert rejected == judged["scores"]["0"] > 5
        assert before["accounts"]["drafts"]["accepted"] == 30
        assert judged["calls"] == guard.stats().requests == guard.stats().distinct_answered
        assert before["calls"]["requests"] == teacher.stats().requests + guard.stats().requests
        assert before["cost"]["money"]["unpriced_calls"] == 0
        assert before["cost"]["money"]["replacement"] == before["cost"]["money"]["spent"]
        assert {entry["role"]: entry["model"] for entry in before["licences"]}["guard"] == GUARD
        one = next(row for row in drafts(workspace) if row["reason"] == "unsafe")
        page = json.loads(workspace.run("show", ".", one["id"], "--json").out)
        (verdict,) = [each for each in page["verdicts"] if each["filter"] == "guard@1"]
        assert verdict["evidence"]["categories"] in (["S1", "S10"], ["S6"])
        assert page["judged"][0]["reply"]["text"].startswith("unsafe\n")

        # Nobody is asked to replay it, nor by other categories.
        sent = (teacher.stats().requests, guard.stats().requests)
        shards = workspace.shards()
        workspace.run("run", ".")
        assert workspace.shards() == shards
        workspace.write(**recipe(teacher, guard, ["default", "-length", {"guard": {"reject": ["S10"]}}]))
        after = workspace.run("refilter", ".", "--json").json["after"]["rejected"]
        assert 0 < after["unsafe"] < rejected
        assert (teacher.stats().requests, guard.stats().requests) == sent
        (flag,) = [each for each in workspace.run("report", ".", "--json").json["flags"] if each["drafts"]]
        assert (flag["filter"], flag["reason"]) == ("guard@1", "unsafe_kept")


def test_another_guard_is_asked_alone(tmp_path: Path) -> None:
    with FakeEndpoint() as teacher, guard_at() as guard, FakeEndpoint(by_dice, model="shield") as other:
        workspace = Workspace.make(tmp_path, **recipe(teacher, guard, ["default", "-length"]))
        workspace.run("run", ".")
        sent = (teacher.stats().requests, guard.stats().requests)
        newer = {"model": "shield", "endpoint": other.url, "licence": "apache-2.0"}
        workspace.write(**recipe(teacher, guard, ["default", "-length"], {"guard": newer}))
        told = workspace.run("plan", ".")
        assert f"changed: roles.guard.model: {GUARD} → shield" in told.out
        assert "filters changed since the last run" in told.err
        workspace.run("run", ".")
        assert (teacher.stats().requests, guard.stats().requests) == sent
        assert other.stats().requests == sent[1]
        # Nobody knows what the new one costs, nor then what all of it would.
        report = workspace.run("report", ".").out
        assert "1 and $2 for a million tokens" in report
        assert "is what asking for the same answers anew would cost" not in report


def test_what_the_guard_said_is_forgotten_and_asked_again_alone(tmp_path: Path) -> None:
    with FakeEndpoint() as teacher, guard_at() as guard:
        workspace = Workspace.make(tmp_path, **recipe(teacher, guard, ["default", "-length"]))
        workspace.run("run", ".")
        sent = (teacher.stats().requests, guard.stats().requests)
        forget = ("requests", "forget", ".", "--where", "reason=unsafe", "--where")
        refused = workspace.run(*forget, "role=judge", expect=2).err
        assert "no filter of this run asks the role judge" in refused
        assert "role is teacher or guard" in refused
        forgotten = workspace.run(*forget, "role=guard", "--json").json
        assert forgotten["answers"] > 5
        workspace.run("run", ".")
        assert teacher.stats().requests == sent[0]
        assert guard.stats().requests == sent[1] + forgotten["answers"]


def test_what_cannot_be_read_is_asked_once_more_and_then_unjudged(tmp_path: Path) -> None:
    def reply(body: dict[str, Any]) -> str | Answer | Fault:
        dice, again = random.Random(shown(body)), "could not be used" in body["messages"][-1]["content"]
        answers = [("safe", ""), ("It is safe.", "safe"), ("Safe", "Safe"), (None, None)]
        answer = dice.choice(answers)[again]
        return Fault.http(400, "I will not say") if answer is None else answer

    with FakeEndpoint() as teacher, guard_at(reply) as guard:
        workspace = Workspace.make(tmp_path, **recipe(teacher, guard, ["default", "-length"]))
        summary = workspace.run("run", ".", "--json").json
        check_accounts(summary["accounts"])
        (judged,) = summary["judged"]
        assert judged["unjudged"].keys() == {"unreadable", "bad_request"}
        assert judged["judged"] + sum(judged["unjudged"].values()) == summary["accounts"]["drafts"]["total"]
        assert judged["scores"].keys() == {"1"}


def test_by_a_schema_the_answer_is_an_object(tmp_path: Path) -> None:
    def reply(body: dict[str, Any]) -> str:
        assert body["response_format"]["json_schema"]["schema"]["required"] == ["verdict", "categories"]
        verdict, *codes = by_dice(body).replace(",", "\n").split()
        return json.dumps({"verdict": verdict, "categories": codes})

    with FakeEndpoint() as teacher, guard_at(reply) as guard:
        rules = ["default", "-length", {"guard": {"answer": "json"}}]
        summary = Workspace.make(tmp_path, **recipe(teacher, guard, rules)).run("run", ".", "--json").json
        assert summary["accounts"]["drafts"]["rejected"]["unsafe"] > 5
        assert not summary["judged"][0]["unjudged"]


def test_the_guard_goes_before_a_judge_and_each_has_its_own_calls(tmp_path: Path) -> None:
    def rate(body: dict[str, Any]) -> str:
        return json.dumps({"evidence": "So it fell.", "score": random.Random(shown(body)).randint(1, 5)})

    with FakeEndpoint() as teacher, guard_at() as guard, judge_at(rate) as judge:
        second = {"model": "other-family", "endpoint": judge.url, "licence": "apache-2.0", "price": PRICE}
        rules = ["default", "-length", "-judge", "judge"]
        workspace = Workspace.make(tmp_path, **recipe(teacher, guard, rules, {"judge": second}))
        summary = workspace.run("run", ".", "--json").json
        by_guard, by_judge = summary["judged"]
        assert by_guard["calls"] == guard.stats().requests
        assert by_judge["calls"] == judge.stats().requests == by_guard["scores"]["1"]
        assert summary["cost"]["money"]["replacement"] == summary["cost"]["money"]["spent"]


def test_preview_asks_the_guard_and_forecasts_it(tmp_path: Path) -> None:
    with FakeEndpoint() as teacher, guard_at(lambda body: "unsafe\nS10") as guard:
        workspace = Workspace.make(tmp_path, **recipe(teacher, guard, ["default", "-length"]))
        seen = workspace.run("preview", ".", "-n", "2", "--json").json
        assert guard.stats().requests == 2
        reasons = [draft["reason"] for cell in seen["cells"] for draft in cell["drafts"]]
        assert reasons == ["unsafe", "unsafe"]


@pytest.mark.parametrize(
    ("roles", "rules", "told"),
    [
        ({"guard": {"rehearsal": {}}}, ["schema"], "nothing asks this role; add the filter guard to filters"),
        ({}, ["guard"], "the filter 'guard' asks the role guard, which the recipe does not fill"),
        ({"guard": {"model": "m", "endpoint": "http://127.0.0.1:9/v1"}}, "default", "let both rehearse"),
        ({"gard": {"rehearsal": {}}}, ["guard"], "did you mean 'guard'?"),
    ],
)
def test_the_role_and_its_filter_need_each_other(
    roles: dict[str, Any], rules: Any, told: str, tmp_path: Path
) -> None:
    roles = {"teacher": {"rehearsal": {}}, **roles}
    workspace = Workspace.make(tmp_path, roles=roles, filters=rules)
    assert told in " ".join(workspace.run("plan", ".", expect=2).err.split())


def test_a_rehearsal_guard_rehearses(tmp_path: Path) -> None:
    roles = {"teacher": {"rehearsal": {}}, "guard": {"rehearsal": {"refusal": 0.3}}}
    workspace = Workspace.make(tmp_path, roles=roles, filters=["default"])
    assert "asks rehearsal (guard)" in workspace.run("plan", ".").out
    summary = workspace.run("run", ".", "--json").json
    check_accounts(summary["accounts"])
    assert summary["accounts"]["drafts"]["accepted"] == 40
    (judged,) = summary["judged"]
    assert judged["scores"].keys() == {"0", "1"}
    assert judged["unjudged"]["unreadable"] > 0
    assert judged["calls"] > judged["judged"] + judged["unjudged"]["unreadable"]
    assert "guard" not in summary["selftest"]["dropped_clean"]
    assert workspace.run("run", ".", "--json").json["judged"] == summary["judged"]
