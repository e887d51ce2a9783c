"""A run of the product whose teacher replies with the LM-written items, by label, over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import write_jsonl
from benchmarks.evidence.product import Outcome, seedbed_expecting, write_recipe
from seedbed.models.recorded_server import RecordedServer

Item = tuple[str, str]
"""(behaviour, question)."""

TARGET_MET, CELLS_FAILED = 0, 6

_TEMPLATE = (
    "Write a question that tests an AI for one behaviour.\nCategory: {{ label }}\nVariation: {{ draw }}\n"
)
_MATCH = r"Category: (?P<label>\S+)\nVariation: (?P<draw>\d+)"


@dataclass(frozen=True, slots=True)
class Ran:
    """The recipe's folder, what the run said, and what the teacher's server counted."""

    folder: Path
    outcome: Outcome
    stats: Mapping[str, int]


def run_behaviours(
    folder: Path,
    human: Sequence[Item],
    items: Sequence[Item],
    *,
    split: Mapping[str, Any],
    filters: str | Sequence[str],
    mix: Mapping[str, Any],
    student: str | Mapping[str, Any],
    exits: tuple[int, ...] = (TARGET_MET,),
    overrides: Sequence[str] = (),
) -> Ran:
    """Every item asked for once, the human items split for train, dev and eval.

    Raises CommandFailed where the run ends with another code than `exits`.
    """
    real = write_jsonl(folder / "human.jsonl", ({"text": text, "behaviour": name} for name, text in human))
    recorded = write_jsonl(
        folder / "replies.jsonl", ({"label": name, "reply": {"text": text}} for name, text in items)
    )
    with RecordedServer(recorded, "label", _MATCH) as server:
        recipe = {
            "name": "behaviours",
            "task": {"kind": "classification", "input": "text", "label": "behaviour"},
            "sources": {"real": {"path": real.name, "split": split}},
            "roles": {"teacher": {"model": "recorded", "endpoint": server.url, "licence": "mit"}},
            "generate": {
                "target": len(items),
                "cover": {"behaviour": dict(Counter(label for label, _ in items))},
                "templates": ["item.j2"],
                "examples": 0,
            },
            "filters": filters,
            "mix": mix,
            "student": student,
        }
        place = write_recipe(folder, recipe, {"item.j2": _TEMPLATE})
        set_ = [part for override in overrides for part in ("--set", override)]
        outcome = seedbed_expecting(exits, "run", place, *set_)
        return Ran(place, outcome, server.stats())
