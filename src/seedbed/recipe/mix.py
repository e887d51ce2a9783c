"""Section `mix`: how generated and real rows stand together in the training file."""

from __future__ import annotations

from pydantic import Field

from seedbed.recipe.section import Float, Int, Section


class Mix(Section):
    """The mixture that is proved against real data alone."""

    synthetic: Float = Field(0.75, ge=0, le=1, description="share of generated rows in the mix")
    size: Int | None = Field(None, ge=1, description="rows in every arm (default: what there is)")
