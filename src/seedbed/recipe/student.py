"""Section `student`: the model that is trained to prove the data."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from seedbed.core.registry import Table
from seedbed.recipe.complaints import shown
from seedbed.recipe.document import KeyPath
from seedbed.recipe.section import Options, Reading, Section, Text


class StudentEntry(Section):
    """A student and its options."""

    name: Text = Field(description="a student of the table of students")
    options: Options = Field(description="the keys of the student itself")


def read_student(raw: Any, reading: Reading) -> StudentEntry | None:
    """A name, a map of one name to its options, or the options alone; None where there is none."""
    findings = reading.findings
    path: KeyPath = ("student",)
    if raw is None:
        return None
    if isinstance(raw, str):
        name, options = raw, None
    elif (own := _named_by_an_option(raw, reading.registry.students)) is not None:
        name, options = own, raw
    elif isinstance(raw, dict) and len(raw) == 1:
        ((name, options),) = raw.items()
        path = (*path, name)
    else:
        known = reading.registry.students
        strange = [name for name in raw if name not in known] if isinstance(raw, dict) else []
        for name in strange:
            findings.plugin(known, name, (*path, name))
        if not strange:
            findings.add(path, f"must be one name, or one name with its options, not {shown(raw)}")
        return None
    plugin = findings.plugin(reading.registry.students, name, path)
    read = findings.model(plugin.Options, options, path) if plugin is not None else None
    return StudentEntry(name=name, options=read) if read is not None else None


def options_of_student(raw: Any, students: Table[Any]) -> KeyPath:
    """Where in the recipe the options of a student stand that could be read."""
    if isinstance(raw, dict) and _named_by_an_option(raw, students) is None:
        return ("student", *raw)
    return ("student",)


def _named_by_an_option(raw: Any, students: Table[Any]) -> str | None:
    """The student whose options `raw` itself is: `{command: "...", score: ...}`, by the one named like it."""
    if not isinstance(raw, dict):
        return None
    return next(
        (
            key
            for key, value in raw.items()
            if isinstance(value, str) and key in students and has_option_of_its_name(students, key)
        ),
        None,
    )


def has_option_of_its_name(students: Table[Any], name: str) -> bool:
    return name in students.get(name).Options.model_fields
