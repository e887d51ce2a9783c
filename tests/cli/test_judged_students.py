"""A student that writes: scored by text, and its arms compared by the judge, pair by pair."""

from __future__ import annotations

from pathlib import Path

from tests.cli.workspace import Workspace
from tests.tasks.kinds import EXAMPLES, write_rows

TRAIN = "cp {train} {out}/learnt"
# Says the longest answer that it has seen: another one from each arm.
PREDICT = """\
import json, sys
learnt = [json.loads(line)["messages"][-1]["content"] for line in open(sys.argv[1] + "/learnt")]
for line in sys.stdin:
    print(json.dumps({"id": json.loads(line)["id"], "answer": max(learnt, key=len)}))
"""


def made(folder: Path) -> Workspace:
    EXAMPLES["instruction"].write(
        folder,
        sources={"real": {"path": "real.jsonl", "split": {"dev": 0.5}}},
        roles={"teacher": {"rehearsal": {}}, "judge": {"rehearsal": {}}},
        filters=["schema", "judge"],
        generate={"target": 20, "methods": ["template"]},
        student={"command": TRAIN, "predict": "python predict.py {out}"},
    )
    rows = [
        {
            "instruction": f"How do I fold a paper {thing} of size {size}?",
            "response": f"Crease it {size} times.",
        }
        for thing in ("boat", "crane", "hat", "frog", "star", "box", "lily", "fox")
        for size in range(2, 9)
    ]
    write_rows(folder / "real.jsonl", rows)
    (folder / "predict.py").write_text(PREDICT, encoding="utf-8")
    return Workspace(folder)


def test_the_judge_compares_what_the_arms_say(tmp_path: Path) -> None:
    workspace = made(tmp_path)
    workspace.run("run", ".")
    plain = workspace.run("train", ".", "--json").json
    assert plain["metric"] == "rouge_l"
    assert "win_rates" not in plain
    result = workspace.run("train", ".", "--judge", "--json").json
    assert result["arms"] == plain["arms"]
    for found in result["win_rates"]:
        assert found["wins"] + found["ties"] + found["losses"] == result["dev_rows"]
        assert found["rate"]["low"] <= found["rate"]["value"] <= found["rate"]["high"]
    assert {(found["arm"], found["against"]) for found in result["win_rates"]} >= {("mix", "real_only")}
    assert "the judge likes mix better than real only" in " ".join(
        workspace.run("train", ".", "--judge").out.split()
    )


def test_labels_need_no_judge(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv", "split": {"dev": 0.3}}}
    workspace = Workspace.make(
        tmp_path, sources=sources, student="classifier", generate={"target": 20}, mix={"hold_out": 0.0}
    )
    workspace.run("run", ".")
    assert "labels are right or wrong" in workspace.run("train", ".", "--judge", expect=2).err


def test_harness_and_its_folder_go_together(tmp_path: Path) -> None:
    workspace = Workspace.make(
        tmp_path,
        sources={"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}},
    )
    assert "go together" in workspace.run("evaluate", ".", "--harness", "inspect", expect=2).err
    files = workspace.run("evaluate", ".", "--harness", "inspect", "--out", "harness", "--json").json
    assert [Path(file).name for file in files] == ["tickets.py"]
    # It names the eval, holds none of it, and opens nothing.
    assert not (workspace.folder / "runs").exists()
