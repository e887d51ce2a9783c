"""Students: what a training set is worth to a model that never saw the eval.

A student accepts texts and labels, whatever the task kind they are views of. `STUDENTS` is the
table; a student from another package is an entry point in the group `seedbed.students`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from seedbed.core.registry import Table, loaders

if TYPE_CHECKING:  # the process that keeps a command starts light
    from seedbed.student.protocol import Student

STUDENTS: Table[type[Student]] = Table(
    "student",
    "seedbed.students",
    loaders(
        "seedbed.student",
        {
            "classifier": "classifier:Classifier",
            "command": "command:Command",
            "trl": "trl:Trl",
            "endpoint": "endpoint:Endpoint",
        },
    ),
)
