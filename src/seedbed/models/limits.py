"""How much is asked at once, how often again, and how much in all."""

from __future__ import annotations

import random
from dataclasses import dataclass

from seedbed.core.errors import BudgetReached

BACKOFF_BASE = 0.5
BACKOFF_CAP = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """`concurrency` calls in flight; `retries` after a question's first failed try.

    `patience` bounds, in seconds, what does not count as a retry: how long one question bears
    an endpoint that keeps answering 429, or cannot be reached.
    """

    concurrency: int = 32
    retries: int = 5
    patience: float = 900.0


class Budget:
    """What a run may spend; `max_requests=None` is no bound. Every request counts, failed ones too.

    `spent` is what earlier sittings of the same run have sent already.
    """

    def __init__(self, max_requests: int | None = None, *, spent: int = 0) -> None:
        self.max_requests = max_requests
        self.spent = spent

    def reserve(self) -> None:
        """Take one request from the budget, before it is sent. Raises BudgetReached."""
        if self.max_requests is not None and self.spent >= self.max_requests:
            raise BudgetReached(
                f"budget: all {self.max_requests} requests of budget.requests are spent; raise it (or "
                "--max-requests) and run the same command again: nothing answered is asked for twice"
            )
        self.spent += 1


def backoff(failures: int, cap: float = BACKOFF_CAP) -> float:
    """Seconds to wait after the given number of failures: "full jitter", uniform up to base * 2^(n-1).

    Source: M. Brooker, Exponential Backoff and Jitter, AWS Architecture Blog, 2015.
    """
    return random.uniform(0, min(cap, BACKOFF_BASE * 2.0 ** min(failures - 1, 30)))
