"""A recipe of every task kind goes from end to end offline: a run to its target, and what comes out of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from seedbed.recipe import load_recipe
from seedbed.run.registry import registry
from seedbed.tasks import TASKS
from tests.cli.workspace import Workspace, check_accounts
from tests.tasks.kinds import EXAMPLES


def test_there_is_an_example_of_every_kind() -> None:
    assert list(EXAMPLES) == list(TASKS.built_in)


def rows_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_run_reaches_its_target(kind: str, tmp_path: Path) -> None:
    example, workspace = EXAMPLES[kind], Workspace(tmp_path)
    example.write(tmp_path, export=list(example.exports))
    workspace.run("run", ".", "--json")
    report = json.loads(workspace.run("report", ".", "--json").out)
    check_accounts(report["accounts"])
    assert report["accounts"]["drafts"]["accepted"] == 20

    loaded = load_recipe(tmp_path / "recipe.yaml", registry(), default_filters=())
    task = TASKS.get(kind).bind(loaded.recipe.task.options, loaded.recipe.task.labels)
    keeps = jsonschema_rs.validator_for(task.schema())
    exported = {path.stem: path for path in (workspace.run_folder / "export").iterdir()}
    records = rows_of(workspace.run_folder / "export" / "train.jsonl")
    for row in records:
        fields = {name: row[name] for name in task.fields}
        assert keeps.is_valid(fields)
        chat = task.as_chat(fields)
        assert [turn["role"] for turn in chat if turn["role"] != "system"][:2] == ["user", "assistant"]
        if kind == "code":
            program: dict[str, Any] = {}
            exec(fields["solution"] + fields["tests"], program)
    assert exported
