"""From what is asked to a whole record: the step that methods which first find a question end with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

from seedbed.core.chat import Pen
from seedbed.core.protocols import Task
from seedbed.core.record import Unreadable
from seedbed.generate.prompting import fixed_fields
from seedbed.generate.steps import SteppedMethod, Steps


class CompletingMethod(SteppedMethod):
    """A method that first finds what is asked (the task's first text field), then the rest of the record."""

    # Of a conversation nothing stands before the rest.
    tasks: ClassVar[Sequence[str]] = (
        "classification",
        "code",
        "custom",
        "extraction",
        "instruction",
        "math",
        "preference",
        "translation",
    )

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._with_texts: dict[tuple[tuple[str, ...], tuple[str, ...]], dict[str, Any]] = {}

    async def complete(
        self,
        steps: Steps,
        step: str,
        question: str,
        *,
        beside: Sequence[str] = (),
        wrote: Callable[[Pen], Mapping[str, str]] | None = None,
        **asked: Any,
    ) -> tuple[dict[str, Any], dict[str, str]]:
        """The record of a question, and what the reply says beside it: texts, perhaps empty.

        The fields that neither the question nor the cell decides are asked for; where there are none (a
        classification) nothing is asked and nothing said. The step has `question` and `fields`. `wrote` is
        what a rehearsal says beside the record. Raises Useless, NoAnswer.
        """
        ctx = steps.ctx
        known = {**fixed_fields(ctx.cell, ctx.task), asked_field(ctx.task): question}
        rest = tuple(name for name in ctx.task.fields if name not in known)
        if not rest:
            return {name: known[name] for name in ctx.task.fields}, {}
        read = await steps.fields(
            step,
            (*rest, *beside),
            schema=self._schema(ctx.task, tuple(known), tuple(beside)),
            fields=rest,
            question=question,
            sketch=(lambda pen: {**pen.record(rest), **wrote(pen)}) if wrote else None,
            **asked,
        )
        if wrong := [name for name in beside if not isinstance(read[name], str)]:
            said = steps.replies[-1].choice.text
            raise steps.useless(Unreadable("invalid_schema", f"{wrong[0]!r} should be a text", said))
        fields = {name: known[name] if name in known else read[name] for name in ctx.task.fields}
        return fields, {name: read[name].strip() for name in beside}

    def _schema(self, task: Task, omit: tuple[str, ...], beside: tuple[str, ...]) -> dict[str, Any]:
        if (omit, beside) not in self._with_texts:
            schema = self.schema(task, omit)
            texts = {name: {"type": "string"} for name in beside}
            self._with_texts[omit, beside] = {
                **schema,
                "properties": {**schema["properties"], **texts},
                "required": [*schema["required"], *beside],
            }
        return self._with_texts[omit, beside]


def asked_field(task: Task) -> str:
    """The field that holds what is asked, or what is written about: the first that is text."""
    return task.text_fields[0]


def open_fields(task: Task) -> list[str]:
    """The fields that a question leaves to be asked for; the label is the cell's."""
    return [name for name in task.fields if name not in (asked_field(task), task.label_field)]
