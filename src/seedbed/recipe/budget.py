"""Section `budget`: what a run may spend."""

from __future__ import annotations

from pydantic import Field

from seedbed.recipe.section import Float, Int, Section
from seedbed.recipe.units import Duration, Size


class Budget(Section):
    """Limits that hold over all resumptions of a run; every attempt counts, failed ones too."""

    requests: Int | None = Field(None, ge=1, description="most requests sent, retries included")
    cost: Float | None = Field(None, gt=0, description="most that it may cost, in US dollars")
    tokens: Int | None = Field(None, ge=1, description="most tokens, read and written together")
    time: Duration | None = Field(
        None, description="no request begins after so long, such as `6h`, `1h30m` or `90s`"
    )
    disk: Size | None = Field(
        None, description="most that run folder and reply log may take, such as `512MB` or `2GiB`"
    )
