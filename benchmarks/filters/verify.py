"""`verify` against GSM8K's recorded solutions, each marked right or wrong, and those that people wrote."""

from __future__ import annotations

from collections.abc import Iterable

from benchmarks.evidence.gsm8k import solutions
from benchmarks.filters.figure import Figure, Rate, precision_and_recall
from benchmarks.filters.trial import generated, trial
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.tasks.math import Math
from seedbed.verify.mathematics import final_answer, without_answer

CONTEXT = FilterContext(Math.bind(Math.Options(), None))


def measure() -> list[Figure]:
    """By the right answer, and by stated equations alone, which know nothing of it: most that are wrong
    reckon well and reason badly. A solution of people comes without its marked answer."""
    recorded = list(solutions())
    wrong = [not one.right for one in recorded]
    references = list(dict.fromkeys((one.question, one.reference) for one in recorded))
    of_people = trial(
        "verify",
        records((question, without_answer(text), final_answer(text) or "") for question, text in references),
        CONTEXT,
    )
    dropped = Rate(sum(of_people.found), len(references))
    of_models = records((one.question, one.text, final_answer(one.reference) or "") for one in recorded)
    figures = []
    for check, data in (("answer", "with the right answer"), ("equations", "by stated equations alone")):
        found = trial("verify", of_models, CONTEXT, check=[check])
        rates = precision_and_recall(found.found, wrong)
        figures.append(
            Figure(
                "verify", f"GSM8K, recorded solutions {data}", len(wrong), *rates, None, found.rows_per_second
            )
        )
    people = "GSM8K, solutions of people"
    return [
        *figures,
        Figure("verify", people, len(references), None, None, dropped, of_people.rows_per_second),
    ]


def records(rows: Iterable[tuple[str, str, str]]) -> list[Record]:
    return [
        generated(str(at), {"question": question, "solution": solution, "answer": answer})
        for at, (question, solution, answer) in enumerate(rows)
    ]
