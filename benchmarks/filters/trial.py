"""A filter on its own, as a run would have it: built by its options, given records, timed."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record, Unreadable
from seedbed.core.verdict import Verdict
from seedbed.filters import FILTERS
from seedbed.run.corpus import forms, kinship
from seedbed.text.minhash import candidate_pairs
from seedbed.text.reduce import reduce

BATCH = 64


def generated(key: str, fields: Mapping[str, Any], unreadable: Unreadable | None = None) -> Record:
    return Record(key, fields, Provenance("generated", "benchmark"), unreadable=unreadable)


@dataclass(frozen=True)
class Trial:
    """`reasons` are those of the filter's verdicts in the order of the records, "" where one is kept."""

    reasons: Sequence[str]
    seconds: float

    @cached_property
    def found(self) -> list[bool]:
        return [reason != "" for reason in self.reasons]

    @property
    def rows_per_second(self) -> float:
        return len(self.reasons) / self.seconds


def trial(name: str, records: Sequence[Record], context: FilterContext, **options: Any) -> Trial:
    """A record or corpus filter over records, the first of which rank first; building it is not timed."""
    plugin = FILTERS.get(name)
    each = plugin.build(plugin.Options(**options), context)
    began = time.process_time()
    if plugin.kind == "corpus":
        fallen = _fallen(each, [each.text(record) for record in records])
        reasons = [plugin.reason if at in fallen else "" for at in range(len(records))]
    else:
        batches = [records[at : at + BATCH] for at in range(0, len(records), BATCH)]
        said: list[Verdict | None] = [verdict for batch in batches for verdict in each.check(batch)]
        reasons = [verdict.reason if verdict is not None and not verdict.keep else "" for verdict in said]
    return Trial(reasons, time.process_time() - began)


def _fallen(each: Any, texts: Sequence[str]) -> set[int]:
    pairs = list(candidate_pairs(each.keys(texts)))
    edges = [(str(a), str(b), score) for a, b, score in kinship(each, pairs, forms(each, texts))]
    return {int(place) for place in reduce([str(at) for at in range(len(texts))], edges)}
