"""`critique`: a draft, what a critic finds in it by one principle, and a revision that answers it.

The supervised stage of Constitutional AI (Bai et al. 2022, arXiv 2212.08073), with principles of good
training data in the place of harmlessness. What was revised and what became of it are a pair as well.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, StringConstraints

from seedbed.core.protocols import Draft, Task
from seedbed.core.record import Rejection
from seedbed.generate.method import MethodOptions
from seedbed.generate.prompting import fixed_fields, in_order
from seedbed.generate.steps import SteppedMethod, Steps

PRINCIPLES = (
    "It does all that was asked, in the form that was asked for, and nothing else.",
    "Every statement of fact in it is true, and every step of its reasoning follows from the one before.",
    "Where something is uncertain, or depends on what is not known, it says so instead of sounding sure.",
    "It begins with what matters most, and no sentence could be left out without a loss to the reader.",
    "Somebody who has to act on it can: it is as concrete as the question allows, in a useful order.",
    "It helps nobody to do harm, gives away nothing private, and does not refuse what is harmless.",
    "It respects everybody whom it mentions, and takes no side that it was not asked to take.",
)
# So often a rehearsal's critic finds something.
_FINDS = 0.7


class Critique(SteppedMethod):
    """Asks the cell's template, then a critic, and for a revision where the critic found something."""

    name: ClassVar[str] = "critique"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "critique": ("asked", "answered", "principle"),
        "revision": ("asked", "answered", "principle", "critique"),
    }
    asks_template: ClassVar[bool] = True
    # A text to be classified is no answer: what people write need not be good.
    tasks: ClassVar[Sequence[str]] = (
        "code",
        "conversation",
        "custom",
        "extraction",
        "instruction",
        "math",
        "preference",
        "translation",
    )

    class Options(MethodOptions):
        principles: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], ...] = (
            Field(
                PRINCIPLES,
                min_length=1,
                description="what a good answer is like, a sentence each; a cell draws one (default: seven)",
            )
        )
        critic: str = Field("teacher", description="role that criticises")

    def roles(self) -> Sequence[str]:
        return tuple(dict.fromkeys(["teacher", self.options.critic]))

    def requests(self) -> tuple[int, int]:
        """Without a revision, where the critic finds nothing, and with it."""
        return 2, 3

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx = steps.ctx
        task, known = ctx.task, fixed_fields(ctx.cell, ctx.task)
        # The worse answer of a pair is the one before its revision.
        later = task.fields[2:] if task.kind == "preference" else ()
        first = {**known, **await self._written(steps, ctx.cell.template, tuple(known), later)}
        principle = ctx.rng.choice(self.options.principles)
        asked = {name: first[name] for name in task.asked_fields if name in first}
        if len(asked) == len(first):  # of a conversation the whole is answered
            asked = {}
        answered = {name: value for name, value in first.items() if name not in asked and name not in known}
        said = await steps.object(
            "critique",
            fields={"critique": "text", "revise": "boolean"},
            role=self.options.critic,
            temperature=0,
            asked=asked,
            answered=answered,
            principle=principle,
            sketch=lambda pen: {"critique": pen.text(), "revise": pen.rng.random() < _FINDS},
        )
        notes = {"principle": principle, "critique": said["critique"], "revised": said["revise"]}
        if not said["revise"]:
            return [self._as_it_was(steps, task, first, notes)]
        revised = await self._written(
            steps,
            "revision",
            (*known, *asked),
            later,
            asked=asked,
            answered=answered,
            principle=principle,
            critique=said["critique"],
            sketch=lambda pen: pen.record(tuple(answered)),
        )
        if revised == answered:
            return [self._as_it_was(steps, task, first, {**notes, "revised": False})]
        notes["before"] = answered
        fields = {**first, **revised}
        if later:
            fields[later[0]] = first[task.fields[1]]
        return [steps.draft(in_order(task, fields), notes=notes)]

    async def _written(
        self, steps: Steps, step: str, known: tuple[str, ...], later: tuple[str, ...], **asked: Any
    ) -> dict[str, Any]:
        """The fields that are neither known nor come later. Raises Useless, NoAnswer."""
        task = steps.ctx.task
        omit = (*known, *later)
        fields = tuple(name for name in task.fields if name not in omit)
        return await steps.fields(step, fields, schema=self.schema(task, omit), fields=fields, **asked)

    def _as_it_was(
        self, steps: Steps, task: Task, first: Mapping[str, Any], notes: Mapping[str, Any]
    ) -> Draft:
        """The first draft, which stays; of a preference pair there is then but one side."""
        if task.kind != "preference":
            return steps.draft(in_order(task, first), notes=notes)
        return steps.draft(first, notes=notes, rejected=Rejection("nothing_revised", dict(notes)))
