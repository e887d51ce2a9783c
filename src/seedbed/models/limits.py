"""How much is asked at once, and how often again."""

from __future__ import annotations

import random
from dataclasses import dataclass

BACKOFF_BASE = 0.5
BACKOFF_CAP = 30.0


@dataclass(frozen=True, slots=True)
class Limits:
    """`concurrency` calls in flight, or None to find the level; `retries` after a first failed try.

    `patience` bounds, in seconds, what does not count as a retry: how long one question bears
    an endpoint that keeps answering 429, or cannot be reached.
    """

    concurrency: int | None = 32
    retries: int = 5
    patience: float = 900.0


def backoff(failures: int, cap: float = BACKOFF_CAP) -> float:
    """Seconds to wait after the given number of failures: "full jitter", uniform up to base * 2^(n-1).

    Source: M. Brooker, Exponential Backoff and Jitter, AWS Architecture Blog, 2015.
    """
    return random.uniform(0, min(cap, BACKOFF_BASE * 2.0 ** min(failures - 1, 30)))
