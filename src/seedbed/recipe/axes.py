"""`generate.axes`: the slots of the templates. Values are listed, read from a file, or the teacher's."""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping
from typing import Any, Literal, Self, TypeAlias

from pydantic import ConfigDict, Field, model_validator

from seedbed.core.protocols import Task
from seedbed.recipe.complaints import shown
from seedbed.recipe.document import KeyPath
from seedbed.recipe.section import Int, Reading, Section, Text
from seedbed.recipe.words import distinct

# Names that every template has, and axes that other keys make.
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
    "teacher",
    "edge_case",
    "document",
)
# What cover calls the documents of a source.
DOCUMENT = "document"
NAME_PATTERN = r"[A-Za-z][A-Za-z0-9_]*"
MOST_ASKED = 1000
_IDENTIFIER = re.compile(NAME_PATTERN)
_JINJA_CONSTANTS = ("true", "false", "none")
_LINES = ".txt"
_TABLES = (".csv", ".jsonl", ".ndjson", ".parquet")


class AxisFile(Section):
    """Values that stand in a file."""

    file: Text = Field(
        description="a value a line (`.txt`) or a table (CSV, JSONL, Parquet), in the recipe's folder"
    )
    column: Text | None = Field(None, description="the column with the values; a `.txt` file has none")
    label: Text | None = Field(
        None, description="the column with the label that a value is for (default: it is for every label)"
    )


class AskedAxis(Section):
    """Values that the teacher is asked for once, before anything is planned."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    source: Literal["teacher", "personas"] = Field(
        alias="from",
        description="`teacher`: the teacher is asked for values; `personas`: for people that texts suggest",
    )
    count: Int = Field(ge=2, le=MOST_ASKED, description="distinct values wanted")
    ask: Text | None = Field(
        None, description="what a value is, in words that the question quotes (default: the axis's name)"
    )
    texts: Text | None = Field(
        None, description="source of the texts that suggest the `personas` (default: the real rows)"
    )
    sampling: Literal["plain", "verbalised"] = Field(
        "plain", description="`verbalised`: each value is asked for with its probability, most of them rare"
    )

    @model_validator(mode="after")
    def _texts_suggest_people(self) -> Self:
        if self.source == "teacher" and self.texts is not None:
            raise ValueError("texts is for people that they suggest; write from: personas, or take it out")
        if self.source == "personas" and self.ask is not None:
            raise ValueError("ask is for other values than people; take it out, or write from: teacher")
        return self


Axis: TypeAlias = tuple[Text, ...] | AxisFile | AskedAxis


def read_axes(raw: Any, path: KeyPath, reading: Reading, task: Task | None) -> dict[str, Axis]:
    """Every axis that can be used; what is wrong with the others is reported."""
    findings = reading.findings
    axes: dict[str, Axis] = {}
    for name, values in findings.mapping(raw, path).items():
        where = (*path, name)
        if problem := wrong_name(name, task):
            findings.add(where, problem)
        axis = (
            _read_mapped(values, where, reading)
            if isinstance(values, dict)
            else _read_list(values, where, reading)
        )
        if axis is not None:
            axes[name] = axis
    return axes


def _read_list(values: Any, path: KeyPath, reading: Reading) -> tuple[str, ...] | None:
    findings = reading.findings
    if not isinstance(values, list):
        findings.add(
            path, f"must be a list of values, {{file: …}} or {{from: teacher, count: …}}, not {shown(values)}"
        )
    elif not values:
        findings.add(path, "an axis without values; list at least one, or remove the axis")
    elif wrong := [at for at, value in enumerate(values) if not isinstance(value, str) or not value]:
        for at in wrong:
            findings.add((*path, at), f"must be a word, text or number, not {shown(values[at])}")
    else:
        try:
            return distinct(tuple(values))
        except ValueError as error:
            findings.add(path, str(error))
    return None


def _read_mapped(values: Mapping[str, Any], path: KeyPath, reading: Reading) -> AxisFile | AskedAxis | None:
    findings = reading.findings
    if "file" in values:
        axis = findings.model(AxisFile, values, path)
        if axis is not None and not findings.touch((*path, "file")):
            _check_file(axis, path, reading)
        return axis
    if "from" in values:
        return findings.model(AskedAxis, values, path)
    findings.add(
        path, "says neither file nor from; write {file: values.txt}, {from: teacher, count: 40} or a list"
    )
    return None


def _check_file(axis: AxisFile, path: KeyPath, reading: Reading) -> None:
    findings, where = reading.findings, (*path, "file")
    file = reading.folder / axis.file
    suffix = file.suffix.lower()
    if not file.is_file():
        findings.add(where, f"no such file: {file}; paths are relative to the recipe's folder")
    elif suffix == _LINES and axis.column is not None:
        findings.add(
            (*path, "column"), f"{file.name} has no columns, its lines are the values; remove column"
        )
    elif suffix == _LINES and axis.label is not None:
        findings.add((*path, "label"), f"{file.name} has no columns; write a table, or remove label")
    elif suffix in _TABLES and axis.column is None:
        findings.add(path, f"{file.name} has columns; name the one with the values: column: NAME")
    elif suffix not in (_LINES, *_TABLES):
        findings.add(
            where,
            f"cannot tell how to read {file.name}; its name must end in {', '.join((_LINES, *_TABLES))}",
        )


def wrong_name(name: str, task: Task | None) -> str | None:
    """What is wrong with the name of an axis, or None."""
    if name in RESERVED_NAMES:
        return f"'{name}' is a name that every prompt has already; call the axis something else"
    if not _IDENTIFIER.fullmatch(name) or keyword.iskeyword(name) or name.lower() in _JINJA_CONSTANTS:
        return "an axis is a name in templates: letters, digits and _, beginning with a letter"
    if task is not None and name == task.label_field:
        return f"'{name}' is the label; its values are the labels, which cover can weight"
    return None
