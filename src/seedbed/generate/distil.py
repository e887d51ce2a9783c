"""`distil`: what people really asked, answered by the teacher.

Sequence-level distillation (Kim & Rush 2016, arXiv 1606.07947): a student learns from what the teacher
answers. The prompts are those of real users, which no teacher invents as they are.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.cell import Cell
from seedbed.core.protocols import Asking, Draft, SourceKind, Task
from seedbed.generate.method import BaseMethod, MethodOptions
from seedbed.generate.prompting import drafts_of
from seedbed.generate.sampling import question_of


class Distil(BaseMethod):
    """Asks each real prompt once, for one answer or several; what is asked stays as it is."""

    name: ClassVar[str] = "distil"
    version: ClassVar[int] = 1
    # `asked` is the user's message as a chat of the task has it.
    steps: ClassVar[Mapping[str, Sequence[str]]] = {"answer": ("asked",)}
    uses_axes: ClassVar[bool] = False
    tasks: ClassVar[Sequence[str]] = ("instruction", "math", "code", "extraction", "translation", "custom")
    source_kinds: ClassVar[Sequence[SourceKind]] = ("unlabelled", "real")
    source_once: ClassVar[bool] = True

    class Options(MethodOptions):
        source: str | None = Field(
            None, description="source of the prompts (default: the only unlabelled one, or all real rows)"
        )
        answers: int = Field(1, ge=1, le=16, description="answers to each prompt, each a draft of its own")
        temperature: float = Field(0.7, ge=0, le=2, description="at which several answers are sampled")

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        if task.label_field is None:
            return []
        return [((), f"the task has labels ({task.label_field}), for which the method `label` asks")]

    async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]:
        task, item, options = ctx.task, ctx.source, self.options
        assert item is not None, "`source_kinds` asks for it"
        given = question_of(task, item)
        answered = tuple(name for name in task.fields if name not in task.asked_fields)
        schema = self.schema(task, task.asked_fields)
        # One field of text is the whole reply: no form stands between the question and the answer.
        plain = len(answered) == 1 and schema["properties"][answered[0]].get("type") == "string"
        output: Literal["json", "text"] = "text" if plain else "json"
        replies = await ctx.ask(
            "answer",
            n=options.answers,
            temperature=options.temperature if options.answers > 1 else None,
            schema=None if plain else schema,
            output=output,
            fields=answered,
            asked=next(turn["content"] for turn in task.as_chat(given) if turn["role"] == "user"),
        )
        return drafts_of(task, replies, answered, output, given=given)
