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
