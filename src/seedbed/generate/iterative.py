"""`iterative`: topics, questions on one of them, their answers, and a validation, each a question to a model.

Each stage is told what the one before it found, and each can turn down: nothing worth asking here, no answer
to that, an answer that does not hold. Topics may be a tree that a cell walks from its root to a leaf, as the
taxonomy of GLAN (Li et al. 2024, arXiv 2402.13064); with documents the topics are those of a chunk, and an
answer quotes its chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import Field, field_validator

from seedbed.core.chat import Pen
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Rejection
from seedbed.generate.completing import CompletingMethod, asked_field, open_fields
from seedbed.generate.quotation import quoted
from seedbed.generate.steps import Steps, Useless
from seedbed.generate.verbalised import LIST_VARIABLES, ListOptions, listed

Stage: TypeAlias = Literal["topics", "questions", "answers", "validation"]
STAGES: tuple[Stage, ...] = ("topics", "questions", "answers", "validation")

# Shares of a rehearsal's answers that fall to each stage.
_DECLINED, _MISQUOTED, _INVALID = 0.05, 0.07, 0.1


class Iterative(CompletingMethod):
    """One topic a cell, some of the questions listed for it, a draft for each of them."""

    name: ClassVar[str] = "iterative"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "topics": ("passage", "within", *LIST_VARIABLES),
        "questions": ("passage", "topic", *LIST_VARIABLES),
        "answers": ("passage", "topic", "question"),
        "validation": ("passage", "record"),
    }
    source_kinds: ClassVar[Sequence[SourceKind]] = ("documents",)
    source_option: ClassVar[str] = "grounded"

    class Options(ListOptions):
        stages: tuple[Stage, ...] = Field(
            STAGES,
            description="those of topics, questions, answers, validation that are asked, in this order",
        )
        topics: int = Field(10, ge=1, le=100, description="topics listed; the cell draws one of them")
        depth: int = Field(
            1, ge=1, le=4, description="levels of the tree of topics: each lists what is within the one drawn"
        )
        questions: int = Field(6, ge=1, le=50, description="questions listed for the topic")
        take: int = Field(
            2, ge=1, le=50, description="questions drawn from the list and answered, a draft each"
        )
        grounded: str | None = Field(
            None, description="source of documents that topics come from and answers quote (default: none)"
        )
        validator: str = Field("teacher", description="role that is asked whether an answer holds")

        @field_validator("stages")
        @classmethod
        def _in_order(cls, value: tuple[Stage, ...]) -> tuple[Stage, ...]:
            if "questions" not in value or list(value) != [stage for stage in STAGES if stage in value]:
                raise ValueError(
                    f"must name questions, and each stage once in this order: {', '.join(STAGES)}"
                )
            return value

    def source(self) -> str | None:
        return self.options.grounded or None

    def roles(self) -> Sequence[str]:
        validates = "validation" in self.options.stages
        return tuple(dict.fromkeys(["teacher", *([self.options.validator] if validates else [])]))

    def requests(self) -> tuple[int, int]:
        """At least one question passes; at most all that are taken. A classification asks for no answers."""
        options = self.options
        lists = options.depth * ("topics" in options.stages) + 1
        validation = int("validation" in options.stages)
        most = min(options.take, options.questions) * (validation + ("answers" in options.stages))
        return lists + validation, lists + most

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if (rest := open_fields(task)) and "answers" not in self.options.stages:
            fields = ", ".join(rest)
            return [(("stages",), f"the stage answers is missing, which alone gives the fields: {fields}")]
        return []

    async def drafts(self, steps: Steps) -> list[Draft]:
        options, ctx = self.options, steps.ctx
        passage = ctx.source.fields if ctx.source is not None else None
        topic, drawn = "", list[str]()
        for _ in range(options.depth if "topics" in options.stages else 0):
            topics = await listed(
                steps,
                "topics",
                options,
                options.topics,
                lambda pen: pen.value(),
                passage=passage,
                within=drawn,
            )
            if not topics:
                return [self._refused(steps, "no_topic", drawn)]
            drawn = [*drawn, topics[0]]
            topic = " > ".join(drawn)
        field = asked_field(ctx.task)
        questions = await listed(
            steps,
            "questions",
            options,
            options.questions,
            lambda pen: pen.text(field),
            passage=passage,
            topic=topic,
        )
        if not questions:
            return [self._refused(steps, "no_question", drawn)]
        drafts = []
        for question in islice(questions, options.take):
            branch = steps.branch()
            try:
                drafts.append(await self._draft(branch, question, topic, passage))
            except Useless as end:
                drafts.append(end.draft)
        return drafts

    async def _draft(
        self, steps: Steps, question: str, topic: str, passage: Mapping[str, Any] | None
    ) -> Draft:
        options = self.options
        fields, said = await self.complete(
            steps,
            "answers",
            question,
            beside=("declined", "quote") if passage else ("declined",),
            wrote=lambda pen: _beside(pen, passage, steps.ctx.task),
            passage=passage,
            topic=topic,
        )
        notes: dict[str, Any] = {"topic": topic} if topic else {}
        if declined := said.get("declined"):
            return steps.draft(fields, notes=notes, rejected=Rejection("unanswerable", {"why": declined}))
        if passage is not None and "quote" in said:
            evidence = quoted(said["quote"], passage)
            if isinstance(evidence, Rejection):
                return steps.draft(fields, notes=notes, rejected=evidence)
            notes["evidence"] = evidence
        if "validation" in options.stages:
            verdict = await steps.object(
                "validation",
                fields={"reasons": "text", "valid": "boolean"},
                role=options.validator,
                temperature=0,
                passage=passage,
                record=fields,
                sketch=lambda pen: {"reasons": pen.text(), "valid": pen.rng.random() >= _INVALID},
            )
            if not verdict["valid"]:
                why = Rejection("failed_validation", {"reasons": verdict["reasons"]})
                return steps.draft(fields, notes=notes, rejected=why)
        return steps.draft(fields, notes=notes)

    def _refused(self, steps: Steps, reason: str, drawn: Sequence[str]) -> Draft:
        return steps.draft({}, rejected=Rejection(reason, {"topics": list(drawn)}))


def _beside(pen: Pen, passage: Mapping[str, Any] | None, task: Task) -> dict[str, str]:
    """What is said beside a record; and of a passage also its answer, or no check of it could hold."""
    declined = pen.text() if pen.rng.random() < _DECLINED else ""
    if passage is None:
        return {"declined": declined}
    lines = [line.strip() for line in passage["text"].splitlines() if line.strip()]
    line = pen.rng.choice(lines) if lines else pen.text()
    quote = pen.text() if pen.rng.random() < _MISQUOTED else line
    asked = (*task.asked_fields, task.label_field)
    answers = [name for name in task.text_fields if name not in asked]
    return {**dict.fromkeys(answers[:1], f"As it is written: {line}"), "declined": declined, "quote": quote}
