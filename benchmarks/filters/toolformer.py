"""GPTeacher's Toolformer records, and which of them its author's own deduplication kept at each similarity.

What the author compared, and how, is not published: a noisy reference, which another method agrees with
better than chance if both see likeness at all. Later records are dropped more often than earlier ones, so
the first of kin is kept and what becomes of the first 2,000 depends on them alone; they are compared.
"""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from benchmarks.evidence.datasets import data
from benchmarks.filters.trial import generated
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.tasks.custom import Custom

RECORDS = 2_000
SIMILARITIES = (0.9, 0.7, 0.6)
FIELDS = ("instruction", "input", "response")
CONTEXT = FilterContext(Custom.bind(Custom.Options(fields={name: name for name in FIELDS}), None))


@cache
def records() -> list[Record]:
    """The first of the file, in its order. Raises DataMissing."""
    return [generated(f"row-{at}", row) for at, row in enumerate(_read("dedupe-only")[:RECORDS])]


def dropped_by_its_author(similarity: float) -> list[bool]:
    """For each record whether the author's set of this similarity is without it."""
    kept = {_content(row) for row in _read(f"similarity-{similarity}")}
    return [_content(record.fields) not in kept for record in records()]


def kappa(one: list[bool], other: list[bool]) -> float:
    """Cohen's kappa (1960): agreement beyond chance, of which 0 is none."""
    rows = len(one)
    agreed = sum(a == b for a, b in zip(one, other, strict=True)) / rows
    first, second = sum(one) / rows, sum(other) / rows
    chance = first * second + (1 - first) * (1 - second)
    return (agreed - chance) / (1 - chance)


def _read(name: str) -> list[dict[str, str]]:
    path = data("gpteacher") / "Toolformer" / f"toolformer-{name}-dataset.json"
    return [{field: row[field] for field in FIELDS} for row in json.loads(path.read_text("utf-8"))]


def _content(fields: Any) -> tuple[str, ...]:
    return tuple(fields[field] for field in FIELDS)
