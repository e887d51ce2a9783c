"""What a killable process is told to call: it knows them by their names alone."""

from __future__ import annotations

import os
import signal
import time
from typing import Any


def doubled(number: int) -> int:
    return 2 * number


def own_id(_: Any) -> int:
    return os.getpid()


def busy(exponent: int) -> str:
    """Holds the interpreter in one sum of long integers, so that no thread of it runs."""
    return str((7**exponent) % 10)


def burning(seconds: float) -> float:
    begin = time.process_time()
    while time.process_time() < begin + seconds:
        pass
    return time.process_time() - begin


def asleep(seconds: float) -> None:
    time.sleep(seconds)


def swollen(megabytes: int) -> int:
    return len(bytearray(megabytes << 20))


def broken(_: Any) -> None:
    os.kill(os.getpid(), signal.SIGSEGV)


def confused(_: Any) -> None:
    raise SystemError("error return without exception set")


def chatty(text: str) -> str:
    print(text)
    return text
