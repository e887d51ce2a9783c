"""`label`, and how runs end in which a source has no more of what the target lacks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.workspace import Workspace
from tests.generate.bench import CONTRACT


@pytest.mark.parametrize(
    ("method", "overrides"),
    [
        ("label", ["generate.target=400"]),
        ("backtranslation", ["generate.target=40", "task.labels=[delivery, returns, unheard_of]"]),
    ],
)
def test_a_source_that_has_no_more_to_give_ends_the_run_and_is_no_failure(
    method: str, overrides: list[str], tmp_path: Path
) -> None:
    shutil.copytree(CONTRACT / method, tmp_path / "work")
    workspace = Workspace(tmp_path / "work")
    sets = [word for override in overrides for word in ("--set", override)]
    done = workspace.run("run", ".", "--json", *sets, expect=3)
    assert done.json["accounts"]["stopped"] == "variety"


def test_what_has_a_label_that_was_found_can_be_forgotten_by_it(tmp_path: Path) -> None:
    shutil.copytree(CONTRACT / "label", tmp_path / "work")
    workspace = Workspace(tmp_path / "work")
    workspace.run("run", ".", expect=None)
    shown = workspace.run("show", "runs/label", "-n", "100", "--json").json
    record = workspace.run(
        "show", "runs/label", next(row["id"] for row in shown if row["accepted"]), "--json"
    )
    where = f"label={record.json['fields']['category']}"
    dry = ("requests", "forget", "runs/label", "--where", where, "--dry-run", "--json")
    assert workspace.run(*dry).json["accepted"] > 0
