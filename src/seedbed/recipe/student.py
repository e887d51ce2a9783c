"""Section `student`: the model that is trained to prove the data."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from seedbed.core.registry import Table, nearest
from seedbed.recipe.complaints import shown
from seedbed.recipe.document import KeyPath
from seedbed.recipe.findings import Findings
from seedbed.recipe.roles import Roles, WireRole
from seedbed.recipe.section import Options, Reading, Section, Text


class StudentEntry(Section):
    """A student and its options."""

    name: Text = Field(description="a student of the table of students")
    options: Options = Field(description="the keys of the student itself")


def roles_of_student(entry: StudentEntry | None) -> tuple[str, ...]:
    """The roles that a served student is asked in; none of one that is trained."""
    asked: tuple[str, ...] = getattr(entry.options, "asked_roles", ()) if entry is not None else ()
    return asked


def check_roles(entry: StudentEntry, roles: Roles, findings: Findings) -> None:
    """Report roles that a served student is asked in, and that are no models behind an address."""
    path: KeyPath = ("student", entry.name)
    for name in roles_of_student(entry):
        if findings.touch(path, ("roles", name)):
            continue
        role = roles.bound.get(name)
        if role is None:
            findings.add(
                path,
                f"the student '{entry.name}' is asked in the role {name}, which the recipe does not fill; "
                f"write roles: {{{name}: {{model: …, endpoint: …}}}}",
            )
        elif not isinstance(role, WireRole):
            findings.add(
                path,
                f"the student '{entry.name}' is asked in the role {name}, which is no served model: what is "
                "recorded or rehearsed says nothing of a model; bind it to {model: …, endpoint: …}",
            )


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
        # Where one of them is a student's name mistyped, the others are its options.
        strange = next(([name] for name in strange if nearest(name, known.names())), strange)
        for name in strange:
            findings.plugin(known, name, (*path, name))
        if not strange:
            findings.add(path, f"must be one name, or one name with its options, not {shown(raw)}")
        return None
    plugin = findings.plugin(reading.registry.students, name, path)
    context = {"folder": reading.folder}
    read = findings.model(plugin.Options, options, path, context) if plugin is not None else None
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
