"""Section `generate`: how much is wanted, of what, and how it is asked for."""

from __future__ import annotations

import keyword
import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from seedbed.core.protocols import Task
from seedbed.recipe.complaints import shown
from seedbed.recipe.cover import CoverEntry, read_cover
from seedbed.recipe.document import KeyPath
from seedbed.recipe.methods import DEFAULT_METHOD, MethodEntry, read_methods
from seedbed.recipe.section import Float, Int, OneOrMore, Reading, Section, Text
from seedbed.recipe.words import distinct

# Names that every template has, and the axis that `temperature` makes.
RESERVED_NAMES = (
    "examples",
    "label",
    "labels",
    "task",
    "draw",
    "slots",
    "output",
    "fields",
    "temperature",
)
_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_JINJA_CONSTANTS = ("true", "false", "none")
_HIGHEST_TEMPERATURE = 2.0

Temperature = Annotated[Float, Field(ge=0, le=_HIGHEST_TEMPERATURE)]


class Generate(Section):
    """What is generated."""

    target: Int = Field(200, ge=1, description="accepted records wanted")
    cover: dict[str, CoverEntry] = Field(
        default_factory=dict, description="label field or axis -> how the target is shared among its values"
    )
    templates: Annotated[tuple[Text, ...], OneOrMore, AfterValidator(distinct)] = Field(
        (), description="prompt templates, relative to the recipe's folder (default: the task's own)"
    )
    axes: dict[str, tuple[Text, ...]] = Field(
        default_factory=dict, description="name of a slot -> the values that fill it"
    )
    methods: tuple[MethodEntry, ...] = Field(
        description=f"a name, a map of names to weights, or a list (default: `{DEFAULT_METHOD}`)"
    )
    temperature: Annotated[tuple[Temperature, ...], OneOrMore, AfterValidator(distinct)] = Field(
        (), description="one or several, 0 to 2, spread over the prompts (default: the server's)"
    )
    examples: Int = Field(4, ge=0, description="real rows shown in a prompt")
    seed: Int = Field(0, ge=0, description="another seed gives other prompts from the same parts")
    round: Int = Field(1000, ge=1, description="most prompts planned at once")


def read_generate(raw: Any, reading: Reading, task: Task | None) -> Generate | None:
    """The section; None where nothing of it can be used (reported)."""
    findings, path = reading.findings, ("generate",)
    values = dict(findings.mapping(raw, path))
    parts = {
        "cover": read_cover(values.pop("cover", None), (*path, "cover"), findings),
        "axes": _read_axes(values.pop("axes", None), (*path, "axes"), reading, task),
        "methods": read_methods(values.pop("methods", None), (*path, "methods"), reading),
    }
    generate = findings.model(Generate, {**values, **parts}, path)
    if generate is not None:
        _check_templates(generate, (*path, "templates"), reading)
    return generate


def _check_templates(generate: Generate, path: KeyPath, reading: Reading) -> None:
    for at, name in enumerate(generate.templates):
        file = reading.folder / name
        if not file.is_file():
            message = f"no such template file: {file}; paths are relative to the recipe's folder"
            reading.findings.add((*path, at), message)


def _read_axes(raw: Any, path: KeyPath, reading: Reading, task: Task | None) -> dict[str, tuple[str, ...]]:
    findings = reading.findings
    axes: dict[str, tuple[str, ...]] = {}
    for name, values in findings.mapping(raw, path).items():
        where = (*path, name)
        if problem := _wrong_name(name, task):
            findings.add(where, problem)
        if not isinstance(values, list):
            findings.add(where, f"must be a list of values, not {shown(values)}")
        elif not values:
            findings.add(where, "an axis without values; list at least one, or remove the axis")
        elif wrong := [at for at, value in enumerate(values) if not isinstance(value, str) or not value]:
            for at in wrong:
                findings.add((*where, at), f"must be a word, text or number, not {shown(values[at])}")
        else:
            try:
                axes[name] = distinct(tuple(values))
            except ValueError as error:
                findings.add(where, str(error))
    return axes


def _wrong_name(name: str, task: Task | None) -> str | None:
    if name in RESERVED_NAMES:
        return f"'{name}' is a name that every prompt has already; call the axis something else"
    if not _IDENTIFIER.fullmatch(name) or keyword.iskeyword(name) or name.lower() in _JINJA_CONSTANTS:
        return "an axis is a name in templates: letters, digits and _, beginning with a letter"
    if task is not None and name == task.label_field:
        return f"'{name}' is the label; its values are the labels, which cover can weight"
    return None
