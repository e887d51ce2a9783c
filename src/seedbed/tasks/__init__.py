"""Task kinds, one file each, and the table that names them."""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table, loaders

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

# A kind's class has its name.
TASKS: Table[Any] = Table(
    "task kind",
    "seedbed.tasks",
    loaders("seedbed.tasks", {kind: f"{kind}:{kind.capitalize()}" for kind in _KINDS}),
)
