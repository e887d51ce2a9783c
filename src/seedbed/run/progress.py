"""What a run tells whoever watches it, updated in place while it works."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from seedbed.core.record import Record
    from seedbed.models.budget import Budget
    from seedbed.models.executor import Stats
    from seedbed.run.filtering import Checked


@dataclass
class Progress:
    """`accepted` and `rejected` are what closed rounds settled. Of the drafts in open rounds, `kept` passed
    every record filter, and `falling` counts the others by the reason that stands so far: corpus filters,
    judges and the target have yet to look at them.

    `passed` is `kept` of the rounds that this sitting closed. `spent`, `budget` and `in_flight` (requests
    under way, and how many may be) are there once the run has opened.
    """

    target: int
    accepted: int = 0
    cells: int = 0
    failed: int = 0
    rejected: dict[str, int] = field(default_factory=dict)
    rounds: int = 0
    kept: int = 0
    passed: int = 0
    falling: Counter[str] = field(default_factory=Counter)
    spent: Callable[[], Stats] | None = None
    budget: Budget | None = None
    in_flight: Callable[[], tuple[int, int]] | None = None

    def checked(self, drafts: Iterable[tuple[Record, Checked]], step: int = 1) -> None:
        """Drafts came out of the record filters; with `step` -1 their round has settled them."""
        for _, found in drafts:
            if found.kept:
                self.kept += step
                self.passed += step < 0
            else:
                first = next(verdict for verdict in filter(None, found.said) if not verdict.keep)
                self.falling[first.reason] += step

    def reasons(self) -> Counter[str]:
        """Rejected drafts by reason so far, in closed and open rounds."""
        return +(Counter(self.rejected) + self.falling)
