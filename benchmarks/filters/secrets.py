"""`secrets`: made-up ones found in programs; programs and people's words without one left alone.

No set of real secrets is among the data, and none should be published. So the recall is that of secrets
as a rehearsal plants them, put between the lines of recorded programs: it says that their forms are
read, and not how many of those that leak in the world are.
"""

from __future__ import annotations

import json
import random

from benchmarks.evidence.datasets import data
from benchmarks.filters.figure import Figure, precision_and_recall
from benchmarks.filters.human_items import DATA, TASK, false_drop, human_items
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.models.fault_plan import VARIANTS
from seedbed.models.planted_values import secret

PROGRAMS = "CodeT/data/generated_data/HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl"
MOST_PROGRAMS = 2_000


def measure() -> list[Figure]:
    with (data("codet") / PROGRAMS).open(encoding="utf-8") as file:
        programs = [sample for line in file for sample in json.loads(line)["samples"]]
    rng = random.Random(0)
    chosen = rng.sample(programs, MOST_PROGRAMS)
    truth = [at % 2 == 0 for at in range(MOST_PROGRAMS)]
    kinds = list(VARIANTS["secret"])
    texts = [
        _with(program, secret(rng.choice(kinds), rng, disguised=False), rng) if spoilt else program
        for program, spoilt in zip(chosen, truth, strict=True)
    ]
    records = [generated(str(at), {"question": text}) for at, text in enumerate(texts)]
    ours = trial("secrets", records, FilterContext(TASK))
    rates = precision_and_recall(ours.found, truth)
    items, context = human_items()
    people = trial("secrets", items, context)
    name = "CodeT's programs, a made-up secret in every other one"
    return [
        Figure("secrets", name, len(records), *rates, None, ours.rows_per_second),
        Figure("secrets", DATA, len(items), None, None, false_drop("secrets"), people.rows_per_second),
    ]


def _with(program: str, value: str, rng: random.Random) -> str:
    lines = program.split("\n")
    at = rng.randrange(len(lines) + 1)
    return "\n".join([*lines[:at], value, *lines[at:]])
