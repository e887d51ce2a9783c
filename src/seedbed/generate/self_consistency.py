"""`self_consistency`: one question, several answers, and the one that most of them come to.

Wang et al. 2022 (arXiv 2203.11171): reasoning that is wrong is wrong in many ways, so that samples which come
to the same answer are likely to be right. How they are divided says how hard the question is, and those that
lost are worse answers to the same question.
"""

from __future__ import annotations

import json
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from seedbed.core.chat import Pen
from seedbed.core.hashing import seed_from
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Rejection
from seedbed.generate.method import MethodOptions
from seedbed.generate.prompting import fixed_fields, in_order
from seedbed.generate.sampling import WORKED, Answer, AnswerForm, SamplingMethod, question_of
from seedbed.generate.steps import Steps
from seedbed.verify.mathematics import stated_equations

# So often a rehearsal's sample comes to another answer than the others of its question.
_WAVERING = 0.2
# Of an answer, in the notes.
_MOST_SHOWN = 80


class SelfConsistency(SamplingMethod):
    """Votes over the samples of one question; one draft, which is a sample of those that won."""

    name: ClassVar[str] = "self_consistency"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "question": ("asked",),
        "answer": ("asked", "form", "answered"),
    }
    # Long answers are never the same twice; a label has the method `label`.
    tasks: ClassVar[Sequence[str]] = ("math", "instruction", "extraction", "preference", "custom")
    source_kinds: ClassVar[Sequence[SourceKind]] = ("unlabelled", "real")
    source_once: ClassVar[bool] = True

    class Options(MethodOptions):
        source: str | None = Field(
            None, description="source of the questions (default: the teacher writes each question first)"
        )
        samples: int = Field(5, ge=2, le=64, description="answers to each question, in one request")
        temperature: float = Field(0.7, ge=0, le=2, description="at which the answers are sampled")
        agree: float = Field(
            0.6, gt=0, le=1, description="share of the samples that must come to the same answer"
        )
        compare: str | None = Field(
            None,
            description="field that votes (default: the final answer, or all that is answered)",
        )

    def source(self) -> str | None:
        return self.options.source or None

    def examples(self) -> int | None:
        """None are shown where the questions are there: they are for whoever writes one."""
        return 0 if self.options.source else None

    def requests(self) -> tuple[int, int]:
        return (1, 1) if self.options.source else (2, 2)

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if task.label_field is not None:
            return [((), f"the task has labels ({task.label_field}), for which the method `label` asks")]
        compare = self.options.compare
        rest = [name for name in task.fields if name not in task.asked_fields]
        if compare is None or (compare in rest and task.kind not in WORKED):
            return []
        can = "final answers do; remove it" if task.kind in WORKED else f"write one of {', '.join(rest)}"
        return [(("compare",), f"the field '{compare}' cannot vote; {can}")]

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx = steps.ctx
        asked = await self._question(steps)
        known = {**fixed_fields(ctx.cell, ctx.task), **asked}
        form = self.form(ctx.task, tuple(known), self.options.compare)
        answers, useless = await self.sampled(
            steps, "answer", form, asked, lambda pen: _some_answer(pen, form, asked)
        )
        if not answers:
            raise steps.useless(useless[-1][1])
        return [self._elected(steps, known, answers)]

    async def _question(self, steps: Steps) -> dict[str, Any]:
        """What is asked: as the source has it, or as the teacher writes it."""
        task, item = steps.ctx.task, steps.ctx.source
        if item is not None:
            return question_of(task, item)
        fixed = fixed_fields(steps.ctx.cell, task)
        wanted = [name for name in task.asked_fields if name not in (*task.optional_fields, *fixed)]
        written = {}
        if wanted:
            written = await steps.object(
                "question",
                fields=dict.fromkeys(wanted, "text"),
                asked=wanted,
                sketch=lambda pen: {name: pen.text(name) for name in wanted},
            )
        return {name: fixed.get(name) or written.get(name, "") for name in task.asked_fields}

    def _elected(self, steps: Steps, known: Mapping[str, Any], answers: Sequence[Answer]) -> Draft:
        """The draft of the answer that won, or turned down: a tie, too small a share, no answer that lost."""
        task = steps.ctx.task
        votes = Counter(answer.key for answer in answers)
        first, most = min(votes.items(), key=lambda vote: (-vote[1], vote[0]))
        share = most / self.options.samples
        won = [answer for answer in answers if answer.key == first]
        lost = {answer.key: answer for answer in reversed(answers) if answer.key != first}
        losing = sorted(lost.values(), key=lambda answer: (-votes[answer.key], answer.key))
        winner = min(won, key=_wrong_equations)
        counted = {"votes": _shown(votes), "share": round(share, 3)}
        notes = {
            **counted,
            "entropy": round(_entropy(votes), 3),
            "losing": [answer.text for answer in losing],
        }
        fields = {**known, **winner.fields}
        reason = ""
        if task.kind == "preference":
            _, chosen, rejected = task.fields
            fields |= {chosen: winner.text, rejected: losing[0].text if losing else ""}
            reason = "" if losing else "nothing_lost"
        if share < self.options.agree or list(votes.values()).count(most) > 1:
            reason = "no_majority"
        return steps.draft(
            in_order(task, fields),
            notes=notes,
            rejected=Rejection(reason, counted, share) if reason else None,
        )


def _wrong_equations(answer: Answer) -> int:
    """How many of the equations that it states are wrong; a right answer may come of two slips."""
    return sum(equation.result == "different" for equation in stated_equations(answer.text))


def _entropy(votes: Mapping[str, int]) -> float:
    """Of the answers, in bits: 0 where all are the same."""
    total = sum(votes.values())
    return sum(count / total * math.log2(total / count) for count in votes.values())


def _shown(votes: Mapping[str, int]) -> dict[str, int]:
    """The votes with answers cut to what a note can hold."""
    shown: Counter[str] = Counter()
    for key, count in sorted(votes.items()):
        shown[key if len(key) <= _MOST_SHOWN else f"{key[:_MOST_SHOWN]}…"] += count
    return dict(shown)


def _some_answer(pen: Pen, form: AnswerForm, asked: Mapping[str, Any]) -> str | Mapping[str, Any]:
    """The same answer to a question in most draws; in some another one, by another sum."""
    settled = seed_from("answer", json.dumps(asked, sort_keys=True))
    chance = pen.rng if pen.rng.random() < _WAVERING else random.Random(settled)
    first, second = chance.randint(2, 60), chance.randint(2, 60)
    if form.form == "json":
        pen.rng.seed(chance.getrandbits(63))
        return pen.record(form.answered)
    if form.form == "text":
        return str(first)
    way = pen.rng.choice((f"{first} + {second}", f"{second} + {first}"))
    return f"{way} = {first + second}\n#### {first + second}"
