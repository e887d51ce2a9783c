"""Task kinds, one file each, and the table that names them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedbed.core.registry import Table


def _loader(kind: str) -> Callable[[], Any]:
    """A kind's class has its name, and is imported when it is asked for."""
    return lambda: getattr(import_module(f"seedbed.tasks.{kind}"), kind.capitalize())


_KINDS = (
    "classification",
    "instruction",
    "conversation",
    "preference",
    "extraction",
    "math",
    "code",
    "translation",
    "custom",
)

TASKS: Table[Any] = Table("task kind", "seedbed.tasks", {kind: _loader(kind) for kind in _KINDS})
