"""Nothing but the eval's own processes opens the eval file, and its text is nowhere in what a run leaves."""

from __future__ import annotations

import csv
import json
import os
from pathlib import Path

import pyarrow.csv as arrow_csv
import pyarrow.parquet as pq

from tests.cli.workspace import Done, Workspace

UNIQUE = "Heliotrope walruses reconcile forty-one ledgers beneath the quiet aqueduct."
LOG = """
import os, sys
_log, _path = os.environ.get("OPEN_LOG"), os.environ.get("EVAL_PATH")
if _log:
    def _hook(event, args):
        if event == "open" and isinstance(args[0], (str, bytes)):
            try:
                if os.path.realpath(os.fsdecode(args[0])) == _path:
                    line = " ".join(sys.orig_argv) + "\\n"
                    handle = os.open(_log, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
                    os.write(handle, line.encode())
                    os.close(handle)
            except Exception as error:
                os.abort()
    sys.addaudithook(_hook)
"""


def test_the_eval_is_opened_by_its_own_processes_alone(tmp_path: Path) -> None:
    workspace = Workspace.make(
        tmp_path / "work",
        sources={
            "real": {"path": "data/train.csv", "split": {"dev": 0.2}},
            "eval": {"path": "data/test.csv", "lock": True},
        },
        student="classifier",
        generate={"target": 40},
        export=["jsonl", "csv", "trl-sft"],
    )
    workspace.fresh = True  # `sitecustomize` is imported when an interpreter starts
    eval_path = tmp_path / "work" / "data" / "test.csv"
    with eval_path.open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([UNIQUE, "billing"])
    hooks, scratch = tmp_path / "hooks", tmp_path / "scratch"
    hooks.mkdir()
    scratch.mkdir()
    (hooks / "sitecustomize.py").write_text(LOG)
    workspace.env |= {
        "PYTHONPATH": os.pathsep.join([str(hooks), os.environ["PYTHONPATH"]]),
        "OPEN_LOG": str(tmp_path / "opened"),
        "EVAL_PATH": str(eval_path.resolve()),
        "TMPDIR": str(scratch),
    }
    said = [
        workspace.run("plan", "."),
        workspace.run("run", "."),
        workspace.run("report", "."),
        workspace.run("show", "."),
        workspace.run("export", ".", "--allow-rehearsal"),
        workspace.run("mix", ".", "--allow-rehearsal"),
        workspace.run("mix", ".", "--search"),
        workspace.run("mix", ".", "--ablate", "filters"),
        workspace.run("train", "."),
        # Of the same arms as the run's proof: the eval stays closed.
        workspace.run("evaluate", "."),
    ]

    def check_unseen(said: list[Done]) -> None:
        opened = (tmp_path / "opened").read_text().splitlines()
        by_module = {line.rsplit(" -m ", 1)[-1].split()[0] for line in opened}
        assert by_module == {"seedbed.sources.eval_lock_process", "seedbed.run.evaluator_process"}
        words = UNIQUE.encode()
        for done in said:
            assert UNIQUE not in done.out + done.err
        for folder in (tmp_path / "work", scratch):
            for path in folder.rglob("*"):
                if path.is_file() and path.resolve() != eval_path.resolve():
                    assert words not in path.read_bytes(), path

    check_unseen(said)
    # The openings are on record, the one for scoring exactly once.
    openings = json.loads((workspace.run_folder / "eval.lock.json").read_text())["openings"]
    assert [o["purpose"] for o in openings] == ["check", "evaluate"]
    workspace.run("run", ".")
    openings = json.loads((workspace.run_folder / "eval.lock.json").read_text())["openings"]
    assert [o["purpose"] for o in openings] == ["check", "evaluate", "check"]
    # Two rounds of a loop are two runs; dev rows steer them, and the student meets the eval in the end.
    check_unseen([workspace.run("loop", ".", "--rounds", "2", "--step", "8")])
    openings = json.loads((workspace.run_folder / "eval.lock.json").read_text())["openings"]
    assert [o["purpose"] for o in openings[3:]] == ["check", "check", "evaluate"]


