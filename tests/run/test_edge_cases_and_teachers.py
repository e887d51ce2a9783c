"""Edge cases are met to their counts, and several teachers share the cells, in real runs."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.run.loading import load_bound
from seedbed.run.view import RunView
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint

CASES = [{"name": "two-problems", "ask": "names a second problem", "count": 7}]
TASK = {"kind": "classification", "input": "text", "label": "category"}


def reply(body: dict[str, Any]) -> str:
    import hashlib

    words = hashlib.sha256(json.dumps(body).encode()).hexdigest()
    return json.dumps({"text": " ".join(words[at : at + 6] for at in range(0, 60, 6))})


def generate(**changes: Any) -> dict[str, Any]:
    return {"target": 30, "axes": {"tone": ["calm", "cross"]}, **changes}


def records(workspace: Workspace) -> list[Record]:
    return list(RunView.open(workspace.folder).ledger().accepted())


def test_each_case_is_asked_for_in_its_words_as_often_as_it_says(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path, generate=generate(edge_cases=CASES), filters=["schema"])
    summary = workspace.run("run", ".", "--json").json
    assert summary["by_cover"]["edge_case"]["two-problems"]["accepted"] == 7
    assert summary["by_cover"]["edge_case"]["none"]["accepted"] == 23
    bound = load_bound(tmp_path, ())
    assert bound.quotas.by_field["edge_case"] == {"two-problems": 7, "none": 23}


def test_the_prompt_says_the_case_and_ordinary_prompts_are_as_ever(tmp_path: Path) -> None:
    with FakeEndpoint(reply) as server:
        plain = Workspace.make(tmp_path / "plain", server.url, generate=generate(), filters=["schema"])
        plain.run("run", ".")
        ordinary = {body["messages"][-1]["content"] for body in server.requests}
        before = len(server.requests)
        with_cases = Workspace.make(
            tmp_path / "cases", server.url, generate=generate(edge_cases=CASES), filters=["schema"]
        )
        with_cases.run("run", ".")
        asked = [body["messages"][-1]["content"] for body in server.requests[before:]]
    special = [prompt for prompt in asked if "edge_case: names a second problem\n" in prompt]
    assert len(special) == 7
    assert len(asked) == 30
    assert not any("edge_case" in prompt for prompt in ordinary)


def test_a_case_more_asks_for_nothing_that_is_answered_already(tmp_path: Path) -> None:
    with FakeEndpoint(reply) as server:
        workspace = Workspace.make(tmp_path, server.url, generate=generate(), filters=["schema"])
        workspace.run("run", ".")
        before, first = len(server.requests), {record.id for record in records(workspace)}
        workspace.write(server.url, generate=generate(target=37, edge_cases=CASES), filters=["schema"])
        workspace.run("run", ".")
        asked = [body["messages"][-1]["content"] for body in server.requests[before:]]
        assert server.stats().repeats_after_answered == 0
    # The cases fall to some labels more than to others; each label's count is filled by ordinary records.
    assert sum("names a second problem" in prompt for prompt in asked) == 7
    assert 7 <= len(asked) <= 12
    assert len(first & {record.id for record in records(workspace)}) >= 25


def test_a_template_that_never_shows_the_case_is_refused(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path, generate=generate(edge_cases=CASES, templates="own.j2"))
    (tmp_path / "own.j2").write_text("Write a {{ tone }} message about {{ category }}.\n", "utf-8")
    with pytest.raises(RecipeError, match=r"never shows the edge case; write \{\{ edge_case \}\}"):
        load_bound(workspace.folder, ())
    (tmp_path / "own.j2").write_text("{{ tone }} {{ category }} {{ edge_case }}\n", "utf-8")
    load_bound(workspace.folder, ())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"edge_cases": [{**CASES[0], "count": 31}]},
            "they ask for 31 but target is 30; raise the target to 31",
        ),
        ({"edge_cases": [CASES[0], CASES[0]]}, "stands more than once: two-problems"),
        ({"edge_cases": CASES, "methods": "direct", "axes": {}}, "the method direct uses no axes"),
        ({"teachers": {"second": 1.0}}, "and not the teacher; add it"),
        (
            {"teachers": {"teacher": 1.0, "second": 1.0}},
            "names the role second, which the recipe does not fill",
        ),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, changes: dict[str, Any], message: str) -> None:
    workspace = Workspace.make(tmp_path, generate=generate(**changes))
    with pytest.raises(RecipeError) as caught:
        load_bound(workspace.folder, ())
    assert message in str(caught.value)


def test_several_teachers_share_the_cells_and_each_record_names_its_own(tmp_path: Path) -> None:
    with FakeEndpoint(reply) as one, FakeEndpoint(reply) as other:
        roles = {
            "teacher": {"model": "fake", "endpoint": one.url, "licence": "mit"},
            "second": {"model": "fake", "endpoint": other.url, "licence": "apache-2.0"},
        }
        workspace = Workspace.make(
            tmp_path,
            roles=roles,
            generate=generate(teachers={"teacher": 1.0, "second": 1.0}),
            filters=["schema"],
        )
        workspace.run("run", ".")
        made = records(workspace)
    by_role = Counter(next(iter(record.provenance.models)) for record in made)
    assert set(by_role) == {"teacher", "second"}
    assert min(by_role.values()) >= 8
    for record in made:
        ((role, model),) = record.provenance.models.items()
        assert (model.model, model.endpoint) == {
            "teacher": ("fake", one.url),
            "second": ("fake", other.url),
        }[role]
        assert record.provenance.licence == {"teacher": "mit", "second": "apache-2.0"}[role]
        assert record.slots["teacher"] == role
    assert len(one.requests) == by_role["teacher"]
    assert len(other.requests) == by_role["second"]
