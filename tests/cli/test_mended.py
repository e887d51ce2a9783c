"""What goes wrong may be mended: the same command goes on, and says the truth meanwhile."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.cli.test_run import sometimes_bad
from tests.cli.workspace import Workspace, check_accounts, kill_group
from tests.fake_endpoint import FakeEndpoint, Fault


def port_of(url: str) -> int:
    return int(url.split(":")[2].split("/")[0])


def test_failed_cells_are_made_up_for_once_the_server_is_mended(tmp_path: Path) -> None:
    broken = {"model": "fake", "retries": 0, "licence": "mit"}
    with FakeEndpoint(lambda body: Fault.http(400, "no such thing")) as endpoint:
        port = port_of(endpoint.url)
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(
            roles={"teacher": {**broken, "endpoint": endpoint.url}}, generate={"target": 20}, task=ONE_LABEL
        )
        accounts = workspace.run("run", ".", "--json", expect=6).json["accounts"]
        check_accounts(accounts)
        # A value that brings nothing is given up after 40 cells, whatever the target still wants.
        assert endpoint.stats().requests <= 2 * 40
    with FakeEndpoint(port=port) as endpoint:
        accounts = workspace.run("run", ".", "--json").json["accounts"]
        check_accounts(accounts)
        assert accounts["drafts"]["accepted"] == 20


ONE_LABEL = {"kind": "instruction", "prompt": "text", "answer": "category"}


def test_a_stop_does_not_change_the_plan(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.3), latency=0.03) as endpoint:
        whole = Workspace.make(tmp_path / "whole", endpoint.url)
        whole.fresh = True  # with another seed of `hash` too
        whole.run("run", ".", "--target", "100")
        stopped = Workspace.make(tmp_path / "stopped", endpoint.url)
        for wait in (20, 60):
            asked = endpoint.stats().answered
            process = stopped.start("run", ".", "--target", "100", "--json")
            while endpoint.stats().answered < asked + wait and process.poll() is None:
                time.sleep(0.005)
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=60)
            if process.returncode != 0:
                assert process.returncode == 130, err
                assert json.loads(out)["accounts"]["stopped"] == "interrupted"
        stopped.run("run", ".", "--target", "100")
    assert stopped.shards() == whole.shards()


def test_a_killed_run_is_not_reported_as_the_one_before_ended(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.2) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".", "--target", "30")
        asked = endpoint.stats().requests
        slowly = ("--set", "roles.teacher.concurrency=4")  # the report has to begin before the run ends
        process = workspace.start("run", ".", "--target", "300", *slowly)
        while endpoint.stats().requests < asked + 40:
            time.sleep(0.01)
        assert "At work" in workspace.run("report", ".", "--no-html").out
        kill_group(process)
        report = workspace.run("report", ".", "--no-html", "--json").json
        assert report["accounts"]["stopped"] is None
        check_accounts(report["accounts"])
        assert "Target met" not in workspace.run("report", ".", "--no-html").out


def test_an_eval_that_is_swapped_while_the_run_is_at_work_is_not_scored(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    with FakeEndpoint(latency=0.1) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(endpoint.url, sources=sources, student="classifier")
        process = workspace.start("run", ".")
        while endpoint.stats().requests == 0:
            time.sleep(0.01)
        shutil.copy(tmp_path / "data" / "train.csv", tmp_path / "data" / "test.csv")
        _, err = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "changed while the run was at work" in err
    assert not (workspace.run_folder / "student" / "proof.json").exists()


def test_the_budget_holds_whatever_changes(tmp_path: Path) -> None:
    with FakeEndpoint(refuses=["seed", "response_format"]) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        done = workspace.run("run", ".", "--max-requests", "30", expect=4)
        assert endpoint.stats().requests == 30
        assert "budget" in done.err
        workspace.write(endpoint.url, filters=[], task={**TASK, "description": "Another one."})
        workspace.run("run", ".", "--max-requests", "30", expect=4)
        assert endpoint.stats().requests == 30
        accounts = workspace.run("report", ".", "--no-html", "--json").json["accounts"]
        check_accounts(accounts)
        assert accounts["drafts"]["pending"] == 0


TASK = {"kind": "classification", "input": "text", "label": "category"}


def test_a_template_that_fails_for_its_values_is_refused_with_its_line(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(endpoint.url, generate={"target": 5, "templates": ["a.j2"]})
        (tmp_path / "a.j2").write_text("About {{ label }}\n{% for e in examples %}{{ e.txt }}{% endfor %}")
        done = workspace.run("run", ".", expect=2)
        assert "a.j2:2: does not render" in done.err
        assert "Traceback" not in done.err
        (tmp_path / "a.j2").write_text("Write something.")
        assert "never shows the label" in workspace.run("run", ".", expect=2).err
        assert endpoint.stats().requests == 0


def test_without_filters_a_reply_that_cannot_be_read_is_still_rejected(tmp_path: Path) -> None:
    with FakeEndpoint(sometimes_bad(0.4)) as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.write(endpoint.url, filters=[])
        accounts = workspace.run("run", ".", "--json").json["accounts"]
        assert accounts["drafts"]["accepted"] == 40
        assert {"not_json", "truncated"} <= set(accounts["drafts"]["rejected"])
        rows = json.loads(workspace.run("show", ".", "-n", "1000", "--json").out)
        assert all(row["fields"].get("text") for row in rows if row["accepted"])


def test_plan_knows_what_a_target_revives_and_what_a_change_asks(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        workspace.run("run", ".", "--target", "40")
        workspace.run("run", ".", "--target", "20")
        assert workspace.run("plan", ".", "--target", "40", "--json").json["calls"] == 0
        axes = {"tone": ["calm", "cross", "glad"], "length": ["short", "long"]}
        workspace.write(endpoint.url, generate={"target": 40, "axes": axes})
        said = workspace.run("plan", ".", "--json").json["calls"]
        asked = endpoint.stats().requests
        workspace.run("run", ".")
        assert endpoint.stats().requests - asked == said > 0


def test_a_changed_text_under_a_stable_id_is_noticed(tmp_path: Path) -> None:
    rows = [
        {"id": str(n), "text": f"Row {n} speaks of topic {n * n}.", "category": "ab"[n % 2]}
        for n in range(20)
    ]

    def write(rows: list[dict[str, Any]]) -> None:
        (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))

    write(rows)
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(
            tmp_path,
            endpoint.url,
            sources={"real": {"path": "rows.jsonl", "id": "id"}},
            generate={"target": 20},
        )
        workspace.run("run", ".")
        rows[3]["text"] = "Quite another text."
        write(rows)
        assert "real data changed" in workspace.run("run", ".").err


def test_a_moved_run_folder_is_told_and_nothing_is_made_beside_it(
    rehearsal: Callable[[Path], Workspace], tmp_path: Path
) -> None:
    workspace = rehearsal(tmp_path / "work")
    moved = tmp_path / "elsewhere" / "deep" / "run"
    shutil.copytree(workspace.run_folder, moved)
    report = workspace.run("report", str(moved), "--no-html", "--json").json
    assert report["calls"] is None
    assert report["accounts"]["drafts"]["accepted"] == 20
    assert any("reply log" in note for note in report["notes"])
    assert workspace.run("report", str(moved), "--no-html").out
    assert [p.name for p in (tmp_path / "elsewhere").rglob("*.sqlite")] == []


def test_the_drop_of_an_audit_spares_both_files(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path)
    before = (tmp_path / "data" / "test.csv").read_bytes()
    for out in ("data/test.csv", "data/train.csv"):
        workspace.run("audit", "data/train.csv", "--against", "data/test.csv", "--drop", out, expect=2)
    assert (tmp_path / "data" / "test.csv").read_bytes() == before
