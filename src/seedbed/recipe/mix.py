"""Section `mix`: how generated and real rows stand together in the training file."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, ValidatorFunctionWrapHandler, WrapValidator, field_validator

from seedbed.recipe.complaints import shown
from seedbed.recipe.section import Float, Int, Section, Text

Share = Annotated[Float, Field(ge=0, le=1)]


def _amount(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """One rule for both kinds: what each alone has against a value contradicts the other."""
    try:
        return read(value)
    except ValidationError:
        message = f"must be a share from 0 to 1 or a whole number of rows, not {shown(value)}"
        raise ValueError(message) from None


# YAML tells 1 from 1.0: a whole number is of rows.
Amount = Annotated[Annotated[Int, Field(ge=1)] | Share, WrapValidator(_amount)]


class SliceEntry(Section):
    """What must hold in one slice of the mix."""

    real_at_least: Amount | None = Field(
        None,
        description="real rows of the slice: a share (0..1) or a number of rows. Real rows take the place of "
        "generated ones",
    )
    synthetic_at_most: Amount | None = Field(
        None,
        description="generated rows of the slice: a share (0..1) or a number of rows. What is above it is "
        "left out, and rows of other slices take its place",
    )


class Mix(Section):
    """The mixture that is proved against real data alone."""

    synthetic: Share = Field(0.75, description="share of generated rows in the mix")
    size: Int | None = Field(None, ge=1, description="rows in every arm (default: what there is)")
    fixed: Literal["total", "real"] = Field(
        "total",
        description="`total`: arms have one size, and generated rows stand in for real ones. `real`: every "
        "real row is in the mix, and generated ones are added up to the share",
    )
    slices: dict[Text, SliceEntry] = Field(
        default_factory=dict,
        description="slice (a label, or FIELD=VALUE) -> `real_at_least`, `synthetic_at_most`; a slice named "
        "here is critical in a search, also without a rule (`{}`)",
    )
    select: Literal["random", "best"] = Field(
        "random",
        description="which generated rows are taken where not all are wanted: any, or the `best` by what "
        "judges and filters scored and by how unlike they are to those taken before",
    )
    hold_out: Float = Field(
        0.1,
        ge=0,
        le=0.5,
        description="share of the generated rows that no arm learns from, so that students can be scored on "
        "them beside the real eval; at most 1,000 rows",
    )
    search: tuple[Share, ...] = Field(
        (0.25, 0.5, 0.75, 0.9),
        min_length=1,
        description="shares that `seedbed mix --search` tries beside `synthetic`, all real and all generated",
    )
    tolerance: Float = Field(
        0.03,
        gt=0,
        lt=1,
        description="how far a critical slice of a mix may fall below that of real rows alone in a search",
    )

    @field_validator("slices", mode="before")
    @classmethod
    def _bare_names(cls, value: Any) -> Any:
        """`slice:` with nothing after it is a critical slice without a rule."""
        if isinstance(value, dict):
            return {name: {} if rule is None else rule for name, rule in value.items()}
        return value
