"""`mix`, `train` and `evaluate` over a finished run: what they learn from and keep, what stays closed."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tests.cli.workspace import Workspace

SOURCES = {
    "real": {"path": "data/train.csv", "split": {"dev": 0.3}},
    "eval": {"path": "data/test.csv", "lock": True},
}
GENERATE = {"target": 90, "axes": {"tone": ["calm", "cross"]}}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A finished rehearsal with dev rows, an eval and no student yet."""
    workspace = Workspace.make(tmp_path_factory.mktemp("mixing"), sources=SOURCES, generate=GENERATE)
    workspace.run("run", ".")
    return workspace


@pytest.fixture
def workspace(made: Workspace, tmp_path: Path) -> Workspace:
    return with_student(made, tmp_path)


@pytest.fixture(scope="module")
def search(made: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """That run after `mix --search`."""
    copied = with_student(made, tmp_path_factory.mktemp("searched") / "work")
    copied.run("mix", ".", "--search")
    return copied


@pytest.fixture
def searched(search: Workspace, tmp_path: Path) -> Workspace:
    return with_student(search, tmp_path)


def with_student(made: Workspace, folder: Path) -> Workspace:
    shutil.copytree(made.folder, folder, dirs_exist_ok=True)
    copied = Workspace(folder)
    copied.write(sources=SOURCES, generate=GENERATE, student="classifier")
    return copied


@pytest.fixture(scope="module")
def tried(search: Workspace, tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """And after an ablation."""
    copied = with_student(search, tmp_path_factory.mktemp("tried") / "work")
    copied.run("mix", ".", "--ablate", "filters")
    return copied


def openings(workspace: Workspace) -> list[str]:
    lock = json.loads((workspace.run_folder / "eval.lock.json").read_text("utf-8"))
    return [opening["purpose"] for opening in lock["openings"]]


def test_a_search_tries_shares_on_dev_and_leaves_the_eval_closed(searched: Workspace) -> None:
    workspace = searched
    result = workspace.run("mix", ".", "--search", "--json").json
    assert [arm["share"] for arm in result["arms"]] == [0.0, 0.25, 0.5, 0.75, 0.9, 1.0]
    assert {arm["real"] + arm["synthetic"] for arm in result["arms"]} == {result["arms"][0]["rows"]}
    assert 20 <= result["dev_rows"] <= 60
    # So few rows of a rehearsal decide nothing, and it says so.
    assert (result["decision"], result["chosen"]) == ("undecided", 0.75)
    assert result["rows_to_decide"] > result["dev_rows"]
    assert openings(workspace) == ["check"]
    kept = json.loads((workspace.run_folder / "mix" / "search.json").read_text("utf-8"))
    assert {**result, "of": kept["of"]} == kept
    text = workspace.run("mix", ".", "--search").out
    assert "0.75 synthetic *" in text
    assert "Undecided, keeping the prior" in text


def test_the_report_and_the_card_say_how_the_mix_was_chosen(searched: Workspace) -> None:
    workspace = searched
    workspace.run("mix", ".", "--ablate", "filters")
    report = workspace.run("report", ".").out
    assert "Which mix" in report
    assert "What the filters were worth" in report
    page = (workspace.run_folder / "report.html").read_text("utf-8")
    assert "How the mix was chosen" in page
    assert "How the mix was chosen" in workspace.run("card", ".", "--out", "-").out
    # Of other records it says nothing any more.
    workspace.run("run", ".", "--target", "95")
    assert "Which mix" not in workspace.run("report", ".", "--no-html").out


def shown_of_the_mix(workspace: Workspace) -> list[str]:
    """What text, page and card have of a search and of an ablation; the text names each one's student."""
    text = " ".join(workspace.run("report", ".").out.replace("---", "").split())
    found = [
        part for part in ("Which mix Student classifier, ", "worth Student classifier, ") if part in text
    ]
    page = (workspace.run_folder / "report.html").read_text("utf-8")
    captions = ("Shares of generated rows", "What filters were worth")
    found += ["page" for caption in captions if f"<bdi>{caption}. Student classifier, " in page]
    return found + ["card"] * workspace.run("card", ".", "--out", "-").out.count("\nStudent classifier, ")


ALL_OF_THE_MIX = ["Which mix Student classifier, ", "worth Student classifier, ", "page", "page", "card"]


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, ALL_OF_THE_MIX),
        ({"student": {"classifier": {"c": 2.0}}}, []),
        ({"mix": {"hold_out": 0.2}}, []),
        # The one decides nothing of an ablation, the other is a share that the search was not begun with.
        ({"mix": {"tolerance": 0.05}}, ["worth Student classifier, ", "page"]),
        ({"mix": {"synthetic": 0.5}}, []),
    ],
)
def test_what_was_tried_of_another_student_or_mix_is_not_shown(
    tried: Workspace, tmp_path: Path, changes: dict[str, Any], left: list[str]
) -> None:
    workspace = with_student(tried, tmp_path)
    assert shown_of_the_mix(workspace) == ALL_OF_THE_MIX
    workspace.write(**{"sources": SOURCES, "generate": GENERATE, "student": "classifier", **changes})
    said = workspace.run("run", ".").out
    assert ("Which mix" in said) == (ALL_OF_THE_MIX[0] in left)
    assert shown_of_the_mix(workspace) == left


