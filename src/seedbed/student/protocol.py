"""What a student is, and how it says that it cannot learn from an arm."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel

from seedbed.core.errors import InputError


class StudentError(InputError):
    """An arm from which this student cannot learn: too few rows, one label, nothing to read."""


class Fitted(Protocol):
    """A student that has learnt. `notes` say what the reader of its scores should know."""

    @property
    def notes(self) -> tuple[str, ...]: ...

    def predict(self, texts: Sequence[str]) -> list[str]:
        """One label of the training rows for each text, in order."""
        ...


class Student(Protocol):
    """Learns labels from texts. Built with its validated `Options`; equal seeds learn alike."""

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    needs: ClassVar[tuple[str, ...]]
    """Modules of an extra that must be installed; looked for before a run asks anything."""

    def __init__(self, options: Any) -> None: ...

    def fit(self, texts: Sequence[str], labels: Sequence[str], *, seed: int = 0) -> Fitted:
        """Raises StudentError where there is nothing to learn from, and says why."""
        ...
