"""`evolve`: a task is made harder or wider, a step at a time, and answered at the end.

Evol-Instruct of WizardLM (Xu et al. 2023, arXiv 2304.12244): in depth by a constraint, by deepening, by
concrete terms or by more steps of reasoning, and in breadth by a rarer task of the same field. A step is
refused where it gained nothing, where it carries words of the prompt that asked for it, or where the model
excuses itself; the next one goes on from the last good task.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from seedbed.core.chat import Pen
from seedbed.core.field_text import as_string
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Rejection
from seedbed.generate.completing import CompletingMethod, asked_field
from seedbed.generate.method import MethodOptions
from seedbed.generate.steps import Steps
from seedbed.text.normalise import normalise, units
from seedbed.text.rouge import rouge_l

Way: TypeAlias = Literal["constrain", "deepen", "concretise", "reason", "broaden"]
WAYS: tuple[Way, ...] = ("constrain", "deepen", "concretise", "reason", "broaden")

# Above this ROUGE-L the new task is the old one.
_SAME = 0.9
# An answer that begins with an excuse and is shorter than this is nothing else.
_EXCUSE_WORDS = 80

# What the prompts of this method, and those of the paper, call things.
_LEAK = re.compile(
    r"\b(?:given|rewritten|evolved|created|original)[ _](?:prompt|task|instruction)s?\b|</?task>",
    re.IGNORECASE,
)
_APOLOGY = re.compile(
    r"\A\W*(?:i['’]?m (?:very |so |really )?sorry|sorry\b|i (?:do )?apologi[sz]e|my apologies"
    r"|unfortunately,? i\b|i (?:can ?not|can['’]?t|am unable to|am not able to|won['’]?t)\b|as an ai\b)",
    re.IGNORECASE,
)

# Shares of a rehearsal's steps that are refused.
_UNCHANGED, _LEAKED, _SORRY = 0.06, 0.04, 0.03


class Evolve(CompletingMethod):
    """Evolves the question of a real row, or a first one that is asked for, and answers what comes of it."""

    name: ClassVar[str] = "evolve"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "first": (),
        "evolve": ("question", "way"),
        "compare": ("question", "evolved"),
        "answer": ("question",),
    }
    tasks: ClassVar[Sequence[str]] = ("code", "custom", "instruction", "math", "preference")
    source_kinds: ClassVar[Sequence[SourceKind]] = ("real",)

    class Options(MethodOptions):
        start: Literal["real", "new"] = Field(
            "real",
            description="begin with what a `real` row asks, or with a `new` task that is asked for",
        )
        source: str | None = Field(None, description="source of the rows to start from (default: all real)")
        rounds: int = Field(4, ge=1, le=10, description="most steps; each cell draws how many it goes")
        ways: tuple[Way, ...] = Field(
            WAYS, min_length=1, description="the ways that a step draws from, of those below"
        )
        comparer: str | None = Field(
            None, description="role that is asked whether a step gained anything (default: words alone tell)"
        )

        @model_validator(mode="after")
        def _rows_or_none(self) -> Self:
            if self.start == "new" and self.source is not None:
                raise ValueError("start: new begins with no row; take source out, or write start: real")
            return self

    def source(self) -> str | None:
        return (self.options.source or "") if self.options.start == "real" else None

    def roles(self) -> Sequence[str]:
        return tuple(dict.fromkeys(["teacher", *filter(None, [self.options.comparer])]))

    def requests(self) -> tuple[int, int]:
        ends = int(self.options.start == "new") + 1
        step = 1 + (self.options.comparer is not None)
        return ends + step, ends + step * self.options.rounds

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if task.label_field is not None:
            return [((), f"evolve makes a task another one, of which nobody knows the {task.label_field}")]
        return []

    async def drafts(self, steps: Steps) -> list[Draft]:
        options, rng = self.options, steps.ctx.rng
        question = await self._first(steps)
        went, refused, left = list[str](), dict[str, str](), list(options.ways)
        for number in range(1, rng.randint(1, options.rounds) + 1):
            if not left:
                break
            way = rng.choice(left)
            evolved, wrong = await self._step(steps, question, way)
            if wrong:
                # The same question would have the same reply.
                refused[f"{number} {way}"] = wrong
                left.remove(way)
            else:
                question, left = evolved, list(options.ways)
                went.append(way)
        notes = {"ways": went, **({"refused": refused} if refused else {})}
        if not went:
            reason = next(iter(refused.values()))
            return [steps.draft({}, notes=notes, rejected=Rejection(reason, {"steps": refused}))]
        fields, _ = await self.complete(steps, "answer", question)
        if apology := _apology_in(fields, steps.ctx.task):
            evidence = {"answer": apology[:200]}
            return [steps.draft(fields, notes=notes, rejected=Rejection("apology", evidence))]
        return [steps.draft(fields, notes=notes)]

    async def _first(self, steps: Steps) -> str:
        ctx = steps.ctx
        if ctx.source is not None:
            return ctx.task.as_chat(ctx.source.fields)[0]["content"]
        field = asked_field(ctx.task)
        asked = await steps.object(
            "first", fields={"task": "text"}, sketch=lambda pen: {"task": pen.text(field)}
        )
        return str(asked["task"])

    async def _step(self, steps: Steps, question: str, way: Way) -> tuple[str, str]:
        """The evolved task, and why it is refused, "" where it is not."""
        field = asked_field(steps.ctx.task)
        asked = await steps.object(
            "evolve",
            fields={"task": "text"},
            question=question,
            way=way,
            sketch=lambda pen: {"task": _some_step(pen, question, pen.text(field))},
        )
        evolved = str(asked["task"])
        if _APOLOGY.search(evolved):
            return evolved, "apology"
        if (leak := _LEAK.search(evolved)) and leak.group().casefold() not in question.casefold():
            return evolved, "prompt_leaked"
        if rouge_l(units(normalise(question)), units(normalise(evolved))) > _SAME:
            return evolved, "nothing_gained"
        if self.options.comparer is not None:
            compared = await steps.object(
                "compare",
                fields={"difference": "text", "equal": "boolean"},
                role=self.options.comparer,
                temperature=0,
                question=question,
                evolved=evolved,
                sketch=lambda pen: {"difference": pen.text(), "equal": pen.rng.random() < _UNCHANGED},
            )
            if compared["equal"]:
                return evolved, "nothing_gained"
        return evolved, ""


def _apology_in(fields: Mapping[str, Any], task: Task) -> str:
    """The first field beside the question that excuses itself and is no whole answer, as the paper has it."""
    texts = [as_string(value) for name, value in fields.items() if name != asked_field(task)]
    return next((text for text in texts if _APOLOGY.search(text) and len(units(text)) < _EXCUSE_WORDS), "")


def _some_step(pen: Pen, question: str, evolved: str) -> str:
    at = pen.rng.random()
    if at < _UNCHANGED:
        return question
    if at < _UNCHANGED + _LEAKED:
        return f"Here is the rewritten prompt: {evolved}"
    if at < _UNCHANGED + _LEAKED + _SORRY:
        return "I'm sorry, but this task cannot be made any harder."
    return evolved