def test_an_evaluation_of_another_student_leaves_the_search_of_the_first_behind(
    tried: Workspace, tmp_path: Path
) -> None:
    workspace = with_student(tried, tmp_path)
    workspace.run("evaluate", ".")
    assert shown_of_the_mix(workspace) == ALL_OF_THE_MIX
    workspace.write(sources=SOURCES, generate=GENERATE, student={"classifier": {"c": 2.0}})
    workspace.run("evaluate", ".")
    assert shown_of_the_mix(workspace) == []


def test_a_share_that_was_taken_stands_with_the_search_that_chose_it(
    tried: Workspace, tmp_path: Path
) -> None:
    """Of so few rows no search decides: this one is as if it had."""
    workspace = with_student(tried, tmp_path)
    path = workspace.run_folder / "mix" / "search.json"
    kept = json.loads(path.read_text("utf-8"))
    lead = {"value": 0.05, "low": 0.01, "high": 0.09}
    path.write_text(json.dumps({**kept, "decision": "better", "chosen": 0.5, "leader": 0.5, "lead": lead}))
    workspace.write(sources=SOURCES, generate=GENERATE, student="classifier", mix={"synthetic": 0.5})
    said = " ".join(workspace.run("run", ".").out.split())
    assert "The recipe took a share of 0.5: +0.050 [+0.010, +0.090] to the recipe's earlier share" in said
    assert "* is the share that the recipe had" in said
    assert "The recipe took a share of 0.5" in workspace.run("card", ".", "--out", "-").out


def test_what_was_learnt_before_is_not_learnt_again(searched: Workspace) -> None:
    workspace = searched
    answers = workspace.run_folder / "student" / "answers"
    before = {path: path.stat().st_mtime_ns for path in answers.iterdir()}
    assert len(before) >= 25
    workspace.run("mix", ".", "--search")
    assert {path: path.stat().st_mtime_ns for path in answers.iterdir()} == before
    left = [path.name for path in (workspace.run_folder / "student").iterdir()]
    assert not any(name.startswith("job-") for name in left)


def test_ablation_tells_of_every_filter_that_turned_a_draft_away(workspace: Workspace) -> None:
    result = workspace.run("mix", ".", "--ablate", "filters", "--json").json
    report = workspace.run("report", ".", "--json", "--no-html").json
    turned_away = {
        each["filter"].partition("@")[0]
        for each in report["filters"]
        if set(each["rejected"]) - {"over_target", "not_json", "truncated", "invalid_schema"}
    }
    assert turned_away <= {*result["without"], *result["left_out"], "target"} | {"refusal", "schema"}
    assert "all of these" in result["without"]
    withheld = {"contamination", "secrets", "pii"}
    assert not withheld & set(result["without"])
    assert "teaches nobody" in result["left_out"]["contamination"]
    for found in result["without"].values():
        assert found["pool"] > result["base"]["pool"]
        assert found["worth"]["verdict"] in ("undecided", "better", "worse", "no_material_difference")
    assert "rows to decide" in workspace.run("mix", ".", "--ablate", "filters").out


def test_one_template_leaves_nothing_to_take_out(workspace: Workspace) -> None:
    said = workspace.run("mix", ".", "--ablate", "templates", expect=2).err
    assert "there is nothing to take out: the records are of one template" in said


def test_training_scores_on_dev_and_evaluating_opens_the_eval_once(workspace: Workspace) -> None:
    trained = workspace.run("train", ".", "--json").json
    assert [arm["name"] for arm in trained["arms"]] == ["real_only", "synthetic_only", "mix"]
    assert trained["metric"] == "macro_f1"
    assert openings(workspace) == ["check"]
    proof = workspace.run("evaluate", ".", "--json").json
    assert openings(workspace) == ["check", "evaluate"]
    by_name = {arm["name"]: arm for arm in proof["arms"]}
    assert by_name["real_only"]["retention"]["value"] == 1
    for arm in trained["arms"]:
        assert by_name[arm["name"]]["dev"]["scores"]["macro_f1"] == arm["scores"]["macro_f1"]
        assert by_name[arm["name"]]["held_out"]["rows"] == 9
    # Nothing changed: the same result, and the eval stays closed.
    assert workspace.run("evaluate", ".", "--json").json == proof
    assert openings(workspace) == ["check", "evaluate"]
    assert workspace.run("report", ".", "--json", "--no-html").json["proof"] == proof
    assert "opened 2 times" in workspace.run("report", ".", "--no-html").out


