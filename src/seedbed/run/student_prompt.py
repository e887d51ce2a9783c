"""What a served student is asked for a row: the task's own question, or a prompt of the user's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.chat import Message
from seedbed.core.errors import InputError, Problem, TemplateError
from seedbed.core.protocols import Task
from seedbed.prompts.templates import PromptTemplate, library_template
from seedbed.recipe import LoadedRecipe
from seedbed.student.endpoint import EndpointOptions
from seedbed.student.rows import Row, question_of

NAMES = ("task", "labels", "text")
"""What a prompt may use: `text` is what is asked, and nothing has the answer."""

_PLACE = "student.endpoint.prompt"


def prompt_problems(loaded: LoadedRecipe) -> list[Problem]:
    """What is wrong with the prompt of the recipe's student, if it is served and has one of its own."""
    entry = loaded.recipe.student
    options = entry.options if entry is not None else None
    if entry is None or not isinstance(options, EndpointOptions) or options.prompt is None:
        return []
    prompt = PromptTemplate("student", options.prompt, _PLACE)
    found = [problem.message for problem in prompt.syntax_problems()] or [
        f"cannot use '{name}' (line {line}); it has: {', '.join(NAMES)}"
        for name, line in prompt.names().items()
        if name not in NAMES
    ]
    return [loaded.problem(("student", entry.name, "prompt"), message) for message in found]


def messages_of(
    task: Task, options: EndpointOptions, variables: Mapping[str, Any], row: Row
) -> tuple[Message, ...]:
    """Raises InputError, without text of the row, where the prompt cannot be rendered for it."""
    if options.prompt is None and task.label_field is None:
        return tuple(
            Message(turn["role"], turn["content"])  # type: ignore[arg-type]
            for turn in question_of(task, row)
        )
    prompt = (
        library_template("student/label")
        if options.prompt is None
        else PromptTemplate("student", options.prompt, _PLACE)
    )
    try:
        return prompt.render({**variables, "text": row.text})
    except TemplateError as error:
        where = [
            Problem("does not render for one of the rows; try it with `seedbed train`", p.file, p.line)
            for p in error.problems
        ]
        raise InputError(where) from None
