"""Section `budget`: what a run may spend."""

from __future__ import annotations

from pydantic import Field

from seedbed.recipe.section import Int, Section


class Budget(Section):
    """Limits that hold over all resumptions of a run."""

    requests: Int | None = Field(None, ge=1, description="most requests sent, retries included")
