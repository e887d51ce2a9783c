"""Whatever answers a chat request, and the executor that fills the reply log from it."""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table


def _rehearsal() -> Any:
    from seedbed.models.rehearsal import RehearsalTeacher

    return RehearsalTeacher


def _rehearsal_judge() -> Any:
    from seedbed.models.rehearsal_judge import RehearsalJudge

    return RehearsalJudge


# Models with options of their own in a recipe; a wire or a recording is described by its role.
MODELS: Table[Any] = Table(
    "model", "seedbed.models", {"rehearsal": _rehearsal, "rehearsal_judge": _rehearsal_judge}
)
