"""A served model as the student: asked over real HTTP, dev rows by `train` and eval rows by `evaluate`."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workspace import Workspace
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

UNIQUE = "Heliotrope walruses reconcile forty-one ledgers beneath the quiet aqueduct."


def known_labels(data: Path) -> dict[str, str]:
    """The label of every real text, as a model that knows them all would."""
    known: dict[str, str] = {}
    for path in data.glob("*.csv"):
        with path.open(newline="", encoding="utf-8") as file:
            known |= {row["text"]: row["category"] for row in csv.DictReader(file)}
    return known


def asked_text(body: Mapping[str, Any]) -> str:
    text = body["messages"][-1]["content"]
    assert isinstance(text, str)
    return text


SOURCES = {
    "real": {"path": "data/train.csv", "split": {"dev": 0.2}},
    "eval": {"path": "data/test.csv", "lock": True},
}


@pytest.fixture(scope="module")
def rehearsed(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished rehearsal whose eval has the unique row."""
    work = Workspace.make(tmp_path_factory.mktemp("served"))
    with (work.folder / "data" / "test.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([UNIQUE, "billing"])
    work.write(sources=SOURCES, generate={"target": 20})
    work.run("run", ".")
    return work


Served = Callable[..., Workspace]


@pytest.fixture
def served(rehearsed: Workspace, tmp_path: Path) -> Served:
    """`served(roles, student)` is that run, with these in its recipe."""

    def make(roles: Mapping[str, Any], student: Any, **changes: Any) -> Workspace:
        shutil.copytree(rehearsed.folder, tmp_path, dirs_exist_ok=True)
        work = Workspace(tmp_path)
        work.write(sources=SOURCES, generate={"target": 20}, roles=dict(roles), student=student, **changes)
        return work

    return make


def role(url: str, **more: Any) -> dict[str, Any]:
    return {"model": "fake", "endpoint": url, "retries": 1, "timeout": 5.0, **more}


def test_two_served_models_are_compared_on_the_eval_and_its_text_goes_nowhere_else(
    served: Served, tmp_path: Path
) -> None:
    known: dict[str, str] = {}

    def tuned(body: dict[str, Any]) -> str:
        """Right about most, in the ways in which models write a label, and now and then no label."""
        label = known.get(asked_text(body))
        if label is None:
            return "ready"
        turn = len(asked_text(body)) % 5
        return (label, label.upper(), f'"{label}"', f"```\n{label}\n```", f"It is {label}, I think.")[turn]

    def base(body: dict[str, Any]) -> str:
        return "billing"

    with FakeEndpoint(tuned) as one, FakeEndpoint(base) as other:
        roles = {"tuned": role(one.url, licence="mit"), "base": role(other.url)}
        work = served(roles, {"endpoint": {"roles": ["tuned", "base"]}})
        known |= known_labels(tmp_path / "data")
        assert "`seedbed evaluate" in work.run("run", ".").err
        assert one.stats().requests == 0, "a run asks no student"
        result = work.run("evaluate", ".", "--json").json
        rows = len(_rows(tmp_path / "data" / "test.csv"))
        arms = {arm["name"]: arm for arm in result["arms"]}
        assert list(arms) == ["tuned", "base"]
        right = sum(len(text) % 5 != 4 for text in _rows(tmp_path / "data" / "test.csv"))
        assert arms["tuned"]["scores"]["accuracy"]["value"] == pytest.approx(right / rows, abs=1e-6)
        (difference,) = result["differences"]
        assert (difference["arm"], difference["against"]) == ("tuned", "base")
        assert difference["verdict"] == "better"
        assert f"arm tuned: {rows - right:,} of {rows:,} answers were none of the labels" in " ".join(
            result["notes"]
        )
        # One question for each row, and one before to see whether the model is there.
        assert one.stats().requests == other.stats().requests == rows + 1
        assert result["asked"]["tuned"]["requests"] == rows + 1
        assert result["asked"]["tuned"]["cost"] is None
        assert UNIQUE in {asked_text(body) for body in one.requests}
        assert all(body["temperature"] == 0 for body in one.requests)

        text = work.run("evaluate", ".")
        assert one.stats().requests == rows + 1, "what was scored before is shown again"
        assert "tuned" in text.out
        openings = json.loads((work.run_folder / "eval.lock.json").read_text())["openings"]
        assert [opening["purpose"] for opening in openings].count("evaluate") == 1
        assert UNIQUE not in text.out + text.err
        for path in tmp_path.rglob("*"):
            if path.is_file() and path.name != "test.csv":
                assert UNIQUE.encode() not in path.read_bytes(), path


def test_dev_rows_are_asked_by_train_once(served: Served, tmp_path: Path) -> None:
    known: dict[str, str] = {}
    with FakeEndpoint(lambda body: known.get(asked_text(body), "ready")) as endpoint:
        work = served({"student": role(endpoint.url)}, "endpoint")
        known |= known_labels(tmp_path / "data")
        result = work.run("train", ".", "--json").json
        (arm,) = result["arms"]
        assert arm["scores"]["macro_f1"]["value"] == 1.0
        assert (arm["name"], arm["rows"]) == ("student", 0)
        asked = endpoint.stats().requests
        assert asked == result["dev_rows"] + 1
        assert "scored on" in work.run("train", ".").out
        assert endpoint.stats().requests == asked
        locked = set(_rows(tmp_path / "data" / "test.csv"))
        assert locked.isdisjoint(asked_text(body) for body in endpoint.requests)


def test_a_prompt_of_the_users_own_is_what_is_asked(served: Served, tmp_path: Path) -> None:
    with FakeEndpoint(lambda body: "billing") as endpoint:
        roles = {"student": role(endpoint.url, max_tokens=7)}
        student = {"endpoint": {"prompt": "ask.j2", "temperature": 0.5}}
        (tmp_path / "ask.j2").write_text("Of {{ labels | join('/') }}:\n{{ text }}\n")
        work = served(roles, student)
        work.run("evaluate", ".")
        (asked,) = [body for body in endpoint.requests if UNIQUE in asked_text(body)]
        assert asked_text(asked).startswith("Of access/billing/")
        assert asked_text(asked).endswith(f":\n{UNIQUE}")
        assert (asked["max_tokens"], asked["temperature"]) == (7, 0.5)
        (tmp_path / "ask.j2").write_text("{{ label }}\n")
        said = work.run("evaluate", ".", expect=2).err
        assert "student.endpoint.prompt: cannot use 'label' (line 1); it has: task, labels, text" in said


@pytest.mark.parametrize(
    ("roles", "student", "said"),
    [
        ({}, "endpoint", "is asked in the role student, which the recipe does not fill"),
        ({"student": {"rehearsal": {}}}, "endpoint", "which is no served model"),
        ({"tuned": role("http://127.0.0.1:9/v1")}, "endpoint", "unknown key 'tuned'"),
        (
            {"tuned": role("http://127.0.0.1:9/v1")},
            {"endpoint": {"roles": ["tuned", "tuned"]}},
            "roles names one of them twice",
        ),
        (
            {"tuned": role("http://127.0.0.1:9/v1")},
            {"endpoint": {"role": "tuned", "prompt": "none.j2"}},
            "no such file",
        ),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is(
    tmp_path: Path, roles: Mapping[str, Any], student: Any, said: str
) -> None:
    work = Workspace.make(tmp_path, roles=roles, student=student)
    assert said in " ".join(work.run("plan", ".", expect=2).err.split())


def _rows(path: Path) -> list[str]:
    with path.open(newline="", encoding="utf-8") as file:
        return [row["text"] for row in csv.DictReader(file)]


def test_a_key_that_is_wrong_is_told_in_the_endpoints_words_before_any_row_is_sent(
    served: Served, tmp_path: Path
) -> None:
    with FakeEndpoint(key="right") as endpoint:
        work = served({"student": role(endpoint.url)}, "endpoint")
        assert "Incorrect API key" in work.run("evaluate", ".", expect=5).err
        assert UNIQUE.encode() not in endpoint.received
        work.env["STUDENT_KEY"] = "right"
        work.run("evaluate", ".", "--set", "roles.student.api_key=env:STUDENT_KEY")
        assert UNIQUE.encode() in endpoint.received


def test_an_address_from_the_environment_is_wanted_where_it_is_asked_and_a_search_has_no_use_for_it(
    served: Served,
) -> None:
    with FakeEndpoint(lambda body: "billing") as endpoint:
        work = served({"student": role("env:STUDENT_URL")}, "endpoint")
        said = work.run("evaluate", ".", expect=2).err
        assert "roles.student.endpoint: the environment variable STUDENT_URL is not set" in said
        work.env["STUDENT_URL"] = endpoint.url
        work.run("evaluate", ".")
        assert UNIQUE.encode() in endpoint.received
        said = work.run("mix", ".", "--search", expect=2).err
        assert "mix --search needs a student that learns" in said


def test_a_row_without_an_answer_counts_as_wrong_and_no_error_repeats_it(
    served: Served, tmp_path: Path
) -> None:
    """An endpoint that refuses some rows, and in its refusal repeats what it was asked."""

    def reply(body: dict[str, Any]) -> str | Answer | Fault:
        if UNIQUE in asked_text(body):
            return Fault.http(400, f"I will not label: {asked_text(body)}")
        return Answer("billing is", finish_reason="length")

    with FakeEndpoint(reply) as endpoint:
        work = served({"student": role(endpoint.url)}, "endpoint")
        done = work.run("evaluate", ".", "--json")
        notes = " ".join(done.json["notes"])
        rows = len(_rows(tmp_path / "data" / "test.csv"))
        assert f"1 of {rows} rows got no answer, and count as wrong" in notes
        assert f"{rows - 1} of {rows} answers ended at roles.student.max_tokens" in notes
        assert UNIQUE not in done.out + done.err


def test_rows_that_got_no_answer_for_a_passing_cause_are_asked_again(served: Served, tmp_path: Path) -> None:
    """An endpoint that is out of order for some rows, and mended later."""
    known: dict[str, str] = {}
    broken: set[str] = set()

    def reply(body: dict[str, Any]) -> str | Fault:
        text = asked_text(body)
        return Fault.http(503) if text in broken else known.get(text, "ready")

    with FakeEndpoint(reply) as endpoint:
        work = served({"student": role(endpoint.url)}, "endpoint")
        known |= known_labels(tmp_path / "data")
        locked = _rows(tmp_path / "data" / "test.csv")
        dev = work.run("train", ".", "--json").json["dev_rows"]
        asked = {text for body in endpoint.requests if (text := asked_text(body)) in known}
        assert len(asked) == dev
        shutil.rmtree(work.run_folder / "student" / "answers")
        broken |= {next(iter(asked)), UNIQUE}

        for command, rows in (("train", dev), ("evaluate", len(locked))):
            done = work.run(command, ".", "--json").json
            notes = " ".join([*done.get("notes", ()), *done["arms"][0].get("notes", ())])
            assert f"1 of {rows} rows got no answer in any try" in notes
            assert "run the same command again" in notes
            assert done["arms"][0]["scores"]["accuracy"]["value"] < 1
        assert not list((work.run_folder / "student").glob("answers/*"))
        assert "run the same command again" in " ".join(work.run("report", ".", "--no-html").out.split())

        broken.clear()
        for command in ("train", "evaluate"):
            done = work.run(command, ".", "--json").json
            assert done["arms"][0]["scores"]["accuracy"]["value"] == 1
        requests = endpoint.stats().requests
        for command in ("train", "evaluate"):
            work.run(command, ".")
        assert endpoint.stats().requests == requests, "what is whole is not asked again"


def test_an_endpoint_that_dies_in_the_middle_is_told_without_a_word_of_the_rows(
    served: Served, tmp_path: Path
) -> None:
    def reply(body: dict[str, Any]) -> str | Fault:
        text = asked_text(body)
        return "ready" if "ready" in text else Fault.http(401, f"no more of this: {text}")

    with FakeEndpoint(reply) as endpoint:
        work = served({"student": role(endpoint.url)}, "endpoint")
        done = work.run("evaluate", ".", expect=5)
        assert "roles.student: its endpoint stopped answering while the rows were asked" in " ".join(
            done.err.split()
        )
        assert "no more of this" not in done.out + done.err


def test_what_it_costs_counts_against_the_budget(served: Served, tmp_path: Path) -> None:
    price = {"input": 1.0, "output": 2.0}
    with FakeEndpoint(lambda body: "billing") as endpoint:
        work = served({"student": role(endpoint.url, price=price)}, "endpoint", budget={"cost": 5.0})
        result = work.run("evaluate", ".", "--json").json
        rows = len(_rows(tmp_path / "data" / "test.csv"))
        spent = json.loads((work.run_folder / "spending-served.json").read_text())
        assert spent["served"]["requests"] == rows + 1
        assert result["asked"]["student"]["cost"] == pytest.approx(spent["served"]["cost"] / 1e9)
        assert spent["open"] == {"requests": 0, "tokens": 0, "cost": 0}
        cap = spent["served"]["cost"] / 1e9 + 0.003
        said = work.run("train", ".", "--set", f"budget.cost={cap}", expect=4).err
        assert "raise it (or --max-cost)" in said
        assert endpoint.stats().requests > rows + 1
        again = json.loads((work.run_folder / "spending-served.json").read_text())
        assert again["served"]["cost"] + again["lost"]["cost"] <= cap * 1e9, "a cap is never passed"
        assert again["served"]["requests"] + again["lost"]["requests"] == endpoint.stats().requests
