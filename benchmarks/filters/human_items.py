"""1,000 items that people wrote, on which what falls is dropped falsely.

They are of `anthropic_evals` (its human items, distinct in normal form, shuffled by a seed), and the real
rows that filters know are 2,000 others of the same. Locked as eval is the test set of BANKING77, of which
none of them can be a copy.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Sequence
from functools import cache
from typing import Any

from benchmarks.evidence.behaviours import BEHAVIOURS, HUMAN, path_of
from benchmarks.evidence.datasets import data, read_jsonl
from benchmarks.filters.figure import Rate
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import EvalHit, FilterContext
from seedbed.core.record import Record
from seedbed.tasks.classification import Classification
from seedbed.text.normalise import normalise
from seedbed.text.overlap import EvalIndex

DATA = "anthropic_evals, human items"
ITEMS, REAL = 1_000, 2_000
TASK = Classification.bind(Classification.Options(input="question", label="behaviour"), BEHAVIOURS)


class OpenLock:
    """An eval lock without a process of its own: here nothing is to be kept from anybody."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._index = EvalIndex(texts)

    def check(self, texts: Sequence[str]) -> list[list[EvalHit]]:
        return self._index.check(texts)


@cache
def human_items() -> tuple[list[Record], FilterContext]:
    """The items, and what filters know: their task, the real rows and the lock. Raises DataMissing."""
    rows = _distinct_items()
    items, real = rows[:ITEMS], rows[ITEMS : ITEMS + REAL]
    texts = [TASK.as_text(row.fields) for row in real]
    with (data("banking77") / "banking_data" / "test.csv").open(newline="", encoding="utf-8") as file:
        lock = OpenLock([row["text"] for row in csv.DictReader(file)])
    return items, FilterContext(TASK, texts, lock, ("question",), real)


def other_human_items() -> list[str]:
    """Questions of the items that are neither among the 1,000 nor among the real rows."""
    return [TASK.as_text(row.fields) for row in _distinct_items()[ITEMS + REAL :]]


def false_drop(name: str, **options: Any) -> Rate:
    """How many of the items a filter drops. Raises DataMissing."""
    items, context = human_items()
    return Rate(sum(trial(name, items, context, **options).found), len(items))


def _distinct_items() -> list[Record]:
    rows = [(row["question"], name) for name in BEHAVIOURS for row in read_jsonl(path_of(HUMAN, name))]
    distinct = list({normalise(text): (text, name) for text, name in rows}.values())
    random.Random(0).shuffle(distinct)
    return [
        generated(f"item-{at}", {"question": text, "behaviour": name})
        for at, (text, name) in enumerate(distinct)
    ]
