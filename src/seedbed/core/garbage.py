"""How often Python looks for reference cycles, in processes that are this program's own."""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """Look after 50,000 new objects, not after the 700 or 2,000 that Python looks after.

    A run holds some ten thousand objects that live as long as it does, makes hundreds for every record and
    next to no cycles; each look walks through all the young ones. With Python's own thresholds that
    was an eighth of a run's CPU (`python -m benchmarks.throughput --case cpu`). Never called where
    Seedbed is a guest: a notebook's collector is its own.
    """
    gc.set_threshold(50_000, 20, 100)
