"""Section `generate`: how much is wanted, of what, and how it is asked for."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, Field

from seedbed.core.protocols import Task
from seedbed.recipe.axes import Axis, read_axes
from seedbed.recipe.cover import CoverEntry, read_cover
from seedbed.recipe.document import KeyPath
from seedbed.recipe.methods import DEFAULT_METHOD, MethodEntry, read_methods
from seedbed.recipe.section import Float, Int, OneOrMore, Reading, Section, Text
from seedbed.recipe.words import distinct

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
    axes: dict[str, Axis] = Field(
        default_factory=dict, description="name of a slot -> the values that fill it, or where they come from"
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
        "axes": read_axes(values.pop("axes", None), (*path, "axes"), reading, task),
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
