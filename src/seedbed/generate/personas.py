"""`personas`: a text suggests a person, the person another, and one of them is who writes the record.

Persona Hub (Ge et al. 2024, arXiv 2406.20094): text-to-persona asks who would read, write, like or dislike a
text, persona-to-persona who stands in a relation to somebody. A persona brings a situation and a way of
speaking along, which variety of wording alone does not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from pydantic import Field

from seedbed.core.chat import Pen
from seedbed.core.protocols import Draft, SourceKind, Task
from seedbed.core.record import Record, Rejection
from seedbed.generate.prompting import drafts_of, fixed_fields
from seedbed.generate.steps import SteppedMethod, Steps
from seedbed.generate.verbalised import LIST_VARIABLES, ListOptions, listed
from seedbed.text.similarity import unlike


class Personas(SteppedMethod):
    """Finds personas in the text that the cell works on, and writes as one of them or of their relations."""

    name: ClassVar[str] = "personas"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {
        "find": ("passages", "known", *LIST_VARIABLES),
        "relate": ("personas", "known", *LIST_VARIABLES),
        "write": ("persona",),
    }
    source_kinds: ClassVar[Sequence[SourceKind]] = ("documents", "unlabelled", "real")

    class Options(ListOptions):
        source: str | None = Field(
            None,
            description="source of the texts (default: the only documents, else unlabelled or real rows)",
        )
        personas: int = Field(5, ge=1, le=50, description="personas listed for the text; one is drawn")
        related: int = Field(
            5, ge=0, le=50, description="personas listed that have to do with that one; 0 asks for none"
        )
        drafts: int = Field(1, ge=1, le=16, description="records that the persona writes, in one request")
        temperature: float | None = Field(
            None, ge=0, le=2, description="at which they are written (default: the recipe's)"
        )

    def requests(self) -> tuple[int, int]:
        asked = 2 + bool(self.options.related)
        return asked, asked

    async def drafts(self, steps: Steps) -> list[Draft]:
        ctx, options = steps.ctx, self.options
        assert ctx.source is not None, "`source_kinds` asks for it"
        text = text_of_item(ctx.task, ctx.source)
        found = await listed(
            steps, "find", options, options.personas, _some_persona, passages=[text], known=()
        )
        if not found:
            return [steps.draft({}, rejected=Rejection("no_persona"))]
        persona = found[0]
        if options.related:
            related = await listed(
                steps, "relate", options, options.related, _some_persona, personas=[persona], known=found
            )
            persona = ctx.rng.choice([persona, *unlike(related, found)[:1]])
        return await self._written(steps, persona)

    async def _written(self, steps: Steps, persona: str) -> list[Draft]:
        ctx, before = steps.ctx, tuple(steps.replies)
        fixed = fixed_fields(ctx.cell, ctx.task)
        asked = tuple(name for name in ctx.task.fields if name not in fixed)
        replies = await steps.several(
            "write",
            self.options.drafts,
            schema=self.schema(ctx.task, tuple(fixed)),
            temperature=self.options.temperature,
            fields=asked,
            persona=persona,
        )
        return drafts_of(ctx.task, replies, asked, given=fixed, before=before, notes={"persona": persona})


def text_of_item(task: Task, item: Record) -> str:
    """What a source's item says: a chunk as it stands, of a row what the task calls its text."""
    return str(item.fields["text"]) if "document" in item.fields else task.as_text(item.fields)


def _some_persona(pen: Pen) -> str:
    return f"{pen.value()}, who {pen.text()[:60].rstrip(' .').lower()}"