def test_a_split_off_eval_is_never_in_this_process_either(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv", "split": {"eval": 0.4, "dev": 0.1}}}
    workspace = Workspace.make(tmp_path / "work", sources=sources, student="classifier")
    summary = workspace.run("run", ".", "--json").json
    # Two fifths of 150 rows, by groups and hash: not exactly, but nearly.
    assert 40 <= summary["eval"]["rows"] <= 80
    assert summary["proof"]["eval"]["rows"] == summary["eval"]["rows"]
    assert summary["proof"]["arms"][0]["dev"]["rows"] > 0


def test_a_glob_of_parquet_is_locked_and_scored_on_like_a_file(tmp_path: Path) -> None:
    sources = {
        "real": {"path": "data/tr*.csv"},
        "eval": {"path": "held-out/*.parquet", "lock": True},
    }
    workspace = Workspace.make(tmp_path, sources=sources, student="classifier", generate={"target": 30})
    table = arrow_csv.read_csv(tmp_path / "data" / "test.csv")
    (tmp_path / "held-out").mkdir()
    pq.write_table(table.slice(0, 50), tmp_path / "held-out" / "a.parquet")
    pq.write_table(table.slice(50), tmp_path / "held-out" / "b.parquet")
    summary = workspace.run("run", ".", "--json").json
    assert summary["eval"]["rows"] == summary["proof"]["eval"]["rows"] == table.num_rows
    pq.write_table(table.slice(0, 1), tmp_path / "held-out" / "c.parquet")
    assert "changed since it was locked" in workspace.run("run", ".", expect=2).err


def test_an_eval_that_changed_or_is_our_own_output_is_refused(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    workspace = Workspace.make(tmp_path, sources=sources)
    workspace.run("run", ".", "--target", "30")
    workspace.run("export", ".", "--allow-rehearsal", "--format", "csv", "--out", "data/own.csv")
    path = tmp_path / "data" / "test.csv"
    path.write_bytes(path.read_bytes() + b"One more,billing\n")
    assert "changed since it was locked" in workspace.run("run", ".", expect=2).err
    workspace.write(
        sources={"real": {"path": "data/train.csv"}, "eval": {"path": "data/own.csv", "lock": True}}
    )
    assert "own output" in workspace.run("run", ".", expect=2).err
    # Without its ids it is still known by its texts, in a run folder that locks it for the first time.
    with (tmp_path / "data" / "own.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    with (tmp_path / "data" / "own.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["text", "category"], extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
    workspace.write(
        name="tickets2",
        sources={"real": {"path": "data/train.csv"}, "eval": {"path": "data/own.csv", "lock": True}},
    )
    assert "own output" in workspace.run("run", ".", expect=2).err
    assert not (tmp_path / "runs" / "tickets2").exists()


def test_leaks_are_refused_wherever_they_stand(tmp_path: Path) -> None:
    sources = {"real": {"path": "data/train.csv"}, "eval": {"path": "data/test.csv", "lock": True}}
    with (Path(Workspace.make(tmp_path).folder) / "data" / "test.csv").open(
        newline="", encoding="utf-8"
    ) as file:
        leak = next(csv.DictReader(file))["text"]
    slot = Workspace.make(
        tmp_path / "slot", sources=sources, generate={"target": 5, "axes": {"about": ["nothing", leak]}}
    )
    assert "axis 'about'" in slot.run("run", ".", expect=3).err
    template = Workspace.make(
        tmp_path / "template", sources=sources, generate={"target": 5, "templates": ["prompts/a.j2"]}
    )
    (template.folder / "prompts").mkdir()
    (template.folder / "prompts" / "a.j2").write_text("Write one like this: " + leak + "\n{{ label }}")
    assert "prompts/a.j2" in template.run("run", ".", expect=3).err
    seed = Workspace.make(tmp_path / "seed", sources=sources)
    with (seed.folder / "data" / "train.csv").open("a", newline="", encoding="utf-8") as file:
        csv.writer(file).writerow([leak.upper() + "!!", "billing"])
    assert "1 of 151 rows of source 'real'" in seed.run("run", ".", expect=3).err
