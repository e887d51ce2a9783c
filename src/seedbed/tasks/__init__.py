"""Task kinds, one file each, and the table that names them."""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table


def _classification() -> Any:
    from seedbed.tasks.classification import Classification

    return Classification


def _instruction() -> Any:
    from seedbed.tasks.instruction import Instruction

    return Instruction


TASKS: Table[Any] = Table(
    "task kind", "seedbed.tasks", {"classification": _classification, "instruction": _instruction}
)
