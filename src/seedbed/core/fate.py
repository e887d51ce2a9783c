"""A record's fate is a fold over its verdicts; accounts are a fold over fates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seedbed.core.errors import AccountsError
from seedbed.core.verdict import Verdict

Stopped = Literal["target", "budget", "variety", "interrupted", "endpoint", "cells"]


@dataclass(frozen=True, slots=True)
class Fate:
    """`reason` is that of the first filter (in the order the verdicts came) that rejects."""

    accepted: bool
    reason: str = ""
    filter: str = ""


ACCEPTED = Fate(True)


def fate_of(verdicts: Collection[Verdict]) -> Fate:
    """Fold verdicts in order. Of two by the same filter the later one holds, in the earlier's place."""
    for verdict in verdicts:
        if not verdict.keep:
            return _folded(verdicts)
    return ACCEPTED


def _folded(verdicts: Collection[Verdict]) -> Fate:
    standing: dict[str, Verdict] = {}
    for verdict in verdicts:
        standing[verdict.filter_name] = verdict
    for verdict in standing.values():
        if not verdict.keep:
            return Fate(False, verdict.reason, verdict.filter)
    return ACCEPTED


@dataclass(slots=True)
class CellCounts:
    planned: int = 0
    done: int = 0
    failed: int = 0
    pending: int = 0


@dataclass(slots=True)
class DraftCounts:
    total: int = 0
    accepted: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    failed: Counter[str] = field(default_factory=Counter)
    pending: int = 0


@dataclass(slots=True)
class Accounts:
    """Every cell and every draft of a run, each counted once.

    A failed cell counts as one failed draft under its cause: the reply that never came.
    """

    target: int
    cells: CellCounts = field(default_factory=CellCounts)
    drafts: DraftCounts = field(default_factory=DraftCounts)
    stopped: Stopped | None = None

    def check(self) -> None:
        """Raise AccountsError unless both equations hold."""
        cells, drafts = self.cells, self.drafts
        if cells.planned != cells.done + cells.failed + cells.pending:
            raise AccountsError(f"cells do not add up: {cells}")
        parts = drafts.accepted + drafts.rejected.total() + drafts.failed.total() + drafts.pending
        if drafts.total != parts:
            raise AccountsError(f"drafts do not add up: {drafts}")

    def to_json(self) -> dict[str, Any]:
        cells, drafts = self.cells, self.drafts
        return {
            "cells": {
                "planned": cells.planned,
                "done": cells.done,
                "failed": cells.failed,
                "pending": cells.pending,
            },
            "drafts": {
                "total": drafts.total,
                "accepted": drafts.accepted,
                "rejected": dict(sorted(drafts.rejected.items())),
                "failed": dict(sorted(drafts.failed.items())),
                "pending": drafts.pending,
            },
            "target": self.target,
            "stopped": self.stopped,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Accounts:
        drafts = value["drafts"]
        return cls(
            target=value["target"],
            cells=CellCounts(**value["cells"]),
            drafts=DraftCounts(
                total=drafts["total"],
                accepted=drafts["accepted"],
                rejected=Counter(drafts["rejected"]),
                failed=Counter(drafts["failed"]),
                pending=drafts["pending"],
            ),
            stopped=value.get("stopped"),
        )
