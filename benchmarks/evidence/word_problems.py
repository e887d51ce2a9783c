"""D5: word problems with four models' answers: read as people read them, and worth what their votes say."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import read_jsonl, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.gsm8k import SET, questions, recorded, solutions
from benchmarks.evidence.product import seedbed_expecting, write_recipe
from seedbed.verify.mathematics import compare, final_answer, without_answer

SAMPLES = 4
# The question as the library's prompt shows it.
_MATCH = r"(?s)<question>\n(?P<prompt>.+?)\n</question>"
_TARGET_NOT_MET = 3


def measure(setting: Setting) -> Figures:
    broken = setting.broken
    return setting.steps(
        {"answers": partial(_answers, broken=broken), "agreement": partial(_agreement, broken=broken)}
    )


def _answers(folder: Path, *, broken: bool) -> dict[str, Any]:
    """How often the verifier and the recorded label say the same of a solution. Broken: compared as text."""
    agree = disagree = 0
    for solution in solutions():
        found, wanted = final_answer(solution.text) or "", final_answer(solution.reference) or ""
        equal = found == wanted if broken else compare(found, wanted) == "equal"
        agree += equal == solution.right
        disagree += equal != solution.right
    return {"labels": agree + disagree, "agree": agree, "disagree": disagree}


def _agreement(folder: Path, *, broken: bool) -> dict[str, Any]:
    """What `self_consistency` keeps of the questions at three thresholds, and how much of it is right.

    Broken: no share is asked for, so that a tie alone is turned down.
    """
    asked = questions()
    replies = recorded(folder / "replies.jsonl")
    right = {(one.question, without_answer(one.text)): one.right for one in solutions()}
    figures: dict[str, Any] = {"questions": len(asked)}
    for least in (2, 3, 4):
        recipe = {
            "name": "agreement",
            "task": {"kind": "math"},
            "sources": {"asked": {"path": "asked.jsonl", "unlabelled": True}},
            "roles": {
                "teacher": {"recorded": str(replies), "by": "prompt", "match": _MATCH, "licence": "mit"}
            },
            "generate": {
                "target": len(asked),
                "examples": 0,
                "methods": {
                    "self_consistency": {
                        "source": "asked",
                        "samples": SAMPLES,
                        "agree": (1 if broken else least) / SAMPLES,
                    }
                },
            },
            "filters": [],
        }
        place = write_recipe(folder / f"at-least-{least}", recipe, {})
        write_jsonl(place / "asked.jsonl", ({"question": question} for question in asked))
        outcome = seedbed_expecting((_TARGET_NOT_MET,), "run", place)
        out = place / "kept.jsonl"
        seedbed_expecting((0,), "export", place, "--format", "jsonl", "--out", out)
        kept = [right[row["question"], row["solution"]] for row in read_jsonl(out)]
        figures[f"at_least_{least}_of_{SAMPLES}"] = {
            "kept": len(kept),
            "share": round(len(kept) / len(asked), 4),
            "right": round(sum(kept) / len(kept), 4),
            "turned_down": outcome.value["accounts"]["drafts"]["rejected"],
        }
    return figures


DEMONSTRATION = Demonstration(
    id="D5",
    title="word problems",
    shows=(
        "The final answer of each of the four recorded solutions of a GSM8K question is read and compared "
        "with the reference's; the outcome is that of the recorded label for all of them. Then the solutions "
        "are a recorded teacher's replies, four to each question, and `self_consistency` keeps a question "
        "where at least so many come to the same answer: the more agree, the more of what is kept is right."
    ),
    broken="answers are compared as text, and no share of the samples is asked for",
    sets=(SET,),
    measure=measure,
    parts=("answers", "agreement"),
)
