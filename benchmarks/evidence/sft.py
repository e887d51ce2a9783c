"""Recorded solutions as SFT data: verified, voted and unverified, and a tiny model that learns from each."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import ROOT, read_jsonl, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.gsm8k import SET, questions, recorded, solutions
from benchmarks.evidence.product import CommandFailed, environment, seedbed_expecting, write_recipe
from seedbed.verify.mathematics import final_answer, without_answer

SAMPLES = 4
VOTES = 2
TRAINS_WITH = ("torch", "transformers", "datasets", "trl")
TRAINED_ROWS = 64
_TARGET_NOT_MET = 3
# The question as the library's prompts show it, and as `distil` asks it.
_SHOWN = r"(?s)<question>\n(?P<prompt>.+?)\n</question>"
_ASKED = r"(?s)^(?P<prompt>.+)$"


@dataclass(frozen=True, slots=True)
class Arm:
    """How solutions become records of a task: by which method, of which rows, asked how."""

    task: Mapping[str, Any]
    method: Mapping[str, Any]
    match: str
    answer: str
    """The field of a record that has the solution."""


def measure(setting: Setting) -> Figures:
    """Broken: each question is given with the answer of the one before, and a vote needs one voter."""
    broken = setting.broken
    method = {"source": "asked", "samples": SAMPLES}
    arms = {
        "verified": Arm({"kind": "math"}, {"rejection": method}, _SHOWN, "solution"),
        "voted": Arm(
            {"kind": "math"},
            {"self_consistency": {**method, "agree": (1 if broken else VOTES) / SAMPLES}},
            _SHOWN,
            "solution",
        ),
        "unverified": Arm(
            {"kind": "instruction", "prompt": "question", "answer": "solution"},
            {"distil": {"source": "asked", "answers": SAMPLES}},
            _ASKED,
            "solution",
        ),
    }
    return setting.steps({name: partial(_arm, arm=arm, broken=broken) for name, arm in arms.items()})


def _arm(folder: Path, *, arm: Arm, broken: bool) -> dict[str, Any]:
    """A run over all questions, its records as a file for TRL, how many are right, and a model of them."""
    known = {one.question: final_answer(one.reference) or "" for one in solutions()}
    if broken:
        known = dict(zip(known, [*known.values()][-1:] + [*known.values()][:-1], strict=True))
    right = {(one.question, without_answer(one.text)): one.right for one in solutions()}
    right |= {(one.question, one.text.strip()): one.right for one in solutions()}
    recipe = {
        "name": "sft",
        "task": arm.task,
        "sources": {"asked": {"path": "asked.jsonl", "unlabelled": True}},
        "roles": {
            "teacher": {"recorded": "replies.jsonl", "by": "prompt", "match": arm.match, "licence": "mit"}
        },
        "generate": {"target": len(questions()) * SAMPLES, "examples": 0, "methods": arm.method},
        "filters": ["duplicates"],
    }
    place = write_recipe(folder, recipe, {})
    # A question without recorded solutions has no answer either, and gets no reply.
    asked = [{"question": question, "answer": known.get(question, "")} for question in questions()]
    write_jsonl(place / "asked.jsonl", asked)
    recorded(place / "replies.jsonl")
    outcome = seedbed_expecting((0, _TARGET_NOT_MET), "run", place)
    kept, chats = (_exported(place, name) for name in ("jsonl", "trl-sft"))
    told = [right[row["question"], row[arm.answer].strip()] for row in kept]
    return {
        "rows": len(kept),
        "questions": len({row["question"] for row in kept}),
        "right": round(sum(told) / len(told), 4),
        "turned_down": outcome.value["accounts"]["drafts"]["rejected"],
        "every_row_for_trl": len(chats) == len(kept),
        "without_a_turn_of_the_assistant": sum(not _answered(row) for row in chats),
        "training": _train(chats, folder),
    }


def _exported(place: Path, name: str) -> list[dict[str, Any]]:
    out = place / f"{name}.jsonl"
    seedbed_expecting((0,), "export", place, "--format", name, "--out", out)
    return read_jsonl(out)


def _answered(row: Mapping[str, Any]) -> bool:
    messages = row.get("messages") or [*row.get("prompt", ()), *row.get("completion", ())]
    return bool(messages) and messages[-1]["role"] == "assistant" and bool(messages[-1]["content"].strip())


def _train(chats: Sequence[Mapping[str, Any]], folder: Path) -> dict[str, Any]:
    """TRL's own trainer on the first rows, a tiny model made for it; or which modules that would need."""
    missing = [name for name in TRAINS_WITH if find_spec(name) is None]
    if missing:
        return {"failed": False, "done": f"no: {', '.join(missing)} not installed"}
    file = write_jsonl(folder / "few.jsonl", chats[:TRAINED_ROWS])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.evidence.train_tiny", str(file), str(folder / "tiny")],
        cwd=ROOT,
        env=environment() | {"HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": ""},
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    if done.returncode:
        raise CommandFailed(f"training ended with {done.returncode}:\n{done.stderr.strip()[-2000:]}")
    losses = json.loads(done.stdout.splitlines()[-1])
    return {
        "failed": losses["last"] >= losses["first"],
        "done": "yes",
        "loss": [losses["first"], losses["last"]],
    }


DEMONSTRATION = Demonstration(
    id="sft",
    title="solutions as SFT data",
    shows=(
        "The four recorded solutions of each GSM8K question are a teacher's replies, and three runs make SFT "
        "data of them: `verified` keeps by `rejection` those that come to the known answer and state no "
        "wrong equation, `voted` by `self_consistency` one of those that at least two of four agree on, "
        "`unverified` by `distil` all of them. `right` is the share that people called right. Each is "
        "exported for TRL, whose SFT trainer has a tiny model learn from the first rows where the extra is "
        "installed."
    ),
    broken="each question is given with another one's answer, and one vote of four is enough",
    sets=(SET,),
    measure=measure,
    parts=("verified", "voted", "unverified"),
)
