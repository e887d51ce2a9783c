"""How threads share the interpreter while one of them has much to do and another must not wait."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Of Python's 5 ms an event loop waits as much for each answer that comes while a round is closed.
SHORT_TURN_SECONDS = 0.0005

_lock = threading.Lock()
_at_work = 0
_usual = 0.0


@contextmanager
def short_turns() -> Iterator[None]:
    """Threads give way to one another after half a millisecond, until the last such block has ended."""
    global _at_work, _usual  # the interval is the interpreter's, and so is who wants it short
    with _lock:
        if not _at_work:
            _usual = sys.getswitchinterval()
            sys.setswitchinterval(min(_usual, SHORT_TURN_SECONDS))
        _at_work += 1
    try:
        yield
    finally:
        with _lock:
            _at_work -= 1
            if not _at_work:
                sys.setswitchinterval(_usual)
