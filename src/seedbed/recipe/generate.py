"""Section `generate`: how much is wanted, of what, and how it is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, ConfigDict, Field, field_validator

from seedbed.core.protocols import Task
from seedbed.core.registry import nearest
from seedbed.recipe.axes import DOCUMENT, Axis, read_axes, wrong_name
from seedbed.recipe.cover import OTHERS, CoverEntry, read_cover
from seedbed.recipe.document import KeyPath
from seedbed.recipe.methods import DEFAULT_METHOD, MethodEntry, read_methods
from seedbed.recipe.section import Float, Int, OneOrMore, Reading, Section, Text
from seedbed.recipe.words import distinct

# The value of the axis `edge_case` where a cell is of none.
ORDINARY = "none"

_HIGHEST_TEMPERATURE = 2.0

Weight = Annotated[Float, Field(gt=0)]
Temperature = Annotated[Float, Field(ge=0, le=_HIGHEST_TEMPERATURE)]


class AskedTemplates(Section):
    """Templates that the teacher is asked for once, before anything is planned."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    source: Literal["teacher"] = Field(
        alias="from", description="`teacher`: the teacher is asked for the templates"
    )
    count: Int = Field(30, ge=2, le=200, description="distinct templates wanted; below 20 a run warns")
    ask: Text | None = Field(None, description="what they are to be like, in words that the question quotes")


class EdgeCase(Section):
    """A case that is wanted so often, in words that the prompt says."""

    name: Text = Field(description="what it is called in the plan and the report")
    ask: Text = Field(
        description="what the prompt asks for, such as `names a second problem; label the main one`"
    )
    count: Int = Field(ge=1, description="accepted records wanted of it")


class Generate(Section):
    """What is generated."""

    target: Int = Field(200, ge=1, description="accepted records wanted")
    cover: dict[str, CoverEntry] = Field(
        default_factory=dict, description="label field or axis -> how the target is shared among its values"
    )
    templates: Annotated[tuple[Text, ...], OneOrMore, AfterValidator(distinct)] | AskedTemplates = Field(
        (),
        description="prompt templates, relative to the recipe's folder, or `{from: teacher, count}` "
        "(default: the task's own)",
    )
    axes: dict[str, Axis] = Field(
        default_factory=dict, description="name of a slot -> the values that fill it, or where they come from"
    )
    edge_cases: tuple[EdgeCase, ...] = Field(
        (), description="cases wanted beside the ordinary ones: a list of `{name, ask, count}`"
    )
    methods: tuple[MethodEntry, ...] = Field(
        description=f"a name, a map of names to weights, or a list (default: `{DEFAULT_METHOD}`)"
    )
    temperature: Annotated[tuple[Temperature, ...], OneOrMore, AfterValidator(distinct)] = Field(
        (), description="one or several, 0 to 2, spread over the prompts (default: the server's)"
    )
    teachers: dict[Text, Weight] = Field(
        default_factory=dict,
        description="roles that write in the teacher's place, with weights (default: `{teacher: 1}`)",
    )
    examples: Int = Field(4, ge=0, description="real rows shown in a prompt")
    seed: Int = Field(0, ge=0, description="another seed gives other prompts from the same parts")
    round: Int = Field(1000, ge=1, description="most prompts planned at once")

    @property
    def template_files(self) -> tuple[str, ...]:
        return () if isinstance(self.templates, AskedTemplates) else self.templates

    @field_validator("edge_cases")
    @classmethod
    def _names_differ(cls, value: tuple[EdgeCase, ...]) -> tuple[EdgeCase, ...]:
        distinct(tuple(case.name for case in value))
        if any(case.name == ORDINARY for case in value):
            raise ValueError(f"'{ORDINARY}' is what every other record is; call the case something else")
        return value

    @field_validator("teachers")
    @classmethod
    def _has_the_teacher(cls, value: dict[str, float]) -> dict[str, float]:
        if value and "teacher" not in value:
            raise ValueError("names roles beside the teacher, and not the teacher; add it: {teacher: 1, …}")
        return value


def read_generate(raw: Any, reading: Reading, task: Task | None) -> Generate | None:
    """The section; None where nothing of it can be used (reported)."""
    findings, path = reading.findings, ("generate",)
    values = dict(findings.mapping(raw, path))
    parts: dict[str, Any] = {
        "cover": read_cover(values.pop("cover", None), (*path, "cover"), findings),
        "axes": read_axes(values.pop("axes", None), (*path, "axes"), reading, task),
        "methods": read_methods(values.pop("methods", None), (*path, "methods"), reading),
    }
    parts["axes"] |= _axes_of_cover(parts["cover"], parts["axes"], task)
    if isinstance(asked := values.get("templates"), dict):
        values["templates"] = findings.model(AskedTemplates, asked, (*path, "templates"))
    generate = findings.model(Generate, {**values, **parts}, path)
    if generate is not None:
        _check_templates(generate, (*path, "templates"), reading)
    return generate


def _axes_of_cover(
    cover: Mapping[str, CoverEntry], axes: Mapping[str, Axis], task: Task | None
) -> dict[str, Axis]:
    """Axes that stand under `cover` alone, their values all named. A name like another's is a slip."""
    known = [*axes, *([task.label_field] if task is not None and task.label_field else []), DOCUMENT]
    return {
        field: tuple(entry)
        for field, entry in cover.items()
        if isinstance(entry, dict) and entry and OTHERS not in entry
        if field not in known and nearest(field, known) is None and wrong_name(field, task) is None
    }


def _check_templates(generate: Generate, path: KeyPath, reading: Reading) -> None:
    for at, name in enumerate(generate.template_files):
        file = reading.folder / name
        if not file.is_file():
            message = f"no such template file: {file}; paths are relative to the recipe's folder"
            reading.findings.add((*path, at), message)
