"""`template`: prompt templates times slots, one question a cell.

Conditioning on attributes, sampled uniformly, gives variety that temperature does not
(AttrPrompt, Yu et al. 2023, arXiv 2306.15895).
"""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field

from seedbed.core.cell import Cell
from seedbed.core.protocols import Asking, Draft
from seedbed.generate.prompting import ask_for_draft


class Template:
    """Asks the cell's template once, with every slot filled."""

    name: ClassVar[str] = "template"
    version: ClassVar[int] = 1
    uses_axes: ClassVar[bool] = True

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
