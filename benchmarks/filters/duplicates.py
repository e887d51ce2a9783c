"""`duplicates` on GPTeacher's Toolformer records, whose author had taken equal ones out."""

from __future__ import annotations

from benchmarks.filters import toolformer
from benchmarks.filters.figure import Figure, precision_and_recall
from benchmarks.filters.human_items import false_drop
from benchmarks.filters.trial import trial


def measure() -> list[Figure]:
    """What is left are copies that differ in case and punctuation, which the author's .9 drops too."""
    rows = toolformer.records()
    ours = trial("duplicates", rows, toolformer.CONTEXT)
    precision, _ = precision_and_recall(ours.found, toolformer.dropped_by_its_author(0.9))
    of = "GPTeacher Toolformer, dropped by its author at .9"
    return [
        Figure("duplicates", of, len(rows), precision, None, false_drop("duplicates"), ours.rows_per_second)
    ]
