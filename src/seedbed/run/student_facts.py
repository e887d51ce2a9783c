"""In plain values what decides what a student shows of a run's records: itself and the recipe's mix."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seedbed.core.errors import Problem
from seedbed.recipe import Mix, StudentEntry
from seedbed.run.binding import BoundRecipe
from seedbed.run.registry import registry
from seedbed.store.atomic import file_hash
from seedbed.student.protocol import Student, StudentError, absent
from seedbed.student.scores import metrics_of


def student_plugin(entry: StudentEntry) -> Student:
    student: Student = registry().students.get(entry.name)(entry.options)
    return student


def described(entry: StudentEntry) -> dict[str, Any]:
    """Which student it is, as results name it: its name, version and options."""
    options = entry.options.model_dump(mode="json")
    return {"name": entry.name, "version": student_plugin(entry).version, "options": options}


def student_facts(bound: BoundRecipe) -> dict[str, Any]:
    """`student` (None without one) with the files that it reads, `metric` and the whole section `mix`.

    Raises StudentError where something that the student lists is not there.
    """
    entry = bound.recipe.student
    student = None
    if entry is not None:
        files = files_read(student_plugin(entry), bound.loaded.folder)
        student = {**described(entry), "files": files}
    return {
        "student": student,
        "metric": metrics_of(bound.task)[0],
        "mix": (bound.recipe.mix or Mix()).model_dump(mode="json"),
    }


def files_read(student: Student, folder: Path) -> Mapping[str, str]:
    """Name -> hash of the files that the student reads, as far as there, and of all that it lists.

    Raises StudentError where something that it lists is not there.
    """
    if gone := absent(student, folder):
        raise StudentError(
            [Problem(what, key=".".join(("student", student.name, *key))) for key, what in gone]
        )
    found = {name: folder / name for name in student.reads}
    for _, name in student.listed:
        found |= {name: folder / name, **{str(path): path for path in (folder / name).rglob("*")}}
    return {
        # By its place in the recipe's folder: a copy of the whole learns the same.
        path.relative_to(folder).as_posix() if path.is_relative_to(folder) else name: file_hash(path)
        for name, path in sorted(found.items())
        if path.is_file()
    }
