"""`code`: a programming task, a program that solves it, and tests of the program."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

from pydantic import Field, model_validator

from seedbed.tasks.fields import BoundTask, FieldName, TaskOptions, distinct_fields, exchange, text_of

_FENCES = re.compile(r"^`{3,}", re.MULTILINE)


@dataclass(slots=True)
class Code(BoundTask):
    """A programming task, a program and its tests. Fields in this order; the first alone is prose."""

    name: ClassVar[str] = "code"
    version: ClassVar[int] = 1

    class Options(TaskOptions):
        language: FieldName = Field("python", description="programming language, as prompts name it")
        prompt: FieldName = Field("prompt", description="field that holds what the program must do")
        solution: FieldName = Field("solution", description="field that holds the program")
        tests: FieldName | Literal[False] = Field(
            "tests", description="field that holds tests of the program; `false`: there are none"
        )

        @model_validator(mode="after")
        def _distinct_fields(self) -> Self:
            distinct_fields(prompt=self.prompt, solution=self.solution, tests=self.tests or None)
            return self

    language: str = "python"

    @property
    def optional_fields(self) -> tuple[str, ...]:
        return self.fields[2:]

    @property
    def prompt_values(self) -> Mapping[str, str]:
        return {
            "language": self.language,
            "solution": self.fields[1],
            "tests": "".join(self.fields[2:]),
        }

    @classmethod
    def bind(cls, options: Options, labels: Sequence[str] | None) -> Code:
        """The task; `labels` are of no meaning here."""
        tests = (options.tests,) if options.tests else ()
        fields = (options.prompt, options.solution, *tests)
        return cls(cls.name, fields, fields[:1], language=options.language)

    def as_text(self, fields: Mapping[str, Any]) -> str:
        return text_of(fields, self.fields[:2])

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        """The program stands in a fence longer than any within it; the tests are not said."""
        program = text_of(fields, self.fields[1:2]).strip("\n")
        fence = "`" * max([3, *(len(found) + 1 for found in _FENCES.findall(program))])
        said = f"{fence}{self.language}\n{program}\n{fence}"
        return exchange(text_of(fields, self.fields[:1]), said)
