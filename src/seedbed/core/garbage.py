"""How often Python looks for reference cycles, in processes that are this program's own."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_own = False


def collect_rarely() -> None:
    """Look after 10,000 new objects, not after the 700 or 2,000 that Python looks after.

    Never called where Seedbed is a guest: a notebook's collector is its own.
    """
    global _own  # the collector is the process's
    _own = True
    gc.set_threshold(10_000, 10, 10)


@contextmanager
def collect_next_to_never() -> Iterator[None]:
    """For long work that makes next to no cycles: look after 100,000 new objects, and not at those before it.

    A run makes hundreds of objects for each record and drops them with the record's round, and each look
    walks through all the young ones. What importing and binding left is collected first: kept, it was
    40 MB of a run's peak. Changes nothing where Seedbed is a guest.
    """
    if not _own:
        yield
        return
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 10, 10)
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()
