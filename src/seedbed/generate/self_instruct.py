"""`self_instruct`: a few human tasks grow into many, the model's own among the examples.

Self-Instruct (Wang et al. 2023, arXiv 2212.10560) keeps a pool of human and generated tasks, shows 8 of them
(6 and 2) and takes in what is unlike all that is there. Here the two that are generated come from the cell
itself, which lists a first set by 8 human tasks alone: what a cell asks must depend on no reply of another
cell, or a run could not go on where it was stopped, nor give the same data twice. What is alike within the
cell is turned down here, what is alike in the whole run by the filter `rouge_l`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from seedbed.core.field_text import as_string
from seedbed.core.protocols import Draft
from seedbed.core.record import Rejection
from seedbed.generate.completing import CompletingMethod, asked_field
from seedbed.generate.steps import Steps, Useless
from seedbed.generate.verbalised import LIST_VARIABLES, ListOptions, listed
from seedbed.text.normalise import normalise, units
from seedbed.text.rouge import rouge_l

SHOWN, SHOWN_AGAIN, OWN = 8, 6, 2
LIKE_ANOTHER = 0.7

# A rehearsal repeats a task that it was shown so often.
_REPEATED = 0.05


class SelfInstruct(CompletingMethod):
    """Lists tasks twice, the second time with some of its own among the examples; answers some of those."""

    name: ClassVar[str] = "self_instruct"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "tasks": ("shown", *LIST_VARIABLES),
        "answer": ("question",),
    }

    class Options(ListOptions):
        tasks: int = Field(8, ge=2, le=50, description="tasks in each of the two lists")
        take: int = Field(2, ge=1, le=50, description="tasks drawn from the second list, a draft each")
        threshold: float = Field(
            LIKE_ANOTHER,
            gt=0,
            le=1,
            description="ROUGE-L above which a task repeats another of its cell",
        )

    def examples(self) -> int:
        return SHOWN

    def requests(self) -> tuple[int, int]:
        """A classification asks for no answers; what repeats another is not answered."""
        return 2, 2 + min(self.options.take, self.options.tasks)

    async def drafts(self, steps: Steps) -> list[Draft]:
        options, ctx = self.options, steps.ctx
        field = asked_field(ctx.task)
        human = [as_string(row.fields[field]) for row in ctx.examples]
        first = await self._list(steps, human)
        if not first:
            return [steps.draft({}, rejected=Rejection("no_task"))]
        shown = [*human[:SHOWN_AGAIN], *first[:OWN]]
        more = await self._list(steps, ctx.rng.sample(shown, len(shown)))
        if not more:
            return [steps.draft({}, rejected=Rejection("no_task"))]
        known, drafts = [*human, *first], []
        for question in more[: options.take]:
            drafts.append(await self._draft(steps.branch(), question, known))
            known.append(question)
        return drafts

    async def _list(self, steps: Steps, shown: Sequence[str]) -> list[str]:
        field = asked_field(steps.ctx.task)
        return await listed(
            steps,
            "tasks",
            self.options,
            self.options.tasks,
            lambda pen: pen.rng.choice(shown) if pen.rng.random() < _REPEATED else pen.text(field),
            shown=shown,
        )

    async def _draft(self, steps: Steps, question: str, known: Sequence[str]) -> Draft:
        like, score = nearest(question, known)
        if score > self.options.threshold:
            fields = {asked_field(steps.ctx.task): question}
            return steps.draft(fields, rejected=Rejection("same_wording", {"like": like}, round(score, 3)))
        try:
            fields, _ = await self.complete(steps, "answer", question)
        except Useless as end:
            return end.draft
        return steps.draft(fields, notes={"nearest": like, "rouge_l": round(score, 3)})


def nearest(text: str, others: Sequence[str]) -> tuple[str, float]:
    """The first of the others that is most like a text by ROUGE-L, and how much it is."""
    own = units(normalise(text))
    scores = [rouge_l(own, units(normalise(other))) for other in others]
    best = max(range(len(scores)), key=scores.__getitem__)
    return others[best], scores[best]
