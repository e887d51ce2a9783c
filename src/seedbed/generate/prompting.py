"""What the methods of a single question share: ask once, read every choice as a draft."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.cell import Cell
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
        drafts = []
        for reply in await ctx.ask(cell.template, schema=schema, output=output, fields=asked):
            read = read_fields(reply.choice, asked, output)
            if isinstance(read, Unreadable):
                drafts.append(Draft({}, (reply,), read))
            else:
                fields = {name: fixed[name] if name in fixed else read[name] for name in task.fields}
                drafts.append(Draft(fields, (reply,)))
        return drafts


def fixed_fields(cell: Cell, task: Task) -> dict[str, str]:
    """Fields that the cell decides, because an axis has their name; the teacher is not asked for them."""
    return {name: str(cell.axes[name]) for name in task.fields if name in cell.axes}
