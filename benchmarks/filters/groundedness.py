"""`groundedness`: sentences of real documents held against their passage, some with a value swapped."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence

from benchmarks.evidence.datasets import data, read_jsonl
from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.sources.chunks import Chunking
from seedbed.tasks.instruction import Instruction

TASK = Instruction.bind(Instruction.Options(context="context"), None)
# Apart from the filter's own patterns: what it finds it has not been told.
VALUES: Mapping[str, re.Pattern[str]] = {
    "number": re.compile(r"(?<![\w.,-])\d{1,4}(?![\w.,-])"),
    "date": re.compile(r"(?<![\w-])\d{1,2}-[A-Z][a-z]{2}-\d{4}(?![\w-])"),
    "name": re.compile(r"(?<=[a-z,] )[A-Z][a-z]{3,}(?![\w'’])"),
}
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


def measure() -> list[Figure]:
    passages = [
        chunk.text
        for file in sorted((data("peps") / "peps").glob("*.rst"))
        for chunk in Chunking(400).chunks(file.read_text("utf-8"))
    ]
    return [*(_swapped(passages, kind) for kind in VALUES), _people()]


def _swapped(passages: Sequence[str], kind: str) -> Figure:
    """Sentences that have such a value; in every other one it is that of another passage."""
    rng, values = random.Random(kind), VALUES[kind]
    donors = [match.group() for text in passages for match in values.finditer(text)]
    records: list[Record] = []
    truth: list[bool] = []
    for text in passages:
        for sentence in _SENTENCE_END.split(text):
            if not (found := list(values.finditer(sentence))):
                continue
            if spoilt := len(records) % 2 == 0:
                match = rng.choice(found)
                other = next(
                    each
                    for each in iter(lambda: rng.choice(donors), None)
                    if each.lower() not in text.lower()
                )
                sentence = sentence[: match.start()] + other + sentence[match.end() :]
            truth.append(spoilt)
            fields = {"instruction": "What does it say?", "context": text, "response": sentence}
            records.append(generated(str(len(records)), fields))
    ours = trial("groundedness", records, FilterContext(TASK))
    name = f"Python proposals, a {kind} of another passage in every other sentence"
    return Figure(
        "groundedness",
        name,
        len(records),
        *precision_and_recall(ours.found, truth),
        None,
        ours.rows_per_second,
    )


def _people() -> Figure:
    """Answers by people to an instruction with an input, most of which ask for more than the input says."""
    rows = [
        generated(
            f"{task['id']}",
            {"instruction": task["instruction"], "context": each["input"], "response": each["output"]},
        )
        for task in read_jsonl(data("selfinstruct") / "data" / "seed_tasks.jsonl")
        for each in task["instances"]
        if each["input"].strip()
    ]
    ours = trial("groundedness", rows, FilterContext(TASK))
    dropped = Rate(sum(ours.found), len(rows))
    return Figure(
        "groundedness",
        "Self-Instruct, seed tasks with an input",
        len(rows),
        None,
        None,
        dropped,
        ours.rows_per_second,
    )
