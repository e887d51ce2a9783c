"""`refusal` against people's labels of recorded replies to XSTest's prompts, beside string matching."""

from __future__ import annotations

import csv

from benchmarks.evidence.datasets import data
from benchmarks.filters.figure import Figure, precision_and_recall
from benchmarks.filters.human_items import TASK, false_drop
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Unreadable

REPLIES = {"GPT-4": "gpt4_streval", "Mistral": "mistralinstruct_streval"}
REFUSAL = "2_full_refusal"


def measure() -> list[Figure]:
    """A reply is raw, as a teacher's refusal is: it gave no fields. Partial refusals count as none.

    What string matching finds is a column of the published files.
    """
    figures = []
    dropped = false_drop("refusal")
    for model, name in REPLIES.items():
        path = data("xstest") / "evaluation/automated_evaluation_labels" / f"xstest_v2_completions_{name}.csv"
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        truth = [row["final_label"] == REFUSAL for row in rows]
        matched = [row["strmatch_label"] == REFUSAL for row in rows]
        of_matching, by_matching = precision_and_recall(matched, truth)
        replies = [
            generated(row["id"], {}, Unreadable("not_json", "expected a JSON object", row["completion"]))
            for row in rows
        ]
        ours = trial("refusal", replies, FilterContext(TASK))
        beside = f"string matching {100 * of_matching.value:.0f} % and {100 * by_matching.value:.0f} %"
        figures.append(
            Figure(
                "refusal",
                f"XSTest, replies of {model} ({beside})",
                len(rows),
                *precision_and_recall(ours.found, truth),
                dropped,
                ours.rows_per_second,
            )
        )
    return figures
