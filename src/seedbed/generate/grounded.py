"""`grounded`: a question from a passage of a document, an answer that quotes it, and a check of both.

Who answers does not see who asked: it quotes first and answers from its quotation, as models trained to cite
do (GopherCite, Menick et al. 2022, arXiv 2203.11147). What can be checked without a model is: the quotation
stands in the passage, and so does every number, date and name of the answer. Questions that the passage does
not answer go the same way, and are kept where whoever answers says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from seedbed.core.chat import Pen
from seedbed.core.protocols import Asking, Draft, SourceKind
from seedbed.core.record import Rejection
from seedbed.generate.method import MethodOptions
from seedbed.generate.quotation import place_of, quoted
from seedbed.generate.steps import SteppedMethod, Steps
from seedbed.text.claims import CLAIM_KINDS, ClaimKind, unsupported

NO_QUOTE = "none"

# Shares of a rehearsal's answers: a quotation that is none, a number that is in no passage, no answer.
_MISQUOTED, _MADE_UP, _DECLINED = 0.05, 0.08, 0.05


class Grounded(SteppedMethod):
    """One question to one passage; the record's notes say where in the passage the answer stands."""

    name: ClassVar[str] = "grounded"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "question": ("passage", "answerable"),
        "answer": ("passage", "question"),
    }
    tasks: ClassVar[Sequence[str]] = ("instruction",)
    source_kinds: ClassVar[Sequence[SourceKind]] = ("documents",)

    class Options(MethodOptions):
        source: str | None = Field(None, description="source of the documents (default: the only one)")
        unanswerable: Annotated[float, Field(ge=0, le=1)] | dict[str, str] = Field(
            0.0,
            description="questions that the passage does not answer: their share, or the value of an axis "
            "that asks for them, `{AXIS: VALUE}`",
        )
        check: tuple[ClaimKind, ...] = Field(
            CLAIM_KINDS, description="what of the answer must stand in the passage: date, number, name"
        )

        @field_validator("unanswerable")
        @classmethod
        def _one_axis(cls, value: float | dict[str, str]) -> float | dict[str, str]:
            if isinstance(value, dict) and len(value) != 1:
                raise ValueError(
                    "must be a share, or one axis with its value, such as {kind: not_in_handbook}"
                )
            return value

    def requests(self) -> tuple[int, int]:
        return 2, 2

    def axis_values(self) -> Mapping[str, str]:
        wanted = self.options.unanswerable
        return wanted if isinstance(wanted, dict) else {}

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx = steps.ctx
        assert ctx.source is not None, "`source_kinds` asks for it"
        passage = ctx.source.fields
        answerable = self._is_answerable(ctx)
        asked, *context, answered = ctx.task.fields
        question = await steps.object(
            "question",
            fields={"question": "text"},
            passage=passage,
            answerable=answerable,
            sketch=lambda pen: {"question": pen.text(asked)},
        )
        said = await steps.object(
            "answer",
            fields={"quote": "text", "answer": "text"},
            passage=passage,
            question=question["question"],
            # Who answers must find out whether there is an answer.
            slots={axis: value for axis, value in ctx.slots.items() if axis not in self.axis_values()},
            sketch=lambda pen: _some_answer(pen, passage["text"], answerable),
        )
        fields = {
            asked: question["question"],
            **dict.fromkeys(context, passage["text"]),
            answered: said["answer"],
        }
        if said["quote"].strip("\"'. ").casefold() == NO_QUOTE:
            place = place_of(passage)
            notes: dict[str, Any] = {"answerable": False, "evidence": place}
            if answerable:
                return [steps.draft(fields, notes=notes, rejected=Rejection("not_answered", place))]
            return [self._checked(steps, fields, notes, f"{_read(passage)}\n{question['question']}")]
        evidence = quoted(said["quote"], passage)
        if isinstance(evidence, Rejection):
            return [steps.draft(fields, rejected=evidence)]
        notes = {"answerable": True, "evidence": evidence}
        if not answerable:
            return [steps.draft(fields, notes=notes, rejected=Rejection("answered_after_all", evidence))]
        return [self._checked(steps, fields, notes, _read(passage))]

    def _is_answerable(self, ctx: Asking) -> bool:
        """Whether the cell wants a question that its passage answers."""
        if axes := self.axis_values():
            return all(ctx.slots.get(axis) != value for axis, value in axes.items())
        return bool(ctx.rng.random() >= self.options.unanswerable)

    def _checked(
        self, steps: Steps, fields: Mapping[str, Any], notes: Mapping[str, Any], source: str
    ) -> Draft:
        answer = fields[steps.ctx.task.fields[-1]]
        claims = [f"{claim.kind} {claim.text}" for claim in unsupported(answer, source, self.options.check)]
        if not claims:
            return steps.draft(fields, notes=notes)
        evidence = {**notes["evidence"], "claims": claims}
        return steps.draft(fields, notes=notes, rejected=Rejection("unsupported", evidence))


def _read(passage: Mapping[str, Any]) -> str:
    """All of a passage that the answer's prompt shows."""
    return f"{passage['document']}\n{passage['heading']}\n{passage['text']}"


def _some_answer(pen: Pen, text: str, answerable: bool) -> Mapping[str, str]:
    """A line of the passage as quotation and answer, at times with a fault."""
    if not answerable or pen.rng.random() < _DECLINED:
        return {"quote": NO_QUOTE, "answer": "That is not said here."}
    line = pen.rng.choice([line for line in text.splitlines() if line.strip()])
    quote = pen.text() if pen.rng.random() < _MISQUOTED else line
    made_up = f" That makes {pen.rng.randrange(100_000, 1_000_000)}." if pen.rng.random() < _MADE_UP else ""
    return {"quote": quote, "answer": f"As it is written: {line.strip()}{made_up}"}
