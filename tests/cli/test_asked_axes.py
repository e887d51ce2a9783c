"""An axis from the teacher, by the commands: planned without a call, asked once, kept from the eval."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import FakeEndpoint, plausible

_WHO, _WHAT = ("a nurse", "one cook", "some judge"), ("in haste", "who is late")
WRITERS = [f"{who} {what}" for who in _WHO for what in _WHAT]


def teacher(*values: str) -> Any:
    """Drafts as ever, and for a question about an axis these values."""

    def reply(body: dict[str, Any]) -> str:
        if "Respect: writer" in body["messages"][-1]["content"]:
            return json.dumps({"values": values})
        return plausible(body)

    return reply


def generate(**more: Any) -> dict[str, Any]:
    return {"target": 30, "axes": {"writer": {"from": "teacher", "count": 5, "ask": "who writes"}}, **more}


def test_plan_makes_no_call_and_a_run_asks_once(tmp_path: Path) -> None:
    with FakeEndpoint(teacher(*WRITERS)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate=generate())
        before = workspace.run("plan", ".", "--json").json
        assert before["unasked_axes"]["writer"]["frozen"] == 0
        assert before["unasked_axes"]["writer"]["questions"] == 1
        assert before["by_axis"]["writer"] == {"(writer: not asked yet)": before["cells"]}
        assert "axis writer is not asked yet: 0 of 5" in workspace.run("plan", ".").out
        assert endpoint.stats().requests == 0
        # Its one question is in the forecast.
        asking = before["axis_questions"]
        shown = sum(len(message["content"]) for message in before["unasked_axes"]["writer"]["prompt"])
        assert (asking["calls"], asking["prompt_tokens"]) == (1, shown // 4)
        assert before["calls"] == before["cells"] == 30
        priced = "roles.teacher.price={input: 1000, output: 1000}"
        cost = workspace.run("plan", ".", "--set", priced, "--json").json["cost"]
        of_cells = 30 * (before["prompt_tokens_each"] + before["answer_tokens_each"])
        assert cost["expected"] == pytest.approx((of_cells + shown // 4 + asking["answer_tokens"]) / 1000)
        assert cost["worst"] > 31 * 1024 / 1000
        assert "at least 31 (drafts" in workspace.run("plan", ".").out
        previewed = workspace.run("preview", ".", "-n", "3", "--json").json
        assert previewed["axis_questions"]["questions"] == 1
        assert previewed["whole_run"]["questions"]["value"] == 31
        assert previewed["whole_run"]["cells"]["value"] == 30
        assert endpoint.stats().requests == 4
        done = workspace.run("run", ".", "--json")
        check_accounts(done.json["accounts"])
        assert done.json["calls"]["requests"] == endpoint.stats().requests
        planned = pq.read_table(workspace.run_folder / "rounds" / "0001" / "plan.parquet")
        assert {json.loads(axes)["writer"] for axes in planned["axes"].to_pylist()} == set(WRITERS[:5])
        after = workspace.run("plan", ".", "--json").json
        assert after["unasked_axes"] == {}
        asked = endpoint.stats().requests
        workspace.run("run", ".")
        assert endpoint.stats().requests == asked


def test_one_more_value_asks_again_only_for_its_share(tmp_path: Path) -> None:
    with FakeEndpoint(teacher(*WRITERS)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate=generate())
        workspace.run("run", ".")
        asked = endpoint.stats().requests
        workspace.run("run", ".", "--set", "generate.axes.writer.count=6")
        assert 0 < endpoint.stats().requests - asked < 30 / 2
        assert endpoint.stats().repeats_after_answered == 0


def test_values_that_meet_the_eval_are_never_used(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    workspace = Workspace.make(tmp_path)
    with (tmp_path / "data" / "test.csv").open(newline="", encoding="utf-8") as file:
        leak = next(row["text"] for row in csv.DictReader(file) if len(row["text"]) < 190)
    with FakeEndpoint(teacher(leak, *WRITERS)) as endpoint:
        workspace.write(endpoint.url, sources=sources, generate=generate())
        workspace.run("run", ".")
    frozen = (tmp_path / ".seedbed" / "axes" / "tickets" / "writer" / "0001.jsonl").read_text()
    assert leak not in frozen
    assert [json.loads(line)["value"] for line in frozen.splitlines()[1:]] == WRITERS


def test_a_budget_holds_over_both_kinds_of_question(tmp_path: Path) -> None:
    with FakeEndpoint(teacher(*WRITERS)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate=generate())
        assert workspace.run("run", ".", "--max-requests", "10", expect=4).code == 4
        assert endpoint.stats().requests == 10
        workspace.run("run", ".")
        assert endpoint.stats().repeats_after_answered == 0


def test_a_rehearsal_answers_and_a_recording_says_that_it_cannot(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path, generate=generate(target=20))
    workspace.run("run", ".")
    assert len((tmp_path / ".seedbed/axes/tickets/writer/0001.jsonl").read_text().splitlines()) > 5
    (tmp_path / "replies.jsonl").write_text('{"reply": {"text": "My parcel is late."}}\n')
    workspace.write(generate=generate(), roles={"teacher": {"recorded": "replies.jsonl", "by": "order"}})
    done = workspace.run("run", ".", expect=2)
    assert "generate.axes.writer: the recording holds no values for this axis" in done.err


def test_where_the_teacher_has_no_more_new_verdicts_go_by_what_stands(tmp_path: Path) -> None:
    with FakeEndpoint(teacher(*WRITERS[:3])) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, generate=generate())
        assert "goes on with 3 of its 5 values" in workspace.run("run", ".").err
        asked = endpoint.stats().requests
        assert workspace.run("refilter", "runs/tickets", "--dry-run", "--json").json["calls"] == 0
        assert workspace.run("plan", ".", "--json").json["axis_questions"]["calls"] == 0
        assert endpoint.stats().requests == asked
