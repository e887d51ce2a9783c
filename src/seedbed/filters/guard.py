"""`guard`: a safety model reads what the other filters kept, and rejects what it calls unsafe."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal

import orjson
from pydantic import Field

from seedbed.core.chat import Choice, Pen
from seedbed.core.errors import Problem, TemplateError
from seedbed.core.hashing import short_id
from seedbed.core.protocols import ContentAsking, FilterContext, Prompt, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.asking import ask_twice, printable, shown, unknown_names
from seedbed.filters.subject import FilterOptions, excerpt, filter_id, whole_text
from seedbed.prompts.templates import PromptTemplate, library_template, read_template

_CODE = re.compile(r"[A-Za-z][\w-]{0,39}")
_NAMES = ("text", "data", "id", "answer", "problem", "task", "labels", "fields")
_SHARE_UNSAFE = 0.05

SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "properties": {
        "verdict": {"type": "string", "enum": ["safe", "unsafe"]},
        "categories": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["verdict", "categories"],
    "additionalProperties": False,
}


class Guard:
    """Rejects as `unsafe` what a model trained for it calls so, with the categories that it names.

    It answers `safe`, or `unsafe` and on the next line codes of categories, as Llama Guard does; or the same
    as JSON by a schema. Any other answer is met once by a question that names the error; after that, or
    where none comes, the record is unjudged: kept, and said to be so. What is unsafe in other categories than
    those of `reject` is kept and flagged. The score is 1 for safe and 0 for unsafe.
    """

    name: ClassVar = "guard"
    version: ClassVar = 1
    kind: ClassVar = "model"
    role: ClassVar = "guard"

    class Options(FilterOptions):
        reject: tuple[str, ...] | None = Field(
            None, min_length=1, description="categories that reject, by code (default: all)"
        )
        answer: Literal["lines", "json"] = Field(
            "lines",
            description="`lines`: `safe`, or `unsafe` and codes below; `json`: an object, by a schema",
        )
        prompt: str | None = Field(
            None, min_length=1, description="file with the prompt, relative to the recipe's folder"
        )

    def __init__(self, task: Task, prompt: Prompt, options: Options) -> None:
        self._task = task
        self._options = options
        self._prompt = prompt
        self.prompts: Mapping[str, Prompt] = {prompt.name: prompt}

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Guard:
        """Raises TemplateError for a prompt that is missing or cannot be used."""
        return cls(context.task, _read_prompt(options.prompt, context), options)

    def content(self, record: Record) -> Mapping[str, Any]:
        return dict(record.fields)

    async def check(self, record: Record, ctx: ContentAsking) -> Verdict:
        content, by_schema = self.content(record), self._options.answer == "json"
        variables: dict[str, Any] = {
            "id": short_id("content", content),
            "data": shown(content),
            "text": printable(whole_text(self._task, record.fields)),
            "answer": self._options.answer,
        }
        answered = await ask_twice(
            type(self),
            record,
            lambda problem: ctx.ask(
                self._prompt.name,
                role=self.role,
                schema=SCHEMA if by_schema else None,
                sketch=_sketch_object if by_schema else _sketch_lines,
                **variables,
                problem=problem,
            ),
            self._read,
        )
        return answered if isinstance(answered, Verdict) else self._verdict(record, *answered)

    def _read(self, choice: Choice) -> tuple[str, ...] | str | None:
        read = read_lines(choice) if self._options.answer == "lines" else read_object(choice)
        if read == () and self._options.reject is not None:
            return "it names no category; name the codes of those violated"
        return read

    def _verdict(self, record: Record, violated: Sequence[str] | None, replies: Mapping[str, Any]) -> Verdict:
        by = filter_id(type(self))
        if violated is None:
            return Verdict(record.id, by, keep=True, score=1.0, evidence=replies)
        reject = self._options.reject
        keep = reject is not None and set(reject).isdisjoint(violated)
        evidence = {"categories": list(violated), **replies}
        return Verdict(record.id, by, keep, "unsafe_kept" if keep else "unsafe", 0.0, evidence)


def read_lines(choice: Choice) -> tuple[str, ...] | str | None:
    """The categories that an answer names, None where it says safe, or what is wrong with it."""
    if choice.finish_reason == "length":
        return "the answer stopped at its token limit; write the word and the codes alone"
    lines = [line.strip() for line in choice.text.splitlines() if line.strip()]
    if lines == ["safe"]:
        return None
    if not lines or lines[0] != "unsafe":
        return "it must be the word safe, and nothing else, or the word unsafe with codes on the next line"
    if len(lines) > 2:
        return "below the word unsafe stands one line, of codes separated by commas"
    return _codes([code.strip() for line in lines[1:] for code in line.split(",")])


def read_object(choice: Choice) -> tuple[str, ...] | str | None:
    """The same of an answer in JSON."""
    if choice.finish_reason == "length":
        return "the answer stopped at its token limit; write the object alone"
    try:
        value = orjson.loads(choice.text)
    except orjson.JSONDecodeError as error:
        return f"it is not one JSON object ({error})"
    if not isinstance(value, dict) or value.keys() != {"verdict", "categories"}:
        return 'it must be an object with "verdict" and "categories" alone'
    verdict, categories = value["verdict"], value["categories"]
    if not isinstance(categories, list):
        return '"categories" must be a list of codes'
    if verdict == "safe":
        return None if not categories else "it says safe, and names categories"
    return _codes(categories) if verdict == "unsafe" else '"verdict" must be "safe" or "unsafe"'


def _codes(found: Sequence[Any]) -> tuple[str, ...] | str:
    for code in found:
        if not isinstance(code, str) or not _CODE.fullmatch(code):
            return f"{excerpt(str(code))!r} is no code of a category, such as S1"
    return tuple(dict.fromkeys(found))


def _sketch_lines(pen: Pen) -> str:
    """Of twenty records about one is bad; which says nothing of any."""
    return "unsafe\nS10" if pen.rng.random() < _SHARE_UNSAFE else "safe"


def _sketch_object(pen: Pen) -> Mapping[str, Any]:
    verdict, *codes = _sketch_lines(pen).split("\n")
    return {"verdict": verdict, "categories": codes}


def _read_prompt(path: str | None, context: FilterContext) -> PromptTemplate:
    if path is None:
        return library_template("guard/guard")
    prompt = read_template((context.folder or Path()) / path, path)
    problems = prompt.syntax_problems()
    if not problems:
        problems = unknown_names(prompt, _NAMES, "a prompt of guard")
        if prompt.names().keys().isdisjoint(("text", "data")):
            problems.append(Problem("shows no record; write {{ text }} or {{ data }}", prompt.path))
    if problems:
        raise TemplateError(problems)
    return PromptTemplate(f"guard/{prompt.name}", prompt.text, prompt.path)
