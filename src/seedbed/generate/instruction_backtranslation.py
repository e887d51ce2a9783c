"""`instruction_backtranslation`: a real text is the answer, and the teacher writes what was asked.

Humpback (Li et al. 2023, arXiv 2308.06259): the answers are people's own, the instructions are predicted,
and a judge keeps the pairs that it gives the best score. In the paper the model judges itself, as it does
here unless `judge` names another role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from seedbed.core.chat import Pen
from seedbed.core.errors import SourceError
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Record, Rejection, Unreadable
from seedbed.generate.method import MethodOptions
from seedbed.generate.steps import SteppedMethod, Steps
from seedbed.text.normalise import tokens
from seedbed.text.similarity import longest_shared_run

LOWEST, HIGHEST = 1, 5

# What the teacher says of a text that answers nobody.
_NONE = "none"
# So many words of the text in a row are no question about it any more.
_QUOTED = 12

_SCORES = (2, 3, 4, *(5,) * 12)


class InstructionBacktranslation(SteppedMethod):
    """Writes the instruction, then has the pair judged; one draft a text."""

    name: ClassVar[str] = "instruction_backtranslation"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "instruction": ("text", "heading"),
        "judge": ("text", "instruction"),
    }
    tasks: ClassVar[Sequence[str]] = ("instruction",)
    source_kinds: ClassVar[Sequence[SourceKind]] = ("documents", "unlabelled")
    source_once: ClassVar[bool] = True

    class Options(MethodOptions):
        source: str | None = Field(
            None, description="source of the answers: documents, or rows that have the answer alone"
        )
        judge: str = Field("teacher", description="role that scores the pairs")
        keep: int = Field(HIGHEST, ge=LOWEST, le=HIGHEST, description="lowest score that is kept, 1 to 5")
        same_family: Literal["allow"] | None = Field(
            None, description="`allow` lets a judge of the teacher's own model family judge"
        )

    def roles(self) -> Sequence[str]:
        return tuple(dict.fromkeys(("teacher", self.options.judge)))

    def requests(self) -> tuple[int, int]:
        return 2, 2

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx, options = steps.ctx, self.options
        item, task = ctx.source, ctx.task
        assert item is not None, "`source_kinds` asks for it"
        text = _answer(item, task)
        wrote = await steps.object(
            "instruction",
            fields={"instruction": "text"},
            text=text,
            heading=item.fields.get("heading", ""),
            sketch=lambda pen: {"instruction": _some_request(pen, task.fields[0])},
        )
        instruction = str(wrote["instruction"])
        given = {task.fields[0]: instruction, task.fields[-1]: text}
        fields = {name: given.get(name, "") for name in task.fields}
        if instruction.strip(" .\"'").casefold() == _NONE:
            return [steps.draft({}, rejected=Rejection("answers_nobody", {"text": text}))]
        if (run := longest_shared_run(tokens(instruction), tokens(text))) >= _QUOTED:
            return [steps.draft(fields, rejected=Rejection("quotes_its_answer", {"words": run}))]
        score, says = await self._judged(steps, instruction, text)
        notes = {"score": score, "judge": says}
        if score < options.keep:
            rejected = Rejection("score_too_low", {**notes, "least": options.keep}, float(score))
            return [steps.draft(fields, notes=notes, rejected=rejected)]
        return [steps.draft(fields, notes=notes)]

    async def _judged(self, steps: Steps, instruction: str, text: str) -> tuple[int, str]:
        """Score and what it rests on. Raises Useless, also for a score that is none."""
        read = await steps.object(
            "judge",
            fields={"evidence": "text", "score": "integer"},
            role=self.options.judge,
            temperature=0,
            instruction=instruction,
            text=text,
            sketch=_some_judgement,
        )
        score: int = read["score"]
        if not LOWEST <= score <= HIGHEST:
            said = f"'score' should be a whole number from {LOWEST} to {HIGHEST}, not {score}"
            raise steps.useless(Unreadable("invalid_schema", said, steps.replies[-1].choice.text))
        return score, read["evidence"]


def _answer(item: Record, task: Task) -> str:
    """The text of a document's chunk, or the answer of a row that has nothing else."""
    answer = task.fields[-1]
    text = item.fields.get(answer if answer in item.fields else "text")
    if text is None:
        raise SourceError(
            f"source '{item.provenance.source}': instruction_backtranslation works on answers, and its rows "
            f"have no '{answer}'; say which column holds them: columns: {{{answer}: COLUMN}}"
        )
    return str(text)


def _some_request(pen: Pen, field: str) -> str:
    return _NONE if pen.rng.random() < 0.05 else pen.text(field)


def _some_judgement(pen: Pen) -> Mapping[str, Any]:
    score = pen.rng.choice(_SCORES)
    says = "It answers the request." if score == HIGHEST else "It leaves a part of the request open."
    return {"evidence": says, "score": score}
