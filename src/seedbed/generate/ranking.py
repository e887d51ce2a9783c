"""Which of several answers to a question may be chosen, which rejected, and what a pair of them is worth."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, TypeAlias

from seedbed.text.claims import unsupported
from seedbed.verify.answers import answer_key
from seedbed.verify.mathematics import compare, final_answer, stated_equations

Ranker: TypeAlias = Literal["verifier", "groundedness", "judge"]

PASSAGE = {"text", "heading", "document"}
"""The fields of a passage of a document."""


@dataclass(frozen=True, slots=True)
class Question:
    """`known` is the answer that its row has, "" where it has none; `passage` that of a document."""

    text: str
    known: str = ""
    passage: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """`by` is the role that gave it, `prompt` the file where it was not the library's.

    `passes` is what a check says of it, None where it says nothing; `slips` counts false equations.
    `score` is the judge's; where it compared answers, comparisons won less those lost, and `beaten` are the
    texts of the answers that this one won against.
    """

    text: str
    by: str
    prompt: str | None = None
    passes: bool | None = None
    slips: int = 0
    score: int | None = None
    beaten: frozenset[str] | None = None

    def note(self) -> dict[str, Any]:
        said = {
            "by": self.by,
            "prompt": self.prompt,
            "passes": self.passes,
            "score": self.score,
        }
        return {**{name: value for name, value in said.items() if value is not None}, "slips": self.slips}


def checked(answer: Answer, question: Question, decider: Ranker) -> Answer:
    """The answer with what the ranker that decides, if it is a check, says of it."""
    if decider == "verifier":
        slips = sum(equation.result == "different" for equation in stated_equations(answer.text))
        return replace(answer, passes=_is_right(answer.text, question.known), slips=slips)
    if decider == "groundedness" and question.passage is not None:
        source = "\n".join(question.passage[name] for name in sorted(PASSAGE))
        return replace(answer, passes=not unsupported(answer.text, source))
    return answer


def _is_right(answer: str, known: str) -> bool | None:
    """Whether an answer comes to the known one; None where neither can be said."""
    if answer_key(answer) == answer_key(known):
        return True
    ours, theirs = final_answer(answer), final_answer(known)
    if ours is None or theirs is None:
        return None
    return {"equal": True, "different": False}.get(compare(ours, theirs))


def sides(
    answers: Sequence[Answer], decider: Ranker, *, judged: bool
) -> tuple[dict[Answer, None], dict[Answer, None]]:
    """The answers that may be chosen, and those that may be rejected.

    A check parts them. An answer that it cannot tell is neither. Where all are grounded the judge parts them,
    for to be grounded is not yet to be good; where all are right, or all wrong, there is no pair.
    """
    passing = [each for each in answers if each.passes]
    failing = [each for each in answers if each.passes is False]
    if decider == "judge":
        passing = failing = list(answers)
    elif decider == "groundedness" and judged and not failing:
        failing = passing
    return (dict.fromkeys(passing), dict.fromkeys(failing)) if passing and failing else ({}, {})


def round_robin(answers: Sequence[Answer], won: Sequence[tuple[Answer, Answer]]) -> dict[Answer, Answer]:
    """The answers with what they won and lost against one another, of `won` the pairs (better, worse).

    Copeland's score: comparisons won less those lost; ties count for nobody.
    """
    return {
        each: replace(
            each,
            score=sum(better is each for better, _ in won) - sum(worse is each for _, worse in won),
            beaten=frozenset(worse.text for better, worse in won if better is each),
        )
        for each in answers
    }


def decides(chosen: Answer, rejected: Answer, *, margin: int) -> bool:
    """Whether the first is the better: by the check that parts them, else by the judge's scores.

    Where the judge compared answers, the first must have won against the other as well: scores alone may go
    round in a circle.
    """
    if chosen.passes and rejected.passes is False:
        return True
    if chosen.beaten is not None and rejected.text not in chosen.beaten:
        return False
    return chosen.score is not None and rejected.score is not None and chosen.score - rejected.score >= margin


def worth(chosen: Answer, rejected: Answer) -> tuple[int, int, float]:
    """The better the reasoning of the one, the wider the margin and the more alike the lengths."""
    margin = chosen.score - rejected.score if chosen.score is not None and rejected.score is not None else 0
    return -chosen.slips, margin, -abs(math.log(len(chosen.text) / len(rejected.text)))