def test_the_mix_is_written_with_both_kinds_of_rows(workspace: Workspace) -> None:
    assert "is a rehearsal" in workspace.run("mix", ".", expect=2).err
    done = workspace.run("mix", ".", "--allow-rehearsal", "--json").json
    lines = [json.loads(line) for line in (workspace.folder / done["path"]).read_text("utf-8").splitlines()]
    assert Counter(row["origin"] for row in lines) == {"real": done["real"], "generated": done["synthetic"]}
    assert abs(done["synthetic"] - 0.75 * len(lines)) <= 0.5
    ids = [row["seedbed_id"] for row in lines]
    assert len(set(ids)) == len(ids)


def test_slices_hold_in_the_file(workspace: Workspace) -> None:
    mix = {"synthetic": 0.75, "slices": {"billing": {"real_at_least": 0.5}}}
    workspace.write(sources=SOURCES, generate=GENERATE, student="classifier", mix=mix)
    done = workspace.run("mix", ".", "--allow-rehearsal", "--json").json
    lines = [json.loads(line) for line in (workspace.folder / done["path"]).read_text("utf-8").splitlines()]
    of_slice = Counter(row["origin"] for row in lines if row["category"] == "billing")
    assert 0 <= of_slice["real"] - 0.5 * of_slice.total() < 1
    assert abs(done["synthetic"] - 0.75 * len(lines)) <= 0.5
    workspace.write(
        sources=SOURCES,
        generate=GENERATE,
        student="classifier",
        mix={"slices": {"privacy": {"real_at_least": 40}}},
    )
    said = workspace.run("mix", ".", "--allow-rehearsal", expect=2).err
    assert "mix.slices.privacy.real_at_least: wants 40 rows, and there are" in said


def test_the_best_rows_can_be_taken(workspace: Workspace) -> None:
    chosen = []
    for select in ("random", "best"):
        mix = {"synthetic": 0.5, "size": 40, "select": select}
        workspace.write(sources=SOURCES, generate=GENERATE, student="classifier", mix=mix)
        done = workspace.run("mix", ".", "--allow-rehearsal", "--json").json
        rows = (workspace.folder / done["path"]).read_text("utf-8").splitlines()
        chosen.append({json.loads(row)["seedbed_id"] for row in rows})
    assert len(chosen[0]) == len(chosen[1]) == 40
    assert chosen[0] != chosen[1]


@pytest.mark.parametrize(
    ("changes", "command", "message"),
    [
        ({}, ("mix", ".", "--search"), "student: mix --search needs a student"),
        ({"student": "classifier", "sources": {**SOURCES, "real": {"path": "data/train.csv"}}},
         ("train", "."), "Write split: {dev: 0.2} into a real source"),
        ({"student": "classifier", "sources": {"real": SOURCES["real"]}},
         ("evaluate", "."), "evaluate needs a locked eval"),
        ({"student": "classifier", "name": "another"}, ("train", "."), "no run here; start one"),
        ({"student": "classifier", "mix": {"slices": {"biling": {"real_at_least": 0.5}}}},
         ("mix", ".", "--allow-rehearsal"), "and no label is 'biling'; did you mean 'billing'?"),
        ({"mix": {"slices": {"tone=calm": {"real_at_least": 2}}}},
         ("plan", "."), "no field of the task is called 'tone'; there are: text, category"),
        ({"mix": {"slices": {"privacy": {"real_at_least": 400}}}},
         ("run", "."), "mix.slices.privacy.real_at_least: wants 400 rows, and there are"),
        ({"student": "classifier", "mix": {"sytnhetic": 0.5}}, ("mix", "."), "did you mean 'synthetic'"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_named(
    workspace: Workspace, changes: dict[str, Any], command: tuple[str, ...], message: str
) -> None:
    workspace.write(**{"sources": SOURCES, "generate": GENERATE, **changes})
    assert message in workspace.run(*command, expect=2).err


def test_search_and_file_exclude_one_another(workspace: Workspace) -> None:
    assert "exclude one another" in workspace.run("mix", ".", "--search", "--format", "csv", expect=2).err
