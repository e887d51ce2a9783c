"""`near_duplicates` on GPTeacher's Toolformer records, at each rung of its author's own deduplication."""

from __future__ import annotations

from benchmarks.filters import toolformer
from benchmarks.filters.figure import Figure, precision_and_recall
from benchmarks.filters.human_items import false_drop
from benchmarks.filters.trial import trial


def measure() -> list[Figure]:
    rows = toolformer.records()
    dropped = false_drop("near_duplicates")
    figures = []
    for similarity in toolformer.SIMILARITIES:
        truth = toolformer.dropped_by_its_author(similarity)
        ours = trial("near_duplicates", rows, toolformer.CONTEXT, threshold=similarity)
        agreement = toolformer.kappa(ours.found, truth)
        figures.append(
            Figure(
                "near_duplicates",
                f"GPTeacher Toolformer at {similarity:g}: keeps {ours.found.count(False):,}, its author "
                f"{truth.count(False):,}, κ {agreement:.2f}",
                len(rows),
                *precision_and_recall(ours.found, truth),
                dropped,
                ours.rows_per_second,
            )
        )
    return figures
