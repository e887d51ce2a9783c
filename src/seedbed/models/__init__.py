"""Whatever answers a chat request, and the executor that fills the reply log from it."""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table, loaders

# Models with options of their own in a recipe; a wire or a recording is described by its role.
MODELS: Table[Any] = Table(
    "model",
    "seedbed.models",
    loaders(
        "seedbed.models",
        {"rehearsal": "rehearsal:RehearsalTeacher", "rehearsal_judge": "rehearsal_judge:RehearsalJudge"},
    ),
)
