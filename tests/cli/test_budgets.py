"""What a run may spend, seen from the endpoint that bills it, and what it says it spent."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.chat import ChatRequest, Message, Sampling, Usage
from seedbed.core.money import Price, in_dollars
from seedbed.models.budget import worst_case
from tests.cli.workspace import Workspace, check_accounts, kill_group
from tests.fake_endpoint import FakeEndpoint, Fault, plausible

PRICE = {"input": 0.15, "output": 0.6}
MOST = 256
KINDS = [
    Fault.http(500),
    Fault.http(503),
    Fault.http(429, retry_after="0"),
    Fault("reset"),
    Fault("close"),
    Fault("half_close"),
    Fault("cut_body"),
    Fault("hang"),
    Fault("html"),
    Fault("empty_choices"),
    Fault("truncated_json"),
]
THIRTY_IN_A_HUNDRED = {fault: 0.3 / len(KINDS) for fault in KINDS}


def teacher(url: str, **more: Any) -> dict[str, Any]:
    role = {"model": "fake", "endpoint": url, "licence": "apache-2.0", "price": PRICE, "max_tokens": MOST}
    return {"teacher": {**role, "timeout": "2.5s", **more}}


def bill(endpoint: FakeEndpoint) -> float:
    """US dollars that the endpoint could ask for: for a reply that nobody read, all of `max_tokens`."""
    price, cost = Price.per_million(0.15, 0.6), 0
    for body, fate in endpoint.fates:
        prompt = sum(len(message["content"]) for message in body["messages"]) // 4
        if fate == "answered":
            wrote = len(str({"role": "assistant", "content": plausible({**body, "choice": 0})})) // 4
            cost += price.of(Usage(prompt, wrote))
        elif fate.startswith("http_5"):
            cost += price.of(Usage(prompt))
        elif not fate.startswith("http_4"):
            cost += price.of(Usage(prompt, MOST))
    return in_dollars(cost)


def test_max_cost_is_never_passed_and_a_higher_one_goes_on_where_it_was(tmp_path: Path) -> None:
    with FakeEndpoint(shares=THIRTY_IN_A_HUNDRED, latency=0.02) as endpoint:
        workspace = Workspace.make(
            tmp_path,
            roles=teacher(endpoint.url, concurrency=64, retries=12),
            generate={"target": 300, "axes": {"tone": ["calm", "cross"], "length": ["short", "long"]}},
        )
        reached = []
        for cap in ("0.006", "0.018"):
            done = workspace.run("run", ".", "--max-cost", cap, "--json", expect=4)
            assert "--max-cost" in done.err
            check_accounts(done.json["accounts"])
            assert done.json["accounts"]["stopped"] == "budget"
            money = done.json["cost"]["money"]
            assert bill(endpoint) <= money["spent"] <= float(cap)
            # Nearly all of it was used: one more worst case would not have fitted.
            assert money["spent"] > float(cap) - 0.001
            reached.append(done.json["accounts"]["drafts"]["accepted"])
        assert 0 < reached[0] < reached[1] < 300
        done = workspace.run("run", ".", "--max-cost", "5", "--json")
        money = done.json["cost"]["money"]
        assert bill(endpoint) <= money["spent"] < 5
        assert money["per_accepted"] == pytest.approx(money["spent"] / 300)
        assert 0 < money["by_rule"] < money["spent"]
        assert endpoint.stats().repeats_after_answered == 0
        assert set(endpoint.stats().faults) == {fault.name for fault in KINDS}
        assert endpoint.stats().peak_in_flight > 32


def test_what_the_log_answers_is_not_paid_again(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, roles=teacher(endpoint.url))
        first = workspace.run("run", ".", "--json").json["cost"]
        assert first["money"]["cached"] == 0
        assert first["money"]["spent"] == pytest.approx(bill(endpoint), rel=1e-6)
        assert first["money"]["replacement"] == pytest.approx(first["money"]["spent"], rel=1e-3)
        # Another price changes no history: what was paid stays, what it would cost now follows.
        dear = {"input": 1.5, "output": 6}
        workspace.write(roles=teacher(endpoint.url, price=dear), filters=["default", "-refusal"])
        again = workspace.run("run", ".", "--json").json["cost"]
        assert again["money"]["spent"] == first["money"]["spent"]
        assert again["money"]["cached"] == pytest.approx(10 * first["money"]["replacement"], rel=1e-3)
        assert again["money"]["replacement"] == again["money"]["cached"]
        text = workspace.run("report", ".", "--no-html").out
        assert "for each accepted record" in text
        assert "is what the latest command took from the log" in text


def test_plan_says_what_the_calls_cost(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, roles=teacher(endpoint.url))
        plan = workspace.run("plan", ".", "--json").json
        messages = tuple(Message(m["role"], m["content"]) for m in plan["first_prompt"])
        request = ChatRequest("fake", messages, Sampling(max_tokens=MOST))
        bound = worst_case(request)
        price = Price.per_million(0.15, 0.6)
        assert plan["cost"]["worst"] > plan["calls"] * in_dollars(price.of(bound))  # and its schema
        expected = Usage(plan["prompt_tokens_each"], plan["answer_tokens_each"])
        assert plan["cost"]["expected"] == pytest.approx(plan["calls"] * in_dollars(price.of(expected)))
        assert "cost: about $" in workspace.run("plan", ".").out
        spent = workspace.run("run", ".", "--json").json["cost"]["money"]["spent"]
        assert plan["cost"]["expected"] / 2 < spent < plan["cost"]["worst"]


def test_a_cost_budget_without_a_price_is_refused_with_the_line_to_paste(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, budget={"cost": 5})
        done = workspace.run("plan", ".", expect=2)
        lines = (tmp_path / "recipe.yaml").read_text("utf-8").splitlines()
        line = 1 + next(at for at, text in enumerate(lines) if text.strip().startswith("teacher:"))
        assert f"recipe.yaml:{line}: roles.teacher.price: budget.cost is given" in done.err
        assert "price: {input: …, output: …}" in done.err
        workspace.write(endpoint.url)
        assert "roles.teacher.price" in workspace.run("run", ".", "--max-cost", "5", expect=2).err
        assert endpoint.stats().requests == 0
        assert not workspace.run_folder.exists()


def test_calls_without_a_price_are_told_and_count_at_the_price_of_now(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        done = workspace.run("run", ".", "--json")
        assert done.json["cost"]["money"] is None
        assert any("nobody knows what 40 requests cost" in note for note in done.json["notes"])
        role = teacher(endpoint.url, max_tokens=1024)
        workspace.write(roles=role)
        done = workspace.run("run", ".", "--target", "300", "--max-cost", "0.006", "--json", expect=4)
        assert "40 calls were made when no price was known" in done.err
        money = done.json["cost"]["money"]
        assert money["unpriced_calls"] == 40
        assert any("40 of" in note and "no price was known" in note for note in done.json["notes"])
        assert bill(endpoint) <= 0.006


def test_tokens_requests_and_time_bound_a_run_too(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.05) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate={"target": 300})
        cost = workspace.run("run", ".", "--max-tokens", "40000", "--json", expect=4).json["cost"]
        assert 30_000 < cost["prompt_tokens"] + cost["completion_tokens"] <= 40_000
        spending = json.loads((workspace.run_folder / "spending.json").read_text("utf-8"))
        assert 0 < spending["seconds"] < 60
        assert spending["lost"] == spending["open"] == {"requests": 0, "tokens": 0, "cost": 0}
        asked = endpoint.stats().requests
        # The first sitting's time counts: with no more than that nothing is sent.
        done = workspace.run("run", ".", "--max-time", f"{spending['seconds']}s", expect=4)
        assert "budget.time" in done.err
        assert endpoint.stats().requests == asked
        workspace.run("run", ".", "--max-requests", str(asked + 5), expect=4)
        assert endpoint.stats().requests == asked + 5
        assert endpoint.stats().repeats_after_answered == 0


def test_a_rehearsal_spends_nothing_of_the_run_that_follows_it(tmp_path: Path) -> None:
    roles: dict[str, Any] = {"judge": {"rehearsal": {}}, "teacher": {"rehearsal": {}}}
    target = {"target": 20}
    workspace = Workspace.make(tmp_path, generate=target, roles=roles, filters=["default", "judge"])
    assert workspace.run("run", ".", "--json").json["cost"]["requests"] >= 40
    with FakeEndpoint() as endpoint:
        workspace.write(endpoint.url, generate={"target": 20})
        workspace.run("run", ".", "--max-requests", "7", expect=4)
        assert endpoint.stats().requests == 7
        done = workspace.run("run", ".", "--json")
        assert done.json["cost"]["requests"] == endpoint.stats().requests


def test_a_full_disk_budget_stops_at_the_close_of_a_round(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        generate = {"target": 300, "round": 40}
        workspace = Workspace.make(tmp_path, endpoint.url, generate=generate, budget={"disk": "500kB"})
        done = workspace.run("run", ".", "--json", expect=4)
        assert "more than the 500kB of budget.disk" in done.err
        assert 0 < done.json["accounts"]["drafts"]["accepted"] < 300
        asked = endpoint.stats().requests
        assert "budget.disk" in workspace.run("run", ".", "--set", "budget.disk=50kB", expect=4).err
        assert endpoint.stats().requests == asked


def test_what_a_kill_cut_off_counts_as_spent(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.3) as endpoint:
        workspace = Workspace.make(tmp_path, roles=teacher(endpoint.url, timeout=5, concurrency=16))
        process = workspace.start("run", ".")
        while endpoint.stats().answered < 20:
            time.sleep(0.01)
        kill_group(process)
        file = workspace.run_folder / "spending.json"
        left = json.loads(file.read_text("utf-8"))["open"]
        assert left["requests"] >= 16
        asked = endpoint.stats().requests
        # All that was left open counts from now on: no request fits beside it.
        cap = in_dollars(left["cost"])
        done = workspace.run("run", ".", "--max-cost", f"{cap:.9f}", "--json", expect=4)
        assert endpoint.stats().requests == asked
        assert done.json["cost"]["money"]["by_rule"] == pytest.approx(cap)
        spending = json.loads(file.read_text("utf-8"))
        assert (spending["lost"], spending["open"]["requests"]) == (left, 0)
