"""The page as the commands write it: where it is, and what of hostile replies and of the eval is in it."""

from __future__ import annotations

import csv
import json
import random
from pathlib import Path
from typing import Any

from tests.chromium import Chromium
from tests.cli.workspace import STARTER, Workspace
from tests.fake_endpoint import FakeEndpoint, plausible, request_key

SCRIPT = "</script><script>window.acted = 1</script><img src=x onerror='window.acted = 1'>{{7*7}}"


def test_run_and_report_write_the_page_and_a_reply_does_nothing_in_it(tmp_path: Path) -> None:
    with (STARTER / "data" / "test.csv").open(encoding="utf-8", newline="") as file:
        locked = [row["text"] for row in csv.DictReader(file)]

    def reply(body: dict[str, Any]) -> str:
        dice = random.Random(request_key(body))
        if dice.random() < 0.2:
            return json.dumps({"text": dice.choice(locked)})
        value = json.loads(plausible(body))
        return json.dumps(value | {"text": f"{value['text']} {SCRIPT}"})

    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    with FakeEndpoint(reply) as endpoint:
        # `format` would reject the slot marks, and none of these replies would be on the page as accepted.
        filters = ["default", "-format"]
        workspace = Workspace.make(tmp_path / "work", endpoint.url, sources=sources, filters=filters)
        done = workspace.run("run", ".", "--target", "30")
    page = workspace.run_folder / "report.html"
    assert "the same as a page: " in done.err
    text = page.read_text("utf-8")
    assert "eval_leak" in text
    assert not [row for row in locked if row in text]
    assert "&lt;script&gt;window.acted" in text
    with Chromium.start(tmp_path) as browser:
        opened = "document.querySelectorAll('details').forEach((box) => { box.open = true; })"
        for width in (1280, 400):
            seen = browser.open(page, width=width, before=opened, ask="window.acted === undefined")
            assert seen.faults() == []
            assert seen.answer is True

    page.unlink()
    workspace.run("report", ".", "--no-html")
    assert not page.exists()
    summary = workspace.run("report", ".", "--html", "elsewhere/page.html", "--json").json
    assert summary["funnel"]["steps"][-1]["left"] == 30
    assert (workspace.folder / "elsewhere" / "page.html").is_file()
    assert not page.exists()
    workspace.run("report", ".", "--html", "a.html", "--no-html", expect=2)
    page.mkdir()  # where no file can be: the report is told all the same
    done = workspace.run("report", ".")
    assert "30 of 30 records accepted" in done.out
    assert "no HTML report" in done.err
    workspace.run("report", ".", "--html", "recipe.yaml/page.html", expect=1)
