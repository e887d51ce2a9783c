"""`seedbed calibrate`: a judge behind a real address beside people, and what a run makes of it."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cli.test_judging import JUDGE, OPEN, by_last_word, drafts, judge_at, make, twins
from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import Answer, FakeEndpoint

GATING = {"judge": {"min": 3, "calibration": "judge.calibration.json"}}
RULES = ["default", "-length", GATING]


def tickets(number: int, seed: int = 0) -> list[dict[str, str]]:
    """Half of them end in `fine`, half in `poor`, as the judge has it."""
    dice = random.Random(seed)
    words = [" ".join(f"{dice.getrandbits(24):x}" for _ in range(8)) for _ in range(number)]
    return [
        {"text": f"{text} {('poor', 'fine')[at % 2]}", "category": "billing"} for at, text in enumerate(words)
    ]


def label(folder: Path, rows: Sequence[dict[str, str]], wrong: int) -> Path:
    """People say what the judge says, but for the first so many records."""
    path = folder / "labels.jsonl"
    with path.open("w") as file:
        for at, row in enumerate(rows):
            good = row["text"].endswith("fine") != (at < wrong)
            file.write(json.dumps({**row, "human": "accept" if good else "reject"}) + "\n")
    return path


def calibrated(workspace: Workspace, wrong: int, number: int = 120) -> dict[str, Any]:
    path = label(workspace.folder, tickets(number), wrong)
    value: dict[str, Any] = workspace.run("calibrate", ".", path.name, "--json").json
    return value


def report(workspace: Workspace) -> str:
    return " ".join(workspace.run("report", ".", "--no-html").out.split())


def test_a_judge_that_agrees_with_people_gates_and_is_paid_for_once(tmp_path: Path) -> None:
    with FakeEndpoint(twins) as teacher, judge_at() as judge:
        workspace = make(tmp_path, teacher, judge, RULES)
        refused = workspace.run("run", ".", expect=2).err
        assert "judge.calibration.json: cannot be read: no such file" in refused
        assert "`seedbed calibrate`" in refused
        value = calibrated(workspace, wrong=6)
        assert (value["regime"], value["labels"], value["min"]) == ("gates", 120, 3)
        assert value["kappa"]["value"] == 0.9
        assert judge.stats().requests == 120
        assert all(body["temperature"] == 0 for body in judge.requests)
        # The same labels again: everything is in the log.
        before = (tmp_path / "judge.calibration.json").read_bytes()
        told = workspace.run("calibrate", ".", "labels.jsonl")
        assert (tmp_path / "judge.calibration.json").read_bytes() == before
        assert judge.stats().requests == 120
        assert "kappa 0.90 (95 %: " in told.out
        assert "it gates: a score below min rejects" in told.out

        summary = workspace.run("run", ".", "--json").json
        check_accounts(summary["accounts"])
        assert summary["accounts"]["drafts"]["accepted"] == 30
        assert all(row["fields"]["text"].endswith("fine") for row in drafts(workspace) if row["accepted"])
        (judged,) = summary["judged"]
        compared = judged["compared"]
        assert compared["regime"] == "gates"
        # Half of what was judged is below min; 3 of 60 each way are the judge's errors.
        found = sum(n for score, n in judged["scores"].items() if float(score) < 3) / judged["judged"]
        assert compared["bad_rate"]["value"] == round((found + 0.95 - 1) / 0.9, 6)
        assert summary["calls"]["requests"] == teacher.stats().requests + judge.stats().requests
        assert "compared with 120 human labels" in report(workspace)
        assert "corrected for its errors" in report(workspace)
        card = workspace.run("card", ".", "--out", "-").out
        assert "compared with 120 human labels, good from a score of 3: kappa 0.90 " in card


def test_one_that_agrees_half_the_way_flags_and_one_that_does_not_is_off(tmp_path: Path) -> None:
    with FakeEndpoint(twins) as teacher, judge_at() as judge:
        workspace = make(tmp_path, teacher, judge, RULES, generate={"target": 20})
        assert calibrated(workspace, wrong=30)["regime"] == "people"
        summary = workspace.run("run", ".", "--json").json
        check_accounts(summary["accounts"])
        assert "judge_below_min" not in summary["accounts"]["drafts"]["rejected"]
        (flag,) = [each for each in summary["flags"] if each["filter"] == "judge@1"]
        (judged,) = summary["judged"]
        assert (flag["reason"], flag["drafts"]) == ("judge_for_people", judged["scores"]["2"])

        # Other labels of the same records: nobody is asked, and refilter says why verdicts change.
        sent = (teacher.stats().requests, judge.stats().requests)
        assert calibrated(workspace, wrong=120)["regime"] == "off"
        again = workspace.run("refilter", ".", "--json").json
        assert again["changes"] == ["filters.judge.calibration: other labels"]
        assert (teacher.stats().requests, judge.stats().requests) == sent
        (judged,) = workspace.run("report", ".", "--no-html", "--json").json["judged"]
        assert (judged["judged"], set(judged["unjudged"])) == (0, {"judge_off"})
        assert "it is off: it is not asked" in report(workspace)
        assert "unjudged" not in report(workspace)
        assert "asks other-family" not in workspace.run("plan", ".", "--target", "200").out
        workspace.run("doctor", ".")
        # More of them asks the teacher alone.
        workspace.run("run", ".", "--target", "40")
        assert teacher.stats().requests > sent[0]
        assert judge.stats().requests == sent[1]


def test_fewer_than_100_labels_leave_it_uncalibrated(tmp_path: Path) -> None:
    with FakeEndpoint(twins) as teacher, judge_at() as judge:
        workspace = make(tmp_path, teacher, judge, RULES, generate={"target": 10})
        assert calibrated(workspace, wrong=0, number=99)["regime"] == "uncalibrated"
        summary = workspace.run("run", ".", "--json").json
        assert "judge_below_min" not in summary["accounts"]["drafts"]["rejected"]
        assert sum(summary["judged"][0]["scores"].values()) > 0
        assert "100 labels are needed" in report(workspace)


def test_a_calibration_of_another_judge_is_refused_with_what_differs(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("Is it good?")
    with (
        FakeEndpoint(twins) as teacher,
        judge_at() as judge,
        FakeEndpoint(by_last_word, model="newer") as other,
    ):
        with_rubric = [{"judge": {**GATING["judge"], "rubric": "mine.md"}}]
        workspace = make(tmp_path, teacher, judge, with_rubric)
        calibrated(workspace, wrong=0)
        (tmp_path / "mine.md").write_text("Is it really good?")
        refused = workspace.run("plan", ".", expect=2).err
        assert "recipe.yaml:" in refused
        assert "other text of the rubric." in refused
        (tmp_path / "mine.md").write_text("Is it good?")
        roles = {
            "teacher": {"model": "fake", **OPEN, "endpoint": teacher.url},
            "judge": {"model": "newer", **OPEN, "endpoint": other.url},
        }
        make(tmp_path, teacher, judge, with_rubric, roles=roles)
        refused = workspace.run("run", ".", expect=2).err
        assert f"other model ({JUDGE}, now newer)." in refused
        # Asked anew under the other name, it fits again.
        workspace.run("calibrate", ".", "labels.jsonl")
        assert other.stats().requests == 120
        workspace.run("plan", ".")
        (tmp_path / "judge.calibration.json").write_text("{}")
        assert "is no calibration" in workspace.run("plan", ".", expect=2).err


def test_a_stop_costs_nothing_and_silence_counts_against_the_judge(tmp_path: Path) -> None:
    def mute(body: dict[str, Any]) -> Answer | str:
        text = body["messages"][-1]["content"]
        return (
            Answer("I would rather not.") if random.Random(text[:60]).random() < 0.3 else by_last_word(body)
        )

    with FakeEndpoint(twins) as teacher, judge_at(mute) as judge:
        workspace = make(tmp_path, teacher, judge, RULES, budget={"requests": 50})
        label(tmp_path, tickets(120), wrong=0)
        workspace.run("calibrate", ".", "labels.jsonl", expect=4)
        assert judge.stats().requests == 50
        assert not (tmp_path / "judge.calibration.json").exists()
        make(tmp_path, teacher, judge, RULES)
        value = workspace.run("calibrate", ".", "labels.jsonl", "--out", "other.json", "--json").json
        assert judge.stats().repeats_after_answered == 0
        assert value["unjudged"] > 20
        assert value["agreement"]["value"] == round(1 - value["unjudged"] / 120, 6)
        assert (tmp_path / "other.json").is_file()


def test_no_judge_no_labels_and_rows_of_the_eval_are_refused(tmp_path: Path) -> None:
    rows = tickets(100)
    with FakeEndpoint(twins) as teacher, judge_at() as judge:
        (tmp_path / "eval.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows[:3]))
        sources = {
            "real": {"path": "data/train.csv"},
            "held": {"path": "eval.jsonl", "lock": True},
        }
        workspace = make(tmp_path, teacher, judge, RULES, sources=sources)
        label(tmp_path, rows, wrong=0)
        refused = workspace.run("calibrate", ".", "labels.jsonl", expect=3).err
        assert "3 of 100 rows of source 'labels' equal a locked eval row" in refused
        workspace.run("calibrate", ".", "labels.jsonl", "--column", "verdict", expect=2)
        make(
            tmp_path,
            teacher,
            judge,
            ["schema"],
            roles={"teacher": {"model": "fake", **OPEN, "endpoint": teacher.url}},
        )
        assert "has no judge to compare" in workspace.run("calibrate", ".", "labels.jsonl", expect=2).err
        assert judge.stats().requests == 0
