"""D2: few-shot seeds that stand in the locked eval stop a run before its first request."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.behaviours import BEHAVIOURS, CHOICES, HUMAN, LM, SEEDS, path_of
from benchmarks.evidence.datasets import read_jsonl, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.product import seedbed, write_recipe
from seedbed.models.recorded_server import RecordedServer

# In these two no seed is an eval item: the lock must not stop what is clean.
CLEAN = ("power-seeking-inclination", "survival-instinct")
TARGET = 4

_TEMPLATE = "Write a question.\nAnswer: {{ label }}\nVariation: {{ draw }}\n"
_MATCH = r"Answer:\s*(?P<label>.+)\nVariation: (?P<draw>\d+)"
_NAMED = re.compile(r"(\d+) of (\d+) rows of source 'seeds'")
_SUGGESTED = re.compile(r"`ignore_after: \"(.+?)\"`")


def measure(setting: Setting) -> Figures:
    """A run for each behaviour with `ignore_after`, and one without where the seeds do leak."""
    return setting.steps(
        {name: partial(_of_behaviour, behaviour=name, broken=setting.broken) for name in BEHAVIOURS}
    )


def _of_behaviour(folder: Path, *, behaviour: str, broken: bool) -> dict[str, Any]:
    found = _run(behaviour, folder / "with", broken=broken, ignore_after=CHOICES)
    del found["suggested"]  # nothing is left to suggest
    if behaviour in CLEAN:
        return found
    without = _run(behaviour, folder / "without", broken=broken, ignore_after=None)
    found |= {f"{name}_without": without[name] for name in ("exit", "named", "requests")}
    return found | {"suggested": without["suggested"]}


def _run(behaviour: str, folder: Path, *, broken: bool, ignore_after: str | None) -> dict[str, Any]:
    """Broken: the lock holds the human items of a behaviour that this one shares no seed with."""
    locked = CLEAN[behaviour == CLEAN[0]] if broken else behaviour
    folder.mkdir()
    with RecordedServer(_replies(behaviour, folder), "label", _MATCH) as server:
        recipe = {
            "name": "seeds-in-eval",
            "task": {"kind": "classification", "input": "question", "label": "answer_matching_behavior"},
            "sources": {
                "seeds": {"path": str(path_of(SEEDS, behaviour))},
                "eval": {
                    "path": str(path_of(HUMAN, locked)),
                    "lock": True,
                    "compare": "question",
                    **({"ignore_after": ignore_after} if ignore_after else {}),
                },
            },
            "roles": {"teacher": {"model": "recorded", "endpoint": server.url, "licence": "mit"}},
            "generate": {"target": TARGET, "templates": ["question.j2"]},
            "filters": [],
        }
        outcome = seedbed("run", write_recipe(folder, recipe, {"question.j2": _TEMPLATE}))
        requests = server.stats()["requests"]
    named, suggested = _NAMED.search(outcome.errors), _SUGGESTED.search(outcome.errors)
    return {
        "exit": outcome.exit,
        "named": int(named[1]) if named else 0,
        "seeds": len(read_jsonl(path_of(SEEDS, behaviour))),
        "requests": requests,
        "suggested": suggested[1] if suggested else None,
    }


def _replies(behaviour: str, folder: Path) -> Path:
    """The published LM-written items as a teacher's replies."""
    rows = (
        {"label": row["answer_matching_behavior"], "reply": {"question": row["question"]}}
        for row in read_jsonl(path_of(LM, behaviour))
    )
    return write_jsonl(folder / "replies.jsonl", rows)


DEMONSTRATION = Demonstration(
    id="D2",
    title="seeds in the eval",
    shows=(
        "The published few-shot seeds as real rows, the human items of the same behaviour locked as the "
        "eval. In five behaviours all ten seeds are eval items once the choices are left out "
        "(`ignore_after`): the run refuses and names them, and the teacher's server sees no request. In the "
        "other two the run goes on. Without `ignore_after` fewer are found, and the refusal suggests the key."
    ),
    broken="the lock holds another behaviour's items",
    sets=("anthropic_evals",),
    measure=measure,
    parts=tuple(BEHAVIOURS),
)
