"""What methods that ask for whole records share: every choice of a reply read as a draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal

from pydantic import Field

from seedbed.core.cell import Cell
from seedbed.core.chat import LoggedReply
from seedbed.core.protocols import Asking, Draft, Task
from seedbed.core.record import Unreadable
from seedbed.generate.method import BaseMethod, MethodOptions
from seedbed.generate.reading import read_fields


class OneQuestion(BaseMethod):
    """A method that asks its cell's template once. A subclass says its name, and whether a cell has axes."""

    asks_template: ClassVar[bool] = True

    class Options(MethodOptions):
        output: Literal["json", "text"] = Field(
            "json",
            description="`json`: a JSON object of the fields; `text`: the whole reply is the one field",
        )

    async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]:
        """Ask the cell's template once; one draft a choice, its fixed fields filled in."""
        task, output = ctx.task, self.options.output
        fixed = fixed_fields(cell, task)
        asked = tuple(name for name in task.fields if name not in fixed)
        schema = self.schema(task, tuple(fixed)) if output == "json" else None
        replies = await ctx.ask(cell.template, schema=schema, output=output, fields=asked)
        return drafts_of(task, replies, asked, output, given=fixed)


def drafts_of(
    task: Task,
    replies: Sequence[LoggedReply],
    asked: tuple[str, ...],
    output: Literal["json", "text"] = "json",
    *,
    given: Mapping[str, Any],
    before: Sequence[LoggedReply] = (),
    notes: Mapping[str, Any] | None = None,
) -> list[Draft]:
    """A draft for each reply: the fields asked of it beside those that are `given`, or why there are none.

    `before` are the replies that led to these, in every draft.
    """
    drafts = []
    for reply in replies:
        read, behind = read_fields(reply.choice, asked, output), (*before, reply)
        if isinstance(read, Unreadable):
            drafts.append(Draft({}, behind, unreadable=read))
        else:
            drafts.append(Draft(in_order(task, {**given, **read}), behind, notes=notes or {}))
    return drafts


def in_order(task: Task, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that there are in the task's order."""
    return {name: fields[name] for name in task.fields if name in fields}


def fixed_fields(cell: Cell, task: Task) -> dict[str, str]:
    """Fields that the cell decides, because an axis has their name; the teacher is not asked for them."""
    return {name: str(cell.axes[name]) for name in task.fields if name in cell.axes}
