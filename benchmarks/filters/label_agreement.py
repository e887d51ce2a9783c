"""`label_agreement` on 12 intents of BANKING77: learnt from train rows, asked about test rows."""

from __future__ import annotations

import csv
import time

from benchmarks.evidence.datasets import data
from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.trial import generated
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters import FILTERS
from seedbed.tasks.classification import Classification

INTENTS = 12


def measure() -> list[Figure]:
    """Each test row once under its own label and once under that of the fifth intent after it.

    A flag counts as found, and as no false drop.
    """
    train, test = _rows("train"), _rows("test")
    labels = sorted({row.fields["category"] for row in train})
    moved = [
        generated(
            f"moved {row.id}",
            {**row.fields, "category": labels[(labels.index(row.fields["category"]) + 5) % INTENTS]},
        )
        for row in test
    ]
    plugin = FILTERS.get("label_agreement")
    task = Classification.bind(Classification.Options(input="text", label="category"), labels)
    each = plugin.build(plugin.Options(), FilterContext(task, real=train))
    each.check(train[:1])  # learns
    began = time.process_time()
    verdicts = each.check([*test, *moved])
    seconds = time.process_time() - began
    found = [verdict is not None for verdict in verdicts]
    truth = [False] * len(test) + [True] * len(moved)
    dropped = sum(not verdict.keep for verdict in filter(None, verdicts[: len(test)]))
    return [
        Figure(
            "label_agreement",
            f"BANKING77, {INTENTS} intents, test rows and the same with wrong labels",
            len(truth),
            *precision_and_recall(found, truth),
            Rate(dropped, len(test)),
            len(truth) / seconds,
        )
    ]


def _rows(name: str) -> list[Record]:
    with (data("banking77") / "banking_data" / f"{name}.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    intents = sorted({row["category"] for row in rows})[:INTENTS]
    return [generated(f"{name}-{at}", row) for at, row in enumerate(rows) if row["category"] in intents]
