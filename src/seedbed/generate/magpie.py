"""`magpie`: an aligned model writes the user's turn itself, and then answers it.

Xu et al. 2024 (arXiv 2406.08464): sent its own chat template up to where the user's turn begins, a model goes
on with a request of the kind that it was aligned on. It takes open weights, since only a completions
endpoint takes text that is no chat. Nothing is asked for, so that there is no seed data to copy from and no
prompt that all requests sound like; the system message, with axes and task, is what steers.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seedbed.core.chat import Opening
from seedbed.core.protocols import Draft
from seedbed.core.record import Rejection, Unreadable
from seedbed.generate.method import MethodOptions
from seedbed.generate.steps import SteppedMethod, Steps

# Without the mark that begins a text: servers put it there themselves.
TEMPLATES: Mapping[str, Opening] = {
    "chatml": Opening("<|im_start|>system\n", "<|im_end|>\n<|im_start|>user\n", "<|im_end|>"),
    "llama3": Opening(
        "<|start_header_id|>system<|end_header_id|>\n\n",
        "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\n",
        "<|eot_id|>",
    ),
    "phi": Opening("<|system|>\n", "<|end|>\n<|user|>\n", "<|end|>"),
}

_SYSTEM = "{system}"
_MARK = re.compile(r"<\|[\w ]+\|>|</?s>|\[/?INST\]|<(?:start|end)_of_turn>")


class Magpie(SteppedMethod):
    """The request by completion, the answer by chat; one draft a cell."""

    name: ClassVar[str] = "magpie"
    version: ClassVar[int] = 1
    steps: ClassVar[Mapping[str, Sequence[str]]] = {"query": (), "answer": ("request",)}
    tasks: ClassVar[Sequence[str]] = ("instruction", "conversation")

    class Options(MethodOptions):
        template: Literal["chatml", "llama3", "phi", "custom"] = Field(
            "chatml", description="the chat template that the model was trained on"
        )
        prefix: str = Field(
            "",
            description="of a `custom` template: all up to where the user's turn begins, with `{system}` "
            "where the system message stands",
        )
        stop: str = Field("", description="of a `custom` template: the mark that ends a turn")

        @model_validator(mode="after")
        def _custom_is_whole(self) -> Self:
            if self.template != "custom" and (self.prefix or self.stop):
                raise ValueError("prefix and stop are for template: custom; remove them, or write that")
            if self.template == "custom" and (self.prefix.count(_SYSTEM) != 1 or not self.stop):
                raise ValueError(f"template: custom needs stop, and a prefix with {_SYSTEM} in it once")
            return self

        @property
        def opening(self) -> Opening:
            if self.template != "custom":
                return TEMPLATES[self.template]
            before, _, after = self.prefix.partition(_SYSTEM)
            return Opening(before, after, self.stop)

    def examples(self) -> int:
        """No real row is shown."""
        return 0

    def requests(self) -> tuple[int, int]:
        return 2, 2

    async def drafts(self, steps: Steps) -> list[Draft]:
        task, opening = steps.ctx.task, self.options.opening
        written = await steps.text("query", opening=opening, sketch=lambda pen: pen.text(task.fields[0]))
        # A server that knows no `stop` goes on with the answer.
        request = written.partition(opening.stop)[0].strip()
        if not request:
            raise steps.useless(Unreadable("invalid_schema", "the request is empty", written))
        if mark := _MARK.search(request):
            evidence = {"found": mark.group(), "text": request}
            return [steps.draft({}, rejected=Rejection("template_marks", evidence))]
        answer = await steps.text("answer", request=request, sketch=lambda pen: pen.text(task.fields[-1]))
        return [steps.draft(self._fields(steps, request, answer))]

    def _fields(self, steps: Steps, request: str, answer: str) -> Mapping[str, Any]:
        task = steps.ctx.task
        if task.kind == "conversation":
            turns = ({"role": "user", "content": request}, {"role": "assistant", "content": answer})
            return {task.fields[0]: list(turns)}
        said = {task.fields[0]: request, task.fields[-1]: answer}
        return {name: said.get(name, "") for name in task.fields}
