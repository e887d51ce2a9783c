"""`preview` asks what a run would ask first, shows it, and is paid for once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.cli.test_run import sometimes_bad
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint, Fault

HOSTILE = "Words with \x1b[31ma colour\x1b[0m and [bold]markup[/bold] in them, enough of them to be kept."


def test_a_run_replays_what_a_preview_asked(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        value = workspace.run("preview", ".", "-n", "12", "--json").json
        assert endpoint.stats().requests == len(value["cells"]) == 12
        assert 0 < value["good"] <= value["drafts"] == 12
        assert value["good"] + sum(value["rejected"].values()) == 12
        assert value["yield"]["low"] < value["good"] / 12 <= value["yield"]["high"]
        assert all(
            cell["questions"][0]["prompt"] and cell["questions"][0]["replies"] for cell in value["cells"]
        )
        assert not list((workspace.run_folder / "rounds").iterdir())
        assert not (workspace.run_folder / "manifest.json").exists()

        again = workspace.run("preview", ".", "-n", "12", "--json").json
        assert again == value
        assert endpoint.stats().requests == 12

        summary = workspace.run("run", ".", "--json").json
        assert endpoint.stats().repeats_after_answered == 0
        assert summary["calls"]["requests"] == endpoint.stats().requests
        drafted = {row["id"] for row in workspace.run("show", ".", "-n", "9999", "--json").json}
        assert {draft["id"] for cell in value["cells"] for draft in cell["drafts"]} <= drafted


def test_plan_forecasts_from_the_preview_of_this_very_recipe(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        assert workspace.run("plan", ".", "--json").json["forecast"] is None
        shown = workspace.run("preview", ".", "-n", "12", "--json").json["whole_run"]
        asked = endpoint.stats().requests
        forecast = workspace.run("plan", ".", "--json").json["forecast"]
        assert forecast["previewed"] == 12
        assert forecast["questions"] == shown["questions"]
        assert forecast["questions"]["low"] >= 40
        assert "by 12 previewed cells" in workspace.run("plan", ".").out
        changed = workspace.run("plan", ".", "--set", "generate.examples=1", "--json")
        assert changed.json["forecast"] is None
        assert "changed since its preview" in changed.err
        assert endpoint.stats().requests == asked
        spent = workspace.run("run", ".", "--json").json["calls"]["requests"]
        assert forecast["questions"]["low"] <= spent <= forecast["questions"]["high"]


def test_the_budget_holds_for_previews_and_runs_together(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url, budget={"requests": 15})
        done = workspace.run("preview", ".", "-n", "20", "--json", expect=4)
        assert len(done.json["cells"]) == endpoint.stats().requests == 15
        assert "budget.requests" in done.err
        workspace.run("run", ".", expect=4)
        assert endpoint.stats().requests == 15


def test_an_endpoint_without_the_model_is_named(tmp_path: Path) -> None:
    with FakeEndpoint(model="another") as endpoint:
        done = Workspace.make(tmp_path, endpoint.url).run("preview", ".", expect=5)
        assert "it offers another" in done.err


def test_cells_that_fail_have_their_cause(tmp_path: Path) -> None:
    with FakeEndpoint(lambda body: Fault.http(400, "this prompt is not allowed")) as endpoint:
        done = Workspace.make(tmp_path, endpoint.url).run("preview", ".", "-n", "3", expect=6)
        assert "failed cells: bad_request 3" in done.out
        assert "no answer: bad_request" in done.out


def test_prompt_reply_and_verdicts_stand_side_by_side_where_there_is_room(tmp_path: Path) -> None:
    def reply(body: dict[str, Any]) -> str:
        return json.dumps({"text": HOSTILE})

    with FakeEndpoint(reply) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.env = {"COLUMNS": "140"}
        wide = workspace.run("preview", ".", "-n", "2").out
        workspace.env = {"COLUMNS": "60"}
        narrow = workspace.run("preview", ".", "-n", "2").out
    head = next(line for line in wide.splitlines() if line.startswith("prompt"))
    assert head.split() == ["prompt", "reply", "verdicts"]
    lines = narrow.splitlines()
    assert [lines.index("prompt") < lines.index("reply") < lines.index("verdicts")] == [True]
    cells = narrow.split("good: ")[0]
    assert max(len(line) for line in cells.splitlines()) <= 60
    for shown in (wide, narrow):
        assert "\x1b" not in shown
        assert "[bold]markup[/bold]" in " ".join(shown.split()).replace("markup [/bold]", "markup[/bold]")
        assert "duplicate" in shown


def test_a_locked_eval_is_asked_and_its_opening_is_on_record(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    workspace = Workspace.make(tmp_path, sources=sources)
    value = workspace.run("preview", ".", "-n", "3", "--json").json
    filters = {
        v["filter"].partition("@")[0] for c in value["cells"] for d in c["drafts"] for v in d["verdicts"]
    }
    assert "contamination" in filters
    openings = json.loads((workspace.run_folder / "eval.lock.json").read_text())["openings"]
    assert [(o["purpose"], o["by"]) for o in openings] == [("check", "seedbed preview tickets")]
