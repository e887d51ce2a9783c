"""`price` of a role: what its endpoint takes for a million tokens."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from seedbed.core.money import Price
from seedbed.recipe.section import Float, Section


class InputPrice(Section):
    """US dollars per million tokens, of a model that writes none."""

    input: Float = Field(ge=0, description="for a million tokens of texts")

    def price(self) -> Price:
        return Price.per_million(self.input, 0)


class PriceEntry(Section):
    """US dollars per million tokens."""

    input: Float = Field(ge=0, description="for a million prompt tokens")
    output: Float = Field(ge=0, description="for a million tokens of answers")
    cached_input: Float | None = Field(
        None, ge=0, description="for a million prompt tokens that the endpoint says it had in its cache"
    )

    @model_validator(mode="after")
    def _is_no_surcharge(self) -> Self:
        if self.cached_input is not None and self.cached_input > self.input:
            raise ValueError("cached_input must be at most input: the budget sets aside the full price")
        return self

    def price(self) -> Price:
        return Price.per_million(self.input, self.output, self.cached_input)
