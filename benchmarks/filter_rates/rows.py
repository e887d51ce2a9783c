"""Rows of real text, some 283 characters each, with copies among them that a filter of kin can find."""

from __future__ import annotations

import csv
import json
import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import REPOSITORIES, data, read_jsonl, write_jsonl

MEAN_CHARS = 283
EVAL_SET = "gpteacher"
EXACT, NEAR = 0.15, 0.15
_SHORTEST, _LONGEST = 25, 500
_CHANGED = 20
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_OTHERS = ("however", "indeed", "many", "small", "new")


def write_eval(path: Path, count: int) -> None:
    """Rows to lock, of a set that no other row is made of. Raises DataMissing."""
    rng = random.Random(1)
    pool = sorted(set(_sentences(data(EVAL_SET))))
    write_jsonl(path, ({"text": _joined(pool, rng)} for _ in range(count)))


def write_rows(path: Path, count: int) -> None:
    """JSON lines of `{"text", "label"}`, where the label names the set of the text. Raises DataMissing.

    A row is sentences of one set joined. Of the rows 15 % are copies as they stand, and 15 % copies in
    which one word in twenty is another.
    """
    rng = random.Random(0)
    pools = {name: sorted(set(_sentences(data(name)))) for name in REPOSITORIES}
    names = list(pools)
    sizes = [sum(map(len, pool)) for pool in pools.values()]
    originals = count - round(EXACT * count) - round(NEAR * count)
    rows = [
        {"text": _joined(pools[name], rng), "label": name} for name in rng.choices(names, sizes, k=originals)
    ]
    for _ in range(round(EXACT * count)):
        rows.append(rng.choice(rows[:originals]))
    while len(rows) < count:
        row = rng.choice(rows[:originals])
        rows.append({**row, "text": _near(row["text"], rng)})
    rng.shuffle(rows)
    write_jsonl(path, rows)


def _joined(pool: list[str], rng: random.Random) -> str:
    wanted, text = rng.uniform(0, 1.41) * MEAN_CHARS, ""  # the last sentence goes beyond
    while len(text) < wanted:
        text = f"{text} {rng.choice(pool)}".strip()
    return text


def _near(text: str, rng: random.Random) -> str:
    words = text.split(" ")
    for _ in range(max(1, len(words) // _CHANGED)):
        words[rng.randrange(len(words))] = rng.choice(_OTHERS)
    return " ".join(words)


def _sentences(folder: Path) -> Iterator[str]:
    for path in sorted(folder.rglob("*")):
        for text in _texts(path):
            yield from (s for s in _SENTENCE_END.split(text) if _SHORTEST <= len(s) <= _LONGEST)


def _texts(path: Path) -> Iterator[str]:
    if path.suffix == ".jsonl":
        for row in read_jsonl(path):
            yield from _strings(row)
    elif path.suffix == ".json":
        yield from _strings(json.loads(path.read_text(encoding="utf-8")))
    elif path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8") as file:
            yield from (cell for row in csv.reader(file) for cell in row)


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _strings(each)
