"""What most methods have in common: the declarations that they leave as they are."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict

from seedbed.core.cell import Cell
from seedbed.core.protocols import Asking, Draft, SourceKind, Task


class MethodOptions(BaseModel):
    """Base of every method's options: an unknown key is refused, never ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class BaseMethod(ABC):
    """A method of its own prompts, with axes, for tasks of any kind, that asks the teacher and works on no
    source. A subclass says its name, version, options and steps, and what of these differs; see Method."""

    name: ClassVar[str]
    version: ClassVar[int]
    Options: ClassVar[type[BaseModel]]
    steps: ClassVar[Mapping[str, Sequence[str]]] = {}
    asks_template: ClassVar[bool] = False
    uses_axes: ClassVar[bool] = True
    open_label: ClassVar[bool] = False
    tasks: ClassVar[Sequence[str]] = ()
    source_kinds: ClassVar[Sequence[SourceKind]] = ()
    source_option: ClassVar[str] = "source"
    source_once: ClassVar[bool] = False

    def __init__(self, options: Any) -> None:
        self.options = options
        # By the fields left out. One object for all cells: it is hashed with each of their requests.
        self._schemas: dict[tuple[str, ...], dict[str, Any]] = {}

    def schema(self, task: Task, omit: tuple[str, ...]) -> dict[str, Any]:
        """The task's schema less some fields, the same object each time."""
        if omit not in self._schemas:
            self._schemas[omit] = task.schema(omit=omit)
        return self._schemas[omit]

    def source(self) -> str | None:
        """The option that names it, where the method has one and needs it."""
        return getattr(self.options, self.source_option, None) or "" if self.source_kinds else None

    def examples(self) -> int | None:
        return None

    def roles(self) -> Sequence[str]:
        return ("teacher",)

    def runs_programs(self) -> bool:
        return False

    def requests(self) -> tuple[int, int]:
        return 1, 1

    def prompt_files(self) -> Mapping[str, Sequence[str]]:
        return {}

    def axis_values(self) -> Mapping[str, str]:
        return {}

    def problems(self, task: Task) -> list[tuple[Sequence[str], str]]:
        return []

    @abstractmethod
    async def __call__(self, cell: Cell, ctx: Asking) -> list[Draft]: ...
