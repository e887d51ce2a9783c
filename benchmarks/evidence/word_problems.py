"""D5: word problems with four models' answers: read as people read them, and worth what their votes say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import read_jsonl, write_jsonl
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.gsm8k import SET, questions, recorded, solutions
from benchmarks.evidence.product import seedbed_expecting, write_recipe
from benchmarks.filters.trial import trial
from benchmarks.filters.verify import CONTEXT, records
from seedbed.verify.mathematics import compare, final_answer, without_answer

SAMPLES = 4
# The question as the library's prompt shows it.
_MATCH = r"(?s)<question>\n(?P<prompt>.+?)\n</question>"
_TARGET_NOT_MET = 3


def measure(setting: Setting) -> Figures:
    parts = {"answers": _answers, "verdicts": _verdicts, "agreement": _agreement, "preference": _preference}
    return setting.steps({name: partial(part, broken=setting.broken) for name, part in parts.items()})


def _answers(folder: Path, *, broken: bool) -> dict[str, Any]:
    """How often the verifier and the recorded label say the same of a solution. Broken: compared as text."""
    agree = disagree = 0
    for solution in solutions():
        found, wanted = final_answer(solution.text) or "", final_answer(solution.reference) or ""
        equal = found == wanted if broken else compare(found, wanted) == "equal"
        agree += equal == solution.right
        disagree += equal != solution.right
    return {"labels": agree + disagree, "agree": agree, "disagree": disagree}


def _verdicts(folder: Path, *, broken: bool) -> dict[str, Any]:
    """What the filter `verify` says of each solution beside the right answer, and what people said of it.

    Broken: beside it stands the answer to the question before.
    """
    known = list(solutions())
    answers = {one.question: final_answer(one.reference) or "" for one in known}
    if broken:
        answers = dict(zip(answers, [*answers.values()][-1:] + [*answers.values()][:-1], strict=True))
    rows = ((one.question, one.text, answers[one.question]) for one in known)
    found = trial("verify", records(rows), CONTEXT, check=["answer"], undecided="reject")
    passed = [reason == "" for reason in found.reasons]
    right = [one.right for one in known]
    return {
        "labels": len(right),
        "passed": sum(passed),
        "not_passed": dict(Counter(reason for reason in found.reasons if reason).most_common()),
        "agree": sum(said is label for said, label in zip(passed, right, strict=True)),
        "right_but_not_passed": sum(label > said for said, label in zip(passed, right, strict=True)),
        "passed_but_wrong": sum(said > label for said, label in zip(passed, right, strict=True)),
    }


def _agreement(folder: Path, *, broken: bool) -> dict[str, Any]:
    """What `self_consistency` keeps of the questions at three thresholds, and how much of it is right.

    Broken: no share is asked for, so that a tie alone is turned down.
    """
    asked = questions()
    right = {(one.question, without_answer(one.text)): one.right for one in solutions()}
    figures: dict[str, Any] = {"questions": len(asked)}
    for least in (2, 3, 4):
        method = {"samples": SAMPLES, "agree": (1 if broken else least) / SAMPLES}
        kept, rejected = _kept(
            folder / f"at-least-{least}",
            "math",
            {"self_consistency": {"source": "asked", **method}},
            [{"question": question} for question in asked],
        )
        of_kept = [right[row["question"], row["solution"]] for row in kept]
        figures[f"at_least_{least}_of_{SAMPLES}"] = {
            "kept": len(kept),
            "share": round(len(kept) / len(asked), 4),
            "right": round(sum(of_kept) / len(kept), 4),
            "turned_down": rejected,
        }
    return figures


def _preference(folder: Path, *, broken: bool) -> dict[str, Any]:
    """Pairs that `preference` makes with the verifier alone, and whether their sides are what they say.

    Broken: each question is given with the answer of the one before.
    """
    known = {one.question: one.reference for one in solutions()}
    references = list(known.values())
    if broken:
        references = [*references[-1:], *references[:-1]]
    label = {(one.question, one.text.strip()): one.right for one in solutions()}
    method = {"answers": [{"n": SAMPLES}], "rank": ["verifier"], "length_ratio": False}
    pairs, _ = _kept(
        folder / "pairs",
        "preference",
        {"preference": {"source": "asked", **method}},
        [{"prompt": question, "chosen": answer} for question, answer in zip(known, references, strict=True)],
    )
    return {
        "questions_with_a_pair": len({row["prompt"] for row in pairs}),
        "chosen_wrong": sum(not label[row["prompt"], row["chosen"]] for row in pairs),
        "rejected_right": sum(label[row["prompt"], row["rejected"]] for row in pairs),
    }


def _kept(
    folder: Path, kind: str, methods: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], dict[str, int]]:
    """The records of a run over all rows with the recorded solutions for a teacher; drafts turned down."""
    recipe = {
        "name": "word-problems",
        "task": {"kind": kind},
        "sources": {"asked": {"path": "asked.jsonl", "unlabelled": True}},
        "roles": {
            "teacher": {"recorded": "replies.jsonl", "by": "prompt", "match": _MATCH, "licence": "mit"}
        },
        "generate": {"target": len(rows), "examples": 0, "methods": methods},
        # A question may come a second time; the same record of it is one.
        "filters": ["duplicates"],
    }
    place = write_recipe(folder, recipe, {})
    write_jsonl(place / "asked.jsonl", rows)
    recorded(place / "replies.jsonl")
    outcome = seedbed_expecting((_TARGET_NOT_MET,), "run", place)
    out = place / "kept.jsonl"
    seedbed_expecting((0,), "export", place, "--format", "jsonl", "--out", out)
    return read_jsonl(out), outcome.value["accounts"]["drafts"]["rejected"]


DEMONSTRATION = Demonstration(
    id="D5",
    title="word problems",
    shows=(
        "The final answer of each of the four recorded solutions of a GSM8K question is read and compared "
        "with the reference's; the outcome is that of the recorded label for all of them. The filter "
        "`verify` is given each beside the right answer, and passes those that people called right. Then "
        "the solutions are a recorded teacher's replies, four to each question, and `self_consistency` "
        "keeps a question where at least so many come to the same answer: the more agree, the more of "
        "what is kept is right. Last, `preference` makes pairs of the same solutions, by the verifier "
        "alone."
    ),
    broken=(
        "answers are compared as text, no share of the samples is asked for, and each question is given with "
        "another one's answer, for the filter and for the pairs"
    ),
    sets=(SET,),
    measure=measure,
    parts=("answers", "verdicts", "agreement", "preference"),
)
