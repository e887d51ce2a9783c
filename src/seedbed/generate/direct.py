"""`direct`: one structured prompt, drawn again and again.

The baseline that every other method must beat on diversity: it knows no slots.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.cell import Cell
from seedbed.core.protocols import Asking, Draft
from seedbed.generate.prompting import ask_for_draft


class Direct:
    """Asks the library's prompt for the task, with the label and examples but without axes."""

    name: ClassVar[str] = "direct"
    version: ClassVar[int] = 1
    uses_axes: ClassVar[bool] = False

    class Options(BaseModel):
        model_config = ConfigDict(extra="forbid", frozen=True)

        output: Literal["json", "text"] = Field(
            "json",
            description="`json`: a JSON object of the fields; `text`: the whole reply is the one field",
        )

    def __init__(self, options: Options) -> None:
        self.options = options

    async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]:
        return await ask_for_draft(cell, ctx, self.options.output)
