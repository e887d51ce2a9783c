"""How often Python looks for reference cycles, in processes that are this program's own."""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """Look after a million new objects, not after the 700 or 2,000 that Python looks after.

    A run makes hundreds of objects for each record, next to none of them in cycles, and drops them with the
    record's round; each look walks through all the young ones. The peak memory of 20,000 cells is that of
    2,000, also where nothing is ever looked for: 238 MB (`python -m benchmarks.memory`). Never called where
    Seedbed is a guest: a notebook's collector is its own.
    """
    gc.set_threshold(1_000_000, 10, 10)
