"""A recipe of every task kind goes from end to end offline: a run to its target, and what comes out of it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from seedbed.core.errors import RecipeError
from seedbed.filters import DEFAULT_FILTERS
from seedbed.publish import EXPORTERS
from seedbed.recipe import load_recipe
from seedbed.run.registry import registry
from seedbed.run.view import RunView
from seedbed.tasks import TASKS
from tests.cli.workspace import Workspace, check_accounts
from tests.tasks.kinds import EXAMPLES, write_rows


def test_there_is_an_example_of_every_kind() -> None:
    assert list(EXAMPLES) == list(TASKS.built_in)


def rows_of(path: Path) -> list[dict[str, Any]]:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# The starter recipes run the other kinds from end to end.
RUN = ("conversation", "extraction", "custom")
KINDS = [kind if kind in RUN else pytest.param(kind, marks=pytest.mark.campaign) for kind in EXAMPLES]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_reaches_its_target(kind: str, tmp_path: Path) -> None:
    """With faults planted for the default filters, which drop nothing that is clean but chance twins."""
    example, workspace = EXAMPLES[kind], Workspace(tmp_path)
    example.write(tmp_path)
    workspace.run("run", ".")
    report = workspace.run("report", ".", "--json").json
    check_accounts(report["accounts"])
    assert report["accounts"]["drafts"]["accepted"] == 20
    assert report["selftest"]["dropped_clean"].keys() <= {"near_duplicates"}

    view = RunView.open(tmp_path)
    task, keeps = view.task(registry()), None
    records = list(view.ledger().accepted())
    exported = {}
    for name in example.exports:
        exporter = EXPORTERS.get(name)
        out = tmp_path / f"{name}{exporter.suffix}"
        exporter(exporter.Options()).write(records, task, out, rehearsal=True)
        exported[name] = rows_of(out)
        assert len(exported[name]) == 20
    keeps = jsonschema_rs.validator_for(task.schema())
    for row, from_csv, chat in zip(exported["jsonl"], exported["csv"], exported["trl-sft"], strict=True):
        fields = {name: row[name] for name in task.fields}
        assert keeps.is_valid(fields)
        assert chat["messages"] == task.as_chat(fields)
        for name, value in fields.items():
            cell = from_csv[name].removeprefix("'")
            assert (cell if isinstance(value, str) else json.loads(cell)) == value
        if kind == "code":
            exec(fields["solution"] + fields["tests"], {})
        if kind == "math":
            assert fields["solution"].endswith(f"= {fields['answer']}")
    card = workspace.run("card", ".", "--out", "-").out
    assert all(f"`{name}`" in card for name in task.fields)


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_format_that_does_not_fit_is_refused_before_the_run(kind: str, tmp_path: Path) -> None:
    EXAMPLES[kind].write(tmp_path, export=["jsonl", "trl-dpo"])
    if kind == "preference":
        load_recipe(tmp_path / "recipe.yaml", registry(), default_filters=DEFAULT_FILTERS)
        return
    with pytest.raises(RecipeError) as caught:
        load_recipe(tmp_path / "recipe.yaml", registry(), default_filters=DEFAULT_FILTERS)
    (problem,) = caught.value.problems
    assert problem.key == "export[1]"
    assert problem.message == f"trl-dpo is for tasks of the kind preference, and this one is {kind}"


@pytest.mark.parametrize("kind", ["conversation", "extraction", "custom"])
def test_people_can_look_at_values_that_are_no_text(kind: str, tmp_path: Path) -> None:
    """Where they read a record, no list or map stands as Python would print it."""
    workspace = Workspace(tmp_path)
    # A reply in single quotes is shown as it came.
    EXAMPLES[kind].write(
        tmp_path, generate={"target": 5}, roles={"teacher": {"rehearsal": {"broken_json": 0}}}
    )
    shown = [workspace.run("preview", ".", "-n", "3").out]
    workspace.run("run", ".")
    accepted = [row["id"] for row in workspace.run("show", ".", "--json").json if row["accepted"]]
    shown.append(workspace.run("show", ".").out)
    shown.append(workspace.run("show", ".", accepted[0]).out.partition("verdicts")[0])
    shown.append((workspace.run_folder / "report.html").read_text("utf-8").replace("&#39;", "'"))
    field = {"conversation": "role", "extraction": "customer", "custom": "room"}[kind]
    assert all(f"'{field}'" not in text for text in shown)


def test_an_audit_reads_conversations(tmp_path: Path) -> None:
    """By what the users say: an answer that both files share is no leak."""
    EXAMPLES["conversation"].write(tmp_path)
    asked = "Where do I find my customer number?"
    rows = [
        {"messages": [{"role": "user", "content": asked}, {"role": "assistant", "content": "Ask us."}]},
        {
            "messages": [
                {"role": "user", "content": "Which page has the tax on it?"},
                {"role": "assistant", "content": "On the first page of each invoice."},
            ]
        },
    ]
    write_rows(tmp_path / "mine.jsonl", rows)
    workspace = Workspace(tmp_path)
    result = workspace.run("audit", "mine.jsonl", "--against", "eval.jsonl", "--json", expect=None).json
    assert (result["rows"], result["text_column"]) == (2, "messages")
    assert result["leaks"] == [{"row": 0, "eval_row": 0, "text": asked}]
