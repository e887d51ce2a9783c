"""Students: what a training set is worth to a model that never saw the eval.

A student accepts texts and labels, whatever the task kind they are views of. `STUDENTS` is the
table; a student from another package is an entry point in the group `seedbed.students`.
"""

from __future__ import annotations

from seedbed.core.registry import Table
from seedbed.student.protocol import Student


def _classifier() -> type[Student]:
    from seedbed.student.classifier import Classifier

    return Classifier


STUDENTS: Table[type[Student]] = Table("student", "seedbed.students", {"classifier": _classifier})
