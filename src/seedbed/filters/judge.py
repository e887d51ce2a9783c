"""`judge`: a second model reads what the other filters kept, and says how good it is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field

from seedbed.core.chat import Choice
from seedbed.core.errors import Problem, TemplateError
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters.asking import unknown_names
from seedbed.filters.scoring import HIGHEST, LOWEST, ScoringFilter, ScoringOptions, read_object, read_whole
from seedbed.filters.subject import excerpt
from seedbed.prompts.templates import PromptTemplate, library_template, read_template

# What a rubric may use; the record itself stands in the frame around it.
RUBRIC_NAMES = ("task", "labels", "fields")
_FRAME = "judge/frame"
_PLACE_OF_RUBRIC = "{{ rubric }}"


class Judge(ScoringFilter):
    """One rubric on a whole record: evidence first, and then the score. It never returns the text."""

    name: ClassVar = "judge"
    version: ClassVar = 1
    schema: ClassVar[Mapping[str, Any]] = {
        "type": "object",
        "properties": {
            "evidence": {"type": "string"},
            "score": {"type": "integer", "enum": list(range(LOWEST, HIGHEST + 1))},
        },
        "required": ["evidence", "score"],
        "additionalProperties": False,
    }

    class Options(ScoringOptions):
        rubric: str | None = Field(
            None, min_length=1, description="file with the criteria, relative to the recipe's folder"
        )

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Judge:
        """Raises TemplateError for a rubric that is missing or cannot be used."""
        rubric = _read_rubric(options.rubric, context)
        frame = library_template(_FRAME)
        # At the very top, so that a line of the prompt is that line of the rubric.
        text = frame.text.replace(_PLACE_OF_RUBRIC, rubric.text.rstrip(), 1)
        return cls(PromptTemplate(f"judge/{rubric.name}", text, rubric.path), options)

    def content(self, record: Record) -> Mapping[str, Any]:
        return dict(record.fields)

    def read(self, choice: Choice, content: Mapping[str, Any]) -> tuple[int, Mapping[str, Any]] | str:
        read = read_score(choice)
        return read if isinstance(read, str) else (read[0], {"says": excerpt(read[1])})


def read_score(choice: Choice) -> tuple[int, str] | str:
    """(score, evidence) of a reply, or what is wrong with it."""
    said = read_object(choice)
    if isinstance(said, str):
        return said
    evidence, score = said.get("evidence"), read_whole(said.get("score"))
    if not isinstance(evidence, str) or not evidence.strip():
        return '"evidence" must be a text that says what the score rests on'
    return score if isinstance(score, str) else (score, evidence)


def _read_rubric(path: str | None, context: FilterContext) -> PromptTemplate:
    if path is None:
        kind = context.task.kind
        try:
            return library_template(f"judge/{kind}")
        except TemplateError:
            message = (
                f"the library has no rubric for {kind}; write one and name it: {{judge: {{rubric: FILE}}}}"
            )
            raise TemplateError([Problem(message)]) from None
    rubric = read_template((context.folder or Path()) / path, path)
    problems = rubric.syntax_problems()
    if not problems and not rubric.text.strip():
        problems = [Problem("the rubric is empty; say what makes a record good", rubric.path)]
    if not problems:
        problems = unknown_names(rubric, RUBRIC_NAMES, "a rubric")
    if problems:
        raise TemplateError(problems)
    return rubric
