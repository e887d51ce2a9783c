"""The Python API, in scripts of their own: no main guard, a running event loop, an interrupt."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import seedbed
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint


def script(workspace: Workspace, text: str) -> subprocess.Popen[str]:
    path = workspace.folder / "script.py"
    path.write_text(textwrap.dedent(text), "utf-8")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OPENAI_", "SEEDBED_"))}
    return subprocess.Popen(
        [sys.executable, "-W", "error", str(path)],
        cwd=workspace.folder,
        env=clean,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(process: subprocess.Popen[str], code: int = 0) -> list[str]:
    out, err = process.communicate(timeout=120)
    assert process.returncode == code, err
    return out.splitlines()


def test_a_script_without_a_main_guard_runs_once(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path)
    lines = said(
        script(
            workspace,
            """
            import json
            import seedbed
            print("began", flush=True)
            seen = []
            run = seedbed.run(".", target=40, on_progress=seen.append)
            print(run.stopped, run.records().num_rows, seen[-1].accepted, seen[-1].target)
            """,
        )
    )
    assert lines == ["began", "target 40 40 40"]


def test_inside_a_running_event_loop(tmp_path: Path) -> None:
    """As in a notebook, whose cells run in one."""
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, endpoint.url)
        lines = said(
            script(
                workspace,
                """
                import asyncio
                import seedbed

                async def cell():
                    recipe = seedbed.Recipe.load(".", set={"generate.target": 30})
                    looked = seedbed.preview(recipe, n=5)
                    run = seedbed.run(recipe)
                    print(len(looked.cells), run.stopped, run.summary()["accounts"]["drafts"]["accepted"])
                    print("accepted" in run.report())

                asyncio.run(cell())
                """,
            )
        )
        assert lines == ["5 target 30", "True"]
        assert endpoint.stats().repeats_after_answered == 0


def test_an_interrupt_drains_and_the_run_goes_on(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.5) as endpoint:  # the run must not end before it is interrupted
        workspace = Workspace.make(tmp_path, endpoint.url)
        # What a shell starts in the background ignores the signal, and so would the script below it.
        text = """
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
        import seedbed
        try:
            seedbed.run(".", target=600)
        except KeyboardInterrupt:
            print("interrupted", seedbed.Run.open(".").stopped)
        """
        process = script(workspace, text)
        while endpoint.stats().answered < 40:
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        assert said(process) == ["interrupted interrupted"]
        accounts = seedbed.Run.open(workspace.folder).summary()["accounts"]
        assert accounts["drafts"]["pending"] == 0
        workspace.run("run", ".", "--target", "80")
        assert endpoint.stats().repeats_after_answered == 0


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> seedbed.Run:
    workspace = Workspace.make(tmp_path_factory.mktemp("api"))
    return seedbed.run(workspace.folder, target=40)


def test_records_are_a_typed_table(run: seedbed.Run) -> None:
    table = run.records()
    assert table.num_rows == 40
    kinds = {name: table.schema.field(name).type for name in table.schema.names}
    assert kinds["text"] == kinds["category"] == kinds["slot_tone"] == pa.string()
    assert kinds["temperature"] == pa.float64()
    assert kinds["parents"] == pa.list_(pa.string())
    assert set(table["slot_tone"].to_pylist()) == {"calm", "cross"}
    assert set(table["accepted"].to_pylist()) == {True}
    assert len(set(table["id"].to_pylist())) == 40


def test_rejected_records_have_their_reason(run: seedbed.Run) -> None:
    rejected, every = run.records(accepted=False), run.records(accepted=None)
    drafts = run.summary()["accounts"]["drafts"]
    assert rejected.num_rows == sum(drafts["rejected"].values()) > 0
    assert every.num_rows == rejected.num_rows + 40
    assert set(rejected["reason"].to_pylist()) == set(drafts["rejected"])
    assert rejected.filter(pa.compute.equal(rejected["reason"], "not_json"))["text"].null_count > 0


def test_what_a_notebook_shows_is_escaped_and_stands_alone(run: seedbed.Run, tmp_path: Path) -> None:
    assert "Rehearsal" in run._repr_html_()
    with FakeEndpoint(
        lambda body: json.dumps({"text": "<script>alert(1)</script> and some more words"})
    ) as e:
        shown = seedbed.preview(Workspace.make(tmp_path, e.url).folder, n=1)._repr_html_()
    path = tmp_path / "rows.csv"
    path.write_text(
        "text\n<b>bold words that stand here twice</b>\n<b>bold words that stand here twice</b>\n"
    )
    audited = seedbed.audit(path, against=path)
    assert len(audited.leaks) > 0
    for page in (shown, audited._repr_html_(), run._repr_html_()):
        assert "<script" not in page
        assert "<b>bold" not in page
        assert "http" not in page
    assert "&lt;script&gt;" in shown
    assert "&lt;b&gt;bold" in audited._repr_html_()


def test_problems_are_those_of_the_commands(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path, generate={"targts": 3, "axes": {"tone": []}})
    with pytest.raises(seedbed.RecipeError) as caught:
        seedbed.Recipe.load(workspace.folder)
    told = workspace.run("plan", ".", expect=2).err
    assert len(caught.value.problems) >= 2
    assert all(problem.message in told for problem in caught.value.problems)
    with pytest.raises(seedbed.RecipeError, match=r"--set generate\.target"):
        seedbed.Recipe.load(Workspace.make(tmp_path / "b").folder, set={"generate.target": -1})


def test_an_endpoint_that_fails_raises_and_a_budget_does_not(tmp_path: Path) -> None:
    with FakeEndpoint(key="right") as endpoint, pytest.raises(seedbed.EndpointError, match="sent none"):
        seedbed.run(Workspace.make(tmp_path / "key", endpoint.url).folder)
    with FakeEndpoint() as endpoint:
        stopped = seedbed.run(Workspace.make(tmp_path / "budget", endpoint.url).folder, max_requests=10)
        assert endpoint.stats().requests == 10
    assert stopped.stopped == "budget"


def test_an_error_in_on_progress_ends_the_run_and_is_raised(tmp_path: Path) -> None:
    def fail(progress: seedbed.Progress) -> None:
        if progress.cells:
            raise ZeroDivisionError

    with FakeEndpoint(latency=0.1) as endpoint, pytest.raises(ZeroDivisionError):
        seedbed.run(Workspace.make(tmp_path, endpoint.url).folder, target=2000, on_progress=fail)
    assert seedbed.Run.open(tmp_path).stopped == "interrupted"


def test_values_of_set_are_what_they_are_in_python(tmp_path: Path) -> None:
    axes: dict[str, Any] = {"tone": ["010", "a: b, #c"], "length": ["short"]}
    recipe = seedbed.Recipe.load(
        Workspace.make(tmp_path).folder, set={"generate.axes": axes, "generate.target": 7}
    )
    assert recipe.target == 7
    assert {name: list(values) for name, values in recipe.bound.axes.items()} == axes
