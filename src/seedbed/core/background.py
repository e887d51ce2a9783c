"""Threads with much to do that let an event loop go first.

Python's threads take turns at the interpreter, each for as long as the other. Beside a thread that never
waits, an event loop that needs more than half of it falls behind, and so do the answers that it fetches.
"""

from __future__ import annotations

import threading
import time

# How long a thread rests, of the time that it has worked.
REST = 1.0
# Work that no other thread notices; short steps are taken together.
LEAST_SECONDS = 0.001

_mine = threading.local()


class Background:
    """What threads that have called `enter` do: they rest between their steps until they are to hurry."""

    def __init__(self) -> None:
        self._hurry = threading.Event()

    def enter(self) -> None:
        """From here on this thread works in the background."""
        _mine.background = self
        _mine.rested = time.thread_time()

    def hurry(self) -> None:
        """Nobody else has anything to do: whoever rests goes on at once."""
        self._hurry.set()

    def take_time(self) -> None:
        """There is other work again."""
        self._hurry.clear()

    def _rest(self) -> None:
        worked = time.thread_time() - _mine.rested
        if worked >= LEAST_SECONDS:
            self._hurry.wait(REST * worked)
            _mine.rested = time.thread_time()


def give_way() -> None:
    """Called between two steps of long work: rests for as long as they took the processor, where the
    thread works in the background; elsewhere does nothing."""
    background: Background | None = getattr(_mine, "background", None)
    if background is not None:
        background._rest()
