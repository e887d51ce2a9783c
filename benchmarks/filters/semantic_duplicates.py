"""`semantic_duplicates` by the lexical embedder: on copies of real rows in another order or otherwise
inflected, as a rehearsal makes them, and on GPTeacher's Toolformer records.

No paraphrase is among them: a copy in other words is for a neural embedder, of which none is measured here.
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from benchmarks.evidence.datasets import data
from benchmarks.filters import toolformer
from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.human_items import TASK, false_drop
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.filters.semantic_duplicates import SemanticDuplicates
from seedbed.models.planted_faults import inflected, reordered
from seedbed.text.lexical import unit
from seedbed.text.minhash import candidate_pairs
from seedbed.text.normalise import normalise

NAME = "semantic_duplicates"
COPIED, REAL = 1_000, 2_000
Reword = Callable[[Sequence[str], random.Random], Sequence[str]]
COPIES: dict[str, Reword] = {
    "with its words in another order": lambda words, rng: reordered(words, 1, rng)[0],
    "in another order, three words at a time": lambda words, rng: reordered(words, 3, rng)[0],
    "with a fifth of its words inflected": lambda words, rng: inflected(words, 0.2, rng)[0],
}


def measure() -> list[Figure]:
    dropped = false_drop(NAME)
    return [*of_copies(dropped), *ladder(dropped)]


def of_copies(dropped: Rate) -> list[Figure]:
    """Raises DataMissing."""
    rows = banking_messages()
    copied, real = rows[:COPIED], rows[COPIED : COPIED + REAL]
    context = FilterContext(TASK, real)
    each = SemanticDuplicates.build(SemanticDuplicates.Options(), context)
    figures = []
    for what, reword in COPIES.items():
        rng = random.Random(0)
        texts = [*copied, *(" ".join(reword(text.split(), rng)) for text in copied)]
        records = [generated(f"row-{at}", {"question": text}) for at, text in enumerate(texts)]
        ours, minhash = trial(NAME, records, context), trial("near_duplicates", records, context)
        missed = [at for at in range(COPIED, len(records)) if not minhash.found[at]]
        of_missed = sum(ours.found[at] for at in missed)
        truth = [at >= COPIED for at in range(len(records))]
        figures.append(
            Figure(
                NAME,
                f"BANKING77, each message and its copy {what}; near_duplicates misses {len(missed):,} of "
                f"them, of which {of_missed:,} are found; a key in common have {key_recall(each, texts)} of "
                "the pairs",
                len(records),
                *precision_and_recall(ours.found, truth),
                dropped,
                ours.rows_per_second,
            )
        )
    return figures


def ladder(dropped: Rate) -> list[Figure]:
    """Cosines fall more slowly than what the author measured, so the rungs are others."""
    rows = toolformer.records()
    texts = [toolformer.CONTEXT.task.as_text(row.fields) for row in rows]
    context = replace(toolformer.CONTEXT, real_texts=texts, real=rows)
    figures = []
    for similarity, threshold in zip(toolformer.SIMILARITIES, (0.98, 0.95, 0.9), strict=True):
        truth = toolformer.dropped_by_its_author(similarity)
        ours = trial(NAME, rows, context, threshold=threshold)
        agreement = toolformer.kappa(ours.found, truth)
        figures.append(
            Figure(
                NAME,
                f"GPTeacher Toolformer at cosine {threshold:g}: keeps {ours.found.count(False):,}, its "
                f"author at {similarity:g} {truth.count(False):,}, κ {agreement:.2f}",
                len(rows),
                *precision_and_recall(ours.found, truth),
                dropped,
                ours.rows_per_second,
            )
        )
    return figures


def key_recall(each: SemanticDuplicates, texts: Sequence[str]) -> Rate:
    """Of all pairs that an exhaustive search finds above the threshold, those that share a key."""
    vectors = unit(each.embedding.embed(texts))
    one, other = np.nonzero(np.triu(vectors @ vectors.T >= each.threshold, 1))
    met = set(candidate_pairs(each.keys(texts)))
    pairs = list(zip(one.tolist(), other.tolist(), strict=True))
    return Rate(sum(pair in met or pair[::-1] in met for pair in pairs), len(pairs))


def banking_messages() -> list[str]:
    """Distinct in normal form, shuffled by a seed. Raises DataMissing."""
    with (data("banking77") / "banking_data" / "train.csv").open(newline="", encoding="utf-8") as file:
        rows = list({normalise(row["text"]): row["text"] for row in csv.DictReader(file)}.values())
    random.Random(0).shuffle(rows)
    return rows
