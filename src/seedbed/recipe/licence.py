"""`licence` of a role: whether other models may be trained on what the model says."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import BeforeValidator, Field

from seedbed.recipe.complaints import shown
from seedbed.recipe.section import Bool, Section, Text


class LicenceTerms(Section):
    """Terms that the user has read and answers for."""

    terms: Text = Field(description="which terms these are, and when they were read")
    allows_training: Bool = Field(description="whether they allow training other models on the answers")


def _word_or_terms(value: Any) -> Any:
    if isinstance(value, str | dict | LicenceTerms):
        return value
    raise ValueError(
        f"must be a licence such as apache-2.0, or {{terms: …, allows_training: true}}, not {shown(value)}"
    )


Licence: TypeAlias = Annotated[Text | LicenceTerms, BeforeValidator(_word_or_terms)]
