"""`translation`: a text in one language and the same in another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from seedbed.tasks.fields import BoundTask, FieldName, TaskOptions, distinct_fields, exchange, text_of


@dataclass(slots=True)
class Translation(BoundTask):
    """A text in two languages. Fields in the order source, target; languages as the recipe calls them."""

    name: ClassVar[str] = "translation"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        from_: FieldName = Field(alias="from", description="language of the source: a code or its name")
        to: FieldName = Field(description="language of the target: a code or its name")
        source: FieldName = Field("source", description="field that holds the text to translate")
        target: FieldName = Field("target", description="field that holds its translation")

        @model_validator(mode="after")
        def _distinct(self) -> Self:
            distinct_fields(source=self.source, target=self.target)
            if self.from_.casefold() == self.to.casefold():
                raise ValueError(f"from and to are both '{self.to}'; a translation needs two languages")
            return self

    source_language: str = ""
    target_language: str = ""

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {"source_language": self.source_language, "target_language": self.target_language}

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Translation:
        """The task; `labels` are of no meaning here."""
        fields = (options.source, options.target)
        return cls(cls.name, fields, fields, None, options.from_, options.to)

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The user says which languages, so that a model for several learns which was meant."""
        asked = f"Translate from {self.source_language} to {self.target_language}:"
        source, target = (text_of(fields, (name,)) for name in self.fields)
        return exchange(f"{asked}\n\n{source}", target)
