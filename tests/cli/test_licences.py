"""A teacher whose terms forbid the use, or which nobody knows, is not asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.run.licensing import licence_facts
from seedbed.run.loading import load_bound
from seedbed.run.view import RunView
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint


def role(url: str, model: str, licence: Any = None) -> dict[str, Any]:
    written = {"model": model, "endpoint": url, "licence": licence}
    return {"teacher": {key: value for key, value in written.items() if value is not None}}


def line_of(folder: Path, key: str) -> int:
    lines = (folder / "recipe.yaml").read_text("utf-8").splitlines()
    return 1 + next(at for at, text in enumerate(lines) if text.strip().startswith(f"{key}:"))


@pytest.mark.parametrize(
    ("model", "licence", "use", "words"),
    [
        ("meta-llama/Llama-3-70b-chat", None, "research", ["llama3", "1.b.v", "github.com/meta-llama"]),
        ("llama3:8b", "apache-2.0", "commercial", ["'llama3:8b' comes under llama3", "state them"]),
        ("mine", "cc-by-nc-4.0", "commercial", ["cc-by-nc-4.0", "forbids", "use: commercial"]),
        ("mine", {"terms": "contract 7", "allows_training": False}, None, ["contract 7", "do not allow"]),
        ("mine", None, None, ["nobody has said", "licence: apache-2.0 (or what it is)"]),
        (
            "mine",
            "gpl-9",
            None,
            ["'gpl-9' is not in the table", "it has: apache-2.0, mit,", "allows_training: true}"],
        ),
        ("mine", "apache2.0", None, ["'apache2.0' is not in the table", "did you mean 'apache-2.0'?"]),
        ("gemma-2-9b-it", None, None, ["gemma", "unverified", "allows_training: true}"]),
        ("olmo-2-7b", None, None, ["unverified", "paste into the role: licence: apache-2.0"]),
        ("mine", "mistral-research", "research", ["unverified", "allows_training: true}"]),
    ],
)
def test_forbidden_and_unknown_terms_stop_before_the_first_call(
    tmp_path: Path, model: str, licence: Any, use: str | None, words: list[str]
) -> None:
    Workspace.make(tmp_path, roles=role("http://127.0.0.1:9/v1", model, licence), use=use)
    with pytest.raises(RecipeError) as caught:
        load_bound(tmp_path, [])
    (problem,) = caught.value.problems
    line = line_of(tmp_path, "licence" if isinstance(licence, dict) else "teacher")
    assert (problem.line, problem.key) == (line, "roles.teacher.licence")
    assert [word for word in words if word not in problem.message] == []


@pytest.mark.parametrize(("command", "model"), [("plan", "mine"), ("run", "mine"), ("run", "llama-3-8b")])
def test_an_endpoint_whose_terms_do_not_do_sees_no_request(tmp_path: Path, command: str, model: str) -> None:
    with FakeEndpoint(model=model) as endpoint:
        workspace = Workspace.make(tmp_path, roles=role(endpoint.url, model))
        done = workspace.run(command, ".", expect=2)
        assert f"recipe.yaml:{line_of(tmp_path, 'teacher')}: roles.teacher.licence: " in done.err
        assert endpoint.stats().requests == 0
        assert not workspace.run_folder.exists()


def test_a_licence_is_one_problem_among_all(tmp_path: Path) -> None:
    Workspace.make(tmp_path, roles=role("http://127.0.0.1:9/v1", "mine"), budget={"cost": 3})
    (tmp_path / "data" / "train.csv").write_text("text\nno label\n", "utf-8")
    with pytest.raises(RecipeError) as caught:
        load_bound(tmp_path, [])
    told = str(caught.value)
    assert [
        word for word in ("roles.teacher.licence", "roles.teacher.price", "train.csv") if word not in told
    ] == []


@pytest.mark.parametrize(
    ("model", "licence", "use", "label", "duty"),
    [
        ("Qwen/Qwen3-32B", None, None, "apache-2.0", None),
        ("mine", "MIT", "competing", "mit", None),
        ("llama3.1:8b", None, None, "llama3.1", 'a name that begins with "Llama"'),
        ("llama3:8b", {"terms": "letter of 2026", "allows_training": True}, None, "letter of 2026", None),
        ("mine", "cc-by-nc-4.0", "research", "cc-by-nc-4.0", "Non-commercial use only."),
    ],
)
def test_terms_that_do_are_known_with_their_duties(
    tmp_path: Path, model: str, licence: Any, use: str | None, label: str, duty: str | None
) -> None:
    Workspace.make(tmp_path, roles=role("http://127.0.0.1:9/v1", model, licence), use=use)
    recipe = load_bound(tmp_path, []).recipe
    (fact,) = licence_facts(recipe, "teacher", recipe.teacher)
    assert (fact["model"], fact["licence"], fact["use"]) == (model, label, use or "commercial")
    assert (duty is None) == (not fact["obligations"])
    assert duty is None or duty in " ".join(fact["obligations"])


def test_the_licence_and_its_duties_travel_with_the_data(tmp_path: Path) -> None:
    with FakeEndpoint(model="llama3.1:8b") as endpoint:
        source = {"real": {"path": "data/train.csv", "licence": "our own"}}
        workspace = Workspace.make(
            tmp_path, roles=role(endpoint.url, "llama3.1:8b"), generate={"target": 8}, sources=source
        )
        summary = workspace.run("run", ".", "--json").json
        (fact,) = summary["licences"]
        facts = json.loads((workspace.run_folder / "manifest.json").read_text("utf-8"))["facts"]
        assert (facts["licences"], facts["use"]) == ([fact], "commercial")
        text = " ".join(workspace.run("report", ".", "--no-html").out.split())
        assert "licence of llama3.1:8b (teacher): llama3.1, conditional for use: commercial" in text
        assert "duty: A model trained on the data and given to others has a name" in text
        assert {record.provenance.licence for record in RunView.open(tmp_path).ledger().accepted()} == {
            "llama3.1 AND our own"
        }


def test_a_rehearsal_needs_no_licence(tmp_path: Path) -> None:
    workspace = Workspace.make(tmp_path, budget={"cost": 1})
    summary = workspace.run("run", ".", "--json").json
    assert summary["licences"] == []
    assert summary["cost"]["money"]["spent"] == 0


def several(*endpoints: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"teacher": {"model": "qwen3-32b", "endpoint": list(endpoints), **more}}


def test_the_model_of_each_endpoint_is_judged(tmp_path: Path) -> None:
    """One endpoint of a role that may not be used, or has no price, is enough."""
    at = "http://127.0.0.1:{}/v1"
    endpoints = [
        {"url": at.format(7)},
        {"url": at.format(8), "model": "llama-3-8b"},
        {"url": at.format(9), "model": "mine"},
    ]
    workspace = Workspace.make(tmp_path, roles=several(*endpoints))
    with pytest.raises(RecipeError) as caught:
        load_bound(tmp_path, [])
    denied, unknown = caught.value.problems
    assert denied.key == unknown.key == "roles.teacher.licence"
    assert "'llama-3-8b' comes under llama3" in denied.message
    assert "under which terms 'mine' answers" in unknown.message
    # The recipe's word for all of them does not overrule a checked ban.
    with pytest.raises(RecipeError, match="'llama-3-8b' comes under llama3"):
        load_bound(tmp_path, ["roles.teacher.licence=apache-2.0"])
    workspace.write(roles=several(*endpoints[:1], *endpoints[2:], licence="mit"))
    recipe = load_bound(tmp_path, []).recipe
    facts = licence_facts(recipe, "teacher", recipe.teacher)
    assert [(fact["model"], fact["licence"]) for fact in facts] == [("qwen3-32b", "mit"), ("mine", "mit")]


def test_a_record_has_the_licence_of_the_endpoint_that_answered(tmp_path: Path) -> None:
    with FakeEndpoint(model="qwen3-32b") as one, FakeEndpoint(model="llama3.1:8b") as other:
        endpoints = [{"url": one.url}, {"url": other.url, "model": "llama3.1:8b"}]
        workspace = Workspace.make(tmp_path, roles=several(*endpoints), generate={"target": 30})
        summary = workspace.run("run", ".", "--json").json
        assert [fact["licence"] for fact in summary["licences"]] == ["apache-2.0", "llama3.1"]
        found = {
            (str(model.endpoint).startswith(one.url), record.provenance.licence)
            for record in RunView.open(tmp_path).ledger().accepted()
            for model in record.provenance.models.values()
        }
        assert found == {(True, "apache-2.0"), (False, "llama3.1")}
