"""`preference`: a prompt and two answers, of which one is the better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self

from pydantic import Field, model_validator

from seedbed.core.protocols import Task
from seedbed.tasks.fields import BoundTask, FieldName, TaskOptions, distinct_fields, exchange, text_of


@dataclass(slots=True)
class Preference(BoundTask):
    """A prompt, the better answer and a worse one. Fields in the order prompt, chosen, rejected.

    With `answer` the real rows are no pairs: they hold a prompt and one good answer, which is read as
    the chosen one. Such rows are examples and are compared; for want of a worse answer they train nothing.
    """

    name: ClassVar[str] = "preference"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        prompt: FieldName = Field("prompt", description="field that holds what is asked")
        chosen: FieldName = Field("chosen", description="field that holds the better answer")
        rejected: FieldName = Field("rejected", description="field that holds the worse answer")
        answer: FieldName | None = Field(
            None,
            description="column with the one answer of real rows that are no pairs "
            "(default: they have both answers)",
        )

        @model_validator(mode="after")
        def _distinct_fields(self) -> Self:
            distinct_fields(prompt=self.prompt, chosen=self.chosen, rejected=self.rejected)
            if self.answer in (self.prompt, self.rejected):
                raise ValueError(
                    f"answer is '{self.answer}', which is another field; it names the column of the one "
                    "answer that real rows have"
                )
            return self

    answer: str | None = None

    @property
    def real_columns(self) -> Mapping[str, str]:
        if self.answer is None:
            return {name: name for name in self.fields}
        prompt, chosen, _ = self.fields
        return {prompt: prompt, chosen: self.answer}

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {"chosen": self.fields[1], "rejected": self.fields[2]}

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Preference:
        """The task; `labels` are of no meaning here."""
        fields = (options.prompt, options.chosen, options.rejected)
        return cls(cls.name, fields, fields, answer=options.answer)

    def as_text(self, fields: Mapping[str, Any]) -> str:
        """The prompt and the better answer: what a real row has as well."""
        return text_of(fields, self.fields[:2])

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The prompt and the better answer."""
        prompt, chosen, _ = self.fields
        return exchange(text_of(fields, (prompt,)), text_of(fields, (chosen,)))


def as_pair(task: Task, fields: Mapping[str, Any]) -> dict[str, list[dict[str, str]]]:
    """`prompt`, `chosen` and `rejected` of a preference task's record, each a list of turns.

    TRL calls the format "preference, conversational, with explicit prompt".
    """
    prompt, chosen, rejected = (fields[name] for name in task.fields)
    return {
        "prompt": [{"role": "user", "content": prompt}],
        "chosen": [{"role": "assistant", "content": chosen}],
        "rejected": [{"role": "assistant", "content": rejected}],
    }
