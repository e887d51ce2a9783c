"""Prompt templates: Jinja files in an immutable sandbox, strict about undefined names.

A template file holds the user message; text above a line `---user---` is the system message.
Model output is never template source.
"""

from __future__ import annotations

import traceback
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from jinja2 import StrictUndefined, meta, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.exceptions import TemplateError as JinjaError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from seedbed.core.chat import Message
from seedbed.core.errors import Problem, TemplateError
from seedbed.core.field_text import as_string
from seedbed.core.hashing import short_id
from seedbed.core.registry import nearest

USER_MARK = "---user---"

# What every template may use besides the slots of its recipe.
CONTEXT_NAMES = (
    "task",
    "label",
    "labels",
    "examples",
    "slots",
    "draw",
    "output",
    "fields",
    "edge_case",
)

# Those of them that stay what they are for a whole run.
FIXED_NAMES = ("task", "labels", "output", "fields")

_ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=False
)
# `{{ value | text }}`: lists and maps as JSON, and not as Python would print them.
_ENVIRONMENT.filters["text"] = as_string
# A prompt that chance writes has another hash at every run, and would be paid for again.
del _ENVIRONMENT.filters["random"]
del _ENVIRONMENT.globals["lipsum"]


_MISSING = object()


class _Part:
    """One message of a template. What depends on the recipe alone is rendered once."""

    def __init__(self, source: str) -> None:
        self._template = _ENVIRONMENT.from_string(source)
        # Jinja copies them into every rendering, from a chain of maps unless told otherwise.
        self._template.globals = dict(self._template.globals)
        names = meta.find_undeclared_variables(_ENVIRONMENT.parse(source))
        self._fixed = tuple(sorted(names)) if names <= set(FIXED_NAMES) else None
        self._last: tuple[list[Any], str] | None = None

    def render(self, variables: Mapping[str, Any]) -> str:
        if self._fixed is None:
            return self._template.render(variables).strip()
        values = [variables.get(name, _MISSING) for name in self._fixed]
        if self._last is None or self._last[0] != values:
            self._last = (values, self._template.render(variables).strip())
        return self._last[1]


@dataclass(frozen=True)
class PromptTemplate:
    """One template: `name` as the recipe calls it, `text` as it stands in the file."""

    name: str
    text: str
    path: str

    @cached_property
    def hash(self) -> str:
        return short_id("template", self.text)

    @cached_property
    def _compiled(self) -> list[tuple[Literal["system", "user"], _Part]]:
        system, mark, user = self.text.rpartition(USER_MARK + "\n")
        compiled: list[tuple[Literal["system", "user"], _Part]] = []
        if mark and system.strip():
            compiled.append(("system", _Part(system)))
        compiled.append(("user", _Part(user if mark else self.text)))
        return compiled

    @property
    def _offset(self) -> int:
        """Lines of the file above the user message."""
        system, mark, _ = self.text.rpartition(USER_MARK + "\n")
        return (system + mark).count("\n")

    def names(self) -> dict[str, int]:
        """Every undeclared name the template uses, with the first line that uses it."""
        tree = _ENVIRONMENT.parse(self.text)
        undeclared = meta.find_undeclared_variables(tree)
        lines: dict[str, int] = {}
        for node in tree.find_all(nodes.Name):
            if node.name in undeclared:
                lines.setdefault(node.name, node.lineno)
        return lines

    def syntax_problems(self) -> list[Problem]:
        """The first thing that makes this no template at all, or nothing."""
        try:
            self.names()
            _ = self._compiled
        except TemplateSyntaxError as error:
            return [Problem(f"not a valid template: {error.message}", self.path, error.lineno)]
        return []

    def problems(self, slots: Iterable[str]) -> list[Problem]:
        """Everything wrong with the template for a recipe that has these slots, or a step these variables."""
        if broken := self.syntax_problems():
            return broken
        known = [*slots, *CONTEXT_NAMES]
        found = []
        for name, line in self.names().items():
            if name in known:
                continue
            close = nearest(name, known)
            hint = f"did you mean '{close}'?" if close else "there are: " + ", ".join(sorted(known)) + "."
            message = f"unknown slot '{name}'; {hint} A slot is an axis of the recipe."
            found.append(Problem(message, self.path, line))
        return found

    def uses(self, slot: str) -> bool:
        """Whether a slot's value can stand in the prompt: by its name, or among all `slots`."""
        return not self.names().keys().isdisjoint((slot, "slots"))

    def render(self, variables: Mapping[str, Any]) -> tuple[Message, ...]:
        """The messages for one request. Raises TemplateError naming file and what went wrong."""
        messages = []
        asks = False
        for role, compiled in self._compiled:
            try:
                content = compiled.render(variables)
            except (JinjaError, SecurityError, ArithmeticError, LookupError, *_FAILURES) as error:
                line = _line_of(error, self._offset if role == "user" else 0)
                raise TemplateError([Problem(f"does not render: {error}", self.path, line)]) from error
            if content:
                messages.append(Message(role, content))
                asks = asks or role == "user"
        if not asks:
            raise TemplateError([Problem("renders to an empty prompt", self.path)])
        return tuple(messages)


_FAILURES = (TypeError, ValueError, AttributeError, RecursionError)


def _line_of(error: Exception, offset: int) -> int | None:
    """The template's line that failed: Jinja gives its frames the name `<template>`."""
    lines = [f.lineno for f in traceback.extract_tb(error.__traceback__) if f.filename == "<template>"]
    return lines[-1] + offset if lines and lines[-1] is not None else None


def read_template(path: Path, name: str) -> PromptTemplate:
    """A template of the recipe's own folder. Raises TemplateError where it is missing or not UTF-8."""
    try:
        return PromptTemplate(name, path.read_text(encoding="utf-8"), str(path))
    except FileNotFoundError as error:
        raise TemplateError([Problem("no such template file", str(path))]) from error
    except UnicodeDecodeError as error:
        raise TemplateError([Problem(f"not UTF-8 at byte {error.start}", str(path))]) from error
    except OSError as error:
        raise TemplateError([Problem(f"cannot be read: {error.strerror}", str(path))]) from error


OWN_PROMPTS = "prompts"


def prompt_of(name: str, folder: Path) -> PromptTemplate:
    """A prompt of the library, or the recipe's own of the same name: `prompts/NAME.j2` in its folder.

    Raises TemplateError.
    """
    own = Path(OWN_PROMPTS) / f"{name}.j2"
    return read_template(folder / own, own.as_posix()) if (folder / own).is_file() else library_template(name)


def library_template(name: str) -> PromptTemplate:
    """A template that ships with Seedbed, such as `classification` or `evolve/deepen`."""
    file = resources.files("seedbed.prompts") / "library" / f"{name}.j2"
    try:
        text = file.read_text(encoding="utf-8")
    except FileNotFoundError:
        message = f"the library has no prompt for {name}; list templates of your own under generate"
        raise TemplateError([Problem(message)]) from None
    return PromptTemplate(f"library/{name}", text, f"library/{name}.j2")
