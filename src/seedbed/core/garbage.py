"""How often Python looks for reference cycles, in processes that are this program's own."""

from __future__ import annotations

import gc


def collect_rarely() -> None:
    """Look after 10,000 new objects, not after the 700 or 2,000 that Python looks after.

    A run holds some ten thousand objects that live as long as it does, makes hundreds for every record and
    next to no cycles; each look walks through all the young ones. After 50,000 the peak memory of 20,000
    cells was 304 MB, after 10,000 it is 263, as with Python's own (`python -m benchmarks.memory 20000`).
    Never called where Seedbed is a guest: a notebook's collector is its own.
    """
    gc.set_threshold(10_000, 10, 10)
