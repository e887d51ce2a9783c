"""Trainers as a user might write them, and what the tests of students that run programs have in common."""

from __future__ import annotations

import shlex
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from seedbed.student.command import Command, CommandOptions
from seedbed.student.protocol import Lesson
from seedbed.student.rows import Row, row_of
from seedbed.tasks.classification import Classification

PYTHON = shlex.quote(sys.executable)
TASK = Classification.bind(Classification.Options(input="text", label="kind"), ["delivery", "refund"])
TEXTS = {
    "the parcel never arrived": "delivery",
    "where is my parcel": "delivery",
    "the refund is missing": "refund",
    "please refund the money": "refund",
}

# Counts words per label; `learnt.json` is what it keeps.
TRAIN = """
import json, sys
train, dev, out, seed = sys.argv[1:]
counts = {}
for line in open(train):
    row = json.loads(line)
    for word in row["text"].split():
        counts.setdefault(word, {}).setdefault(row["kind"], []).append(row["id"])
json.dump(counts, open(out + "/learnt.json", "w"))
exec(open("predict.py").read().partition("# ask")[0])
rows = [json.loads(line) for line in open(dev)]
right = sum(answer(counts, row["text"]) == row["kind"] for row in rows)
print("learnt", len(counts), "words with seed", seed)
json.dump({"rows": len(rows), "accuracy": right / max(1, len(rows))}, open(out + "/scores.json", "w"))
"""
PREDICT = """
import json, sys
def answer(counts, text):
    votes = {}
    for word in text.split():
        for label, ids in counts.get(word, {}).items():
            votes[label] = votes.get(label, 0) + len(ids)
    return max(sorted(votes), key=votes.get) if votes else "delivery"
# ask
counts = json.load(open(sys.argv[1] + "/learnt.json"))
for line in sys.stdin:
    question = json.loads(line)
    print(json.dumps({"id": question["id"], "answer": answer(counts, question["text"])}))
"""
TRAINS = f"{PYTHON} train.py {{train}} {{dev}} {{out}} {{seed}}"
PREDICTS = f"{PYTHON} predict.py {{out}}"


def rows_of(name: str, texts: Sequence[str] = tuple(TEXTS)) -> list[Row]:
    return [
        row_of(TASK, f"{name}-{at}", {"text": text, "kind": TEXTS.get(text, "refund")})
        for at, text in enumerate(texts)
    ]


def write_trainer(folder: Path) -> None:
    (folder / "train.py").write_text(TRAIN, "utf-8")
    (folder / "predict.py").write_text(PREDICT, "utf-8")


def lesson_in(home: Path, rows: Sequence[Row] | None = None, dev: Sequence[Row] | None = None) -> Lesson:
    """A lesson of a recipe in that folder."""
    folder = home / "runs" / "a lesson"
    folder.mkdir(parents=True, exist_ok=True)
    train = rows_of("train") if rows is None else rows
    return Lesson(TASK, train, rows_of("dev") if dev is None else dev, 7, folder, home)


def command(words: str, **options: Any) -> Command:
    return Command(CommandOptions.model_validate({"command": words, **options}))


def running(mark: str) -> list[int]:
    """Processes of this machine in whose command line the mark stands."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes()
        except OSError:
            continue
        if mark.encode() in line:
            found.append(int(path.parent.name))
    return found


def becomes(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while not (held := true()) and time.monotonic() < until:
        time.sleep(0.05)
    return held
