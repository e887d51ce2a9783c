"""Answers that are programs: run against the row's own tests, in sandboxes that neither can leave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.field_text import as_string
from seedbed.core.protocols import Task
from seedbed.student.rows import Row
from seedbed.student.scores.protocol import OneByOne, Score
from seedbed.verify.code import CodeVerifier
from seedbed.verify.outcome import Finding
from seedbed.verify.programs import is_python, parsed
from seedbed.verify.sandbox.probes import best_backend

_FENCED = re.compile(r"^[ \t]*(`{3,})[^`\n]*\n(.*?)(?:^[ \t]*\1`*[ \t]*$|\Z)", re.DOTALL | re.MULTILINE)

_WORTH: dict[Finding, float | None] = {"passed": 1.0, "failed": 0.0, "undecided": None}


def has_tests(task: Task) -> bool:
    """Whether the task has programs that can be run here, and a field for their tests."""
    return task.kind == "code" and len(task.fields) == 3 and is_python(task.prompt_values["language"])


def program_in(answer: str) -> str:
    """The program of an answer: its longest fenced part, closed or cut off, or all of it."""
    return max((found[1] for found in _FENCED.findall(answer)), key=len, default=answer)


class Parses(OneByOne):
    """1 where the answer is a program of this Python, whatever it does."""

    name: ClassVar[str] = "parses"

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        program = program_in(answer)
        return float(program.strip() != "" and not isinstance(parsed(program), str))


class PassesTests(Score):
    """1 where the row's tests pass on the program; None where the row has none, or they are no Python.

    That tests are worth passing is not looked at: they are the user's. A program may import the standard
    library alone.
    """

    name: ClassVar[str] = "tests_passed"

    def require(self) -> None:
        best_backend()

    def of(self, task: Task, answers: Sequence[str], rows: Sequence[Row]) -> list[float | None]:
        with CodeVerifier() as verifier:
            return [
                _passed(verifier, program_in(answer), as_string(row.fields.get(task.fields[2]) or ""))
                for answer, row in zip(answers, rows, strict=True)
            ]


def _passed(verifier: CodeVerifier, program: str, tests: str) -> float | None:
    if not tests.strip() or isinstance(parsed(tests), str):
        return None
    if not program.strip() or isinstance(parsed(program), str):
        return 0.0
    return _WORTH[verifier.attempt(program, tests).finding]
