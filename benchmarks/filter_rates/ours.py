"""A filter from records to verdicts: `python -m benchmarks.filter_rates.ours NAME ROWS EVAL`.

In one process and on one core, records in the batches in which a run's workers get them; a filter of kin
makes keys of these and is then judged over all, as a round is. Building filters and records is not timed.
Prints one JSON line as `bare` does.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import REPOSITORIES, read_jsonl
from benchmarks.filter_rates.bare import WORDS
from benchmarks.filters.trial import BATCH, generated
from seedbed.core.garbage import collect_rarely
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters import FILTERS
from seedbed.run.corpus import Member, judge_kin
from seedbed.run.filtering import FilterSet
from seedbed.tasks.classification import Classification
from seedbed.text.overlap import EvalIndex

TASK = Classification.bind(Classification.Options(input="text", label="label"), sorted(REPOSITORIES))
OPTIONS: dict[str, dict[str, Any]] = {"language": {"languages": ["en"]}, "forbidden": {"phrases": WORDS}}
CALIBRATION_ROWS = 2_000


def built(name: str, records: Sequence[Record], eval_file: Path) -> FilterSet:
    """The filter with its default options, calibrated on a sample of the rows."""
    plugin = FILTERS.get(name)
    sample = records[:: len(records) // CALIBRATION_ROWS or 1][:CALIBRATION_ROWS]
    texts = [TASK.as_text(record.fields) for record in sample]
    lock = EvalIndex([row["text"] for row in read_jsonl(eval_file)], texts)
    context = FilterContext(TASK, texts, lock, ("text",), sample)
    each = plugin.build(plugin.Options(**OPTIONS.get(name, {})), context)
    return FilterSet((each,), ()) if plugin.kind == "record" else FilterSet((), (each,))


def fallen(filters: FilterSet, records: Sequence[Record]) -> int:
    batches = [records[at : at + BATCH] for at in range(0, len(records), BATCH)]
    if filters.record:
        check = filters.record[0].check
        return sum(not verdict.keep for batch in batches for verdict in filter(None, check(batch)))
    keys = [keys for batch in batches for keys in filters.keys(batch)]
    members = [Member(record, own) for record, own in zip(records, keys, strict=True)]
    return sum(not verdict.keep for verdict in judge_kin(filters.corpus, members, [], lambda ids: {}))


def main() -> None:
    name, rows, eval_file = sys.argv[1:]
    collect_rarely()  # as a run's processes do
    records = [generated(f"row-{at}", row) for at, row in enumerate(read_jsonl(Path(rows)))]
    filters = built(name, records, Path(eval_file))
    fallen(filters, records[:1])  # what is loaded at the first record is not timed, as of a tool
    began = time.process_time()
    found = fallen(filters, records)
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"found": found, "seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main()
