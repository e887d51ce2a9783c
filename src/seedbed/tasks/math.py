"""`math`: a question, its worked solution, and the final answer alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seedbed.tasks.fields import BoundTask, FieldName, TaskOptions, distinct_fields, exchange, text_of

ANSWER_MARK = "#### "
"""What GSM8K (Cobbe et al. 2021, arXiv 2110.14168) puts before the answer; verifiers look for it."""


@dataclass(slots=True)
class Math(BoundTask):
    """A problem, its solution and the final answer. All are text: `3/4` stays what it is."""

    name: ClassVar[str] = "math"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        question: FieldName = Field("question", description="field that holds the problem")
        solution: FieldName | Literal[False] = Field(
            "solution", description="field that holds the worked solution; `false`: there is none"
        )
        answer: FieldName = Field("answer", description="field that holds the final answer alone")

        @model_validator(mode="after")
        def _distinct_fields(self) -> Self:
            distinct_fields(question=self.question, solution=self.solution or None, answer=self.answer)
            return self

    @property
    def optional_fields(self) -> tuple[str, ...]:
        return self.fields[1:-1]

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {"solution": "".join(self.fields[1:-1])}

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Math:
        """The task; `labels` are of no meaning here."""
        solution = (options.solution,) if options.solution else ()
        fields = (options.question, *solution, options.answer)
        return cls(cls.name, fields, fields)

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The assistant works the problem out and ends with the answer, after the mark of GSM8K."""
        solution, answer = text_of(fields, self.fields[1:-1]), text_of(fields, self.fields[-1:])
        said = f"{solution}\n{ANSWER_MARK}{answer}" if solution else answer
        return exchange(text_of(fields, self.fields[:1]), said)
