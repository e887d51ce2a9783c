"""Steps that may fail each in their own way, and all their problems together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from seedbed.core.errors import InputError, Problem, RecipeError

T = TypeVar("T")


class Gatherer:
    """Runs steps and keeps their problems, so that a user sees all of them at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InputError as error:
            self.problems += error.problems
            return None

    def raise_if_any(self) -> None:
        if self.problems:
            raise RecipeError(list(dict.fromkeys(self.problems)))
