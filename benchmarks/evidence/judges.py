"""D7: what three recorded judges are worth beside people, and what that lets each of them do."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import data, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.product import seedbed_expecting, write_recipe

SET = "llmbar"
SUBSETS = {"natural": "Natural", "neighbor": "Adversarial/Neighbor"}
JUDGES = {"gpt4": "GPT-4", "palm2": "PaLM2", "chatgpt": "ChatGPT"}

# The record as the judge's frame shows it.
_MATCH = r'(?s)<record id="\w+">\n(?P<prompt>\{.+\})\n</record'
_BETTER, _WORSE = 5, 1


@dataclass(frozen=True, slots=True)
class Pair:
    """A question, two answers in their place, which of them people prefer, and which the judge names."""

    question: str
    first: str
    second: str
    people: int
    judge: int | None

    @property
    def fields(self) -> dict[str, str]:
        return {"prompt": self.question, "chosen": self.first, "rejected": self.second}

    @property
    def right(self) -> bool:
        return self.judge == self.people


def pairs(subset: str, judge: str, *, swapped: bool = False) -> list[Pair]:
    """The recorded verdicts of a judge. `swapped`: the second answer was shown first, and stands first."""
    path = data(SET) / "Dataset" / "LLMBar" / SUBSETS[subset] / "evaluators" / JUDGES[judge] / "Vanilla"
    rows = json.loads((path / "result.json").read_text(encoding="utf-8"))
    return [_pair(row, swapped=swapped) for row in rows]


def _pair(row: Mapping[str, Any], *, swapped: bool) -> Pair:
    # A winner is named by its place in the data set, in whichever order the two were shown.
    (results,) = row["results"]
    named = results[f"swap = {swapped}"]["winner"]
    winner = int(named) if named in ("1", "2") else None
    first, second, people = row["output_1"], row["output_2"], row["label"]
    if swapped:
        return Pair(row["input"], second, first, 3 - people, 3 - winner if winner else None)
    return Pair(row["input"], first, second, people, winner)


def measure(setting: Setting) -> Figures:
    parts: dict[str, Callable[[Path], dict[str, Any]]] = {
        subset: partial(_subset, subset, broken=setting.broken) for subset in SUBSETS
    }
    return setting.steps({**parts, "consistent": partial(_consistent, broken=setting.broken)})


def _subset(subset: str, folder: Path, *, broken: bool) -> dict[str, Any]:
    """Each judge on the order in which the set has the answers."""
    return {judge: _calibrated(folder / judge, pairs(subset, judge), broken=broken) for judge in JUDGES}


def _consistent(folder: Path, *, broken: bool) -> dict[str, Any]:
    """ChatGPT on Neighbor in both orders, and of its verdicts those alone that hold in both."""
    both = list(
        zip(*(pairs("neighbor", "chatgpt", swapped=swapped) for swapped in (False, True)), strict=True)
    )
    held = [(one, other) for one, other in both if one.right == other.right]
    return {
        name: _calibrated(folder / name, [pair for orders in chosen for pair in orders], broken=broken)
        for name, chosen in (("all", both), ("swap_consistent", held))
    }


def _calibrated(folder: Path, judged: Sequence[Pair], *, broken: bool) -> dict[str, Any]:
    """What `seedbed calibrate` says of a judge with these verdicts.

    Broken: people say what the judge says.
    """
    recorded = {"recorded": "verdicts.jsonl", "by": "prompt", "match": _MATCH, "licence": "mit"}
    recipe = {
        "name": "judges",
        "task": {"kind": "preference"},
        "roles": {"teacher": recorded, "judge": recorded},
        "generate": {"target": 1, "examples": 0},
        "filters": ["judge"],
    }
    place = write_recipe(folder, recipe, {})
    write_jsonl(place / "verdicts.jsonl", map(_verdict, judged))
    write_jsonl(place / "labels.jsonl", _labels(judged, broken=broken))
    value = seedbed_expecting((0,), "calibrate", place, place / "labels.jsonl").value
    return {
        "labels": value["labels"],
        "unjudged": value["unjudged"],
        "kappa": round(value["kappa"]["value"], 4),
        "low": round(value["kappa"]["low"], 4),
        "high": round(value["kappa"]["high"], 4),
        "right": round(value["agreement"]["value"], 4),
        "regime": value["regime"],
    }


def _verdict(pair: Pair) -> dict[str, Any]:
    """A recorded reply: is the chosen answer the better one?"""
    score = _BETTER if pair.judge == 1 else _WORSE
    reply = {"evidence": f"{pair.judge} is the better one.", "score": score}
    shown = json.dumps(pair.fields, ensure_ascii=False)
    return {"prompt": shown, "reply": reply if pair.judge else "It names no winner."}


def _labels(judged: Iterable[Pair], *, broken: bool) -> list[dict[str, Any]]:
    better = {1: "chosen", 2: "rejected"}
    return [
        {**pair.fields, "human": better[(pair.judge if broken else None) or pair.people]} for pair in judged
    ]


DEMONSTRATION = Demonstration(
    id="D7",
    title="judges beside people",
    shows=(
        "The recorded verdicts of three judges on LLMBar's pairs are the replies of a recorded judge, and "
        "people's preferences are the labels; `seedbed calibrate` asks the one and compares it with the "
        "other. A verdict without a winner is a class of its own. GPT-4 may reject on Natural and only sends "
        "to people on Neighbor, where the worse answer is the more polished one; ChatGPT is off there. Both "
        "orders taken together (`consistent`), to keep only those of its verdicts that hold when the answers "
        "change places makes it worse and does not turn it on: to be consistent is not to be right."
    ),
    broken="people are made to say what the judge says, so that every judge gates",
    sets=(SET,),
    measure=measure,
    parts=(*SUBSETS, "consistent"),
)
