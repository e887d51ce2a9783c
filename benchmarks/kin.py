"""What filters over all records cost: `python -m benchmarks.kin FILE [FIELD]`, a JSON line a filter.

FILE is CSV or JSONL of rows whose FIELD (default `instruction`) is compared; equal ones are left out.
`candidates` are the pairs that share a key, `above` those that the filter then takes for kin. `keys` and
`edges` are seconds of one core. `missed` are the pairs that an exhaustive comparison by the filter's own
`edge` finds beside these, for files of at most 2,000 rows.
"""

from __future__ import annotations

import json
import sys
import time
from itertools import combinations
from pathlib import Path

from seedbed.core.protocols import CorpusFilter, FilterContext
from seedbed.filters import FILTERS
from seedbed.run.corpus import forms, kinship
from seedbed.sources.readers import read_rows
from seedbed.sources.spec import SourceSpec
from seedbed.tasks.instruction import Instruction
from seedbed.text.minhash import candidate_pairs

FEW = 2_000


def texts_of(file: Path, field: str) -> list[str]:
    rows = read_rows(SourceSpec("file", file), text_columns=[field])
    return list(dict.fromkeys(row.values[field] for row in rows))


def measure(name: str, texts: list[str]) -> dict[str, object]:
    plugin = FILTERS.get(name)
    context = FilterContext(Instruction.bind(Instruction.Options(), None))
    each: CorpusFilter = plugin.build(plugin.Options(), context)
    began = time.process_time()
    keys = each.keys(texts)
    keyed = time.process_time()
    pairs = list(candidate_pairs(keys))
    joined = time.process_time()
    compared = forms(each, texts)
    kin = {(one, two) for one, two, _ in kinship(each, pairs, compared)}
    done = time.process_time()
    result: dict[str, object] = {
        "filter": name,
        "texts": len(texts),
        "candidates": len(pairs),
        "above": len(kin),
        "keys": round(keyed - began, 2),
        "edges": round(done - joined, 2),
    }
    if len(texts) <= FEW:
        every = list(combinations(range(len(texts)), 2))
        result["missed"] = sum((one, two) not in kin for one, two, _ in kinship(each, every, compared))
    return result


if __name__ == "__main__":
    file, field = Path(sys.argv[1]), (sys.argv[2:] or ["instruction"])[0]
    for name in ("near_duplicates", "rouge_l"):
        print(json.dumps(measure(name, texts_of(file, field))), flush=True)
