"""A thread that works in the background rests between its steps; no other does."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from seedbed.core.background import LEAST_SECONDS, REST, Background, give_way

WORK_SECONDS = 0.02


def work() -> float:
    """Takes the processor for a while; returns for how long."""
    began = time.thread_time()
    while (worked := time.thread_time() - began) < WORK_SECONDS:
        pass
    return worked


def seconds_of_rest() -> float:
    worked = work()
    began = time.monotonic()
    give_way()
    rested = time.monotonic() - began
    assert worked >= WORK_SECONDS
    return rested


def test_rests_as_long_as_it_worked() -> None:
    with ThreadPoolExecutor(1, initializer=Background().enter) as threads:
        assert threads.submit(seconds_of_rest).result() >= REST * WORK_SECONDS


def test_short_steps_are_taken_together() -> None:
    def steps() -> tuple[int, float]:
        began, rests, worked = time.thread_time(), 0, 0.0
        while (worked := time.thread_time() - began) < WORK_SECONDS:
            before = time.monotonic(), time.thread_time()
            give_way()
            # Resting takes time and no processor.
            rests += time.monotonic() - before[0] > 2 * (time.thread_time() - before[1]) + LEAST_SECONDS / 2
        return rests, worked

    with ThreadPoolExecutor(1, initializer=Background().enter) as threads:
        rests, worked = threads.submit(steps).result()
    assert 0 < rests <= worked / LEAST_SECONDS + 1


def test_other_threads_never_rest() -> None:
    assert seconds_of_rest() < WORK_SECONDS / 2


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_hurries_where_nobody_else_has_anything_to_do(when: str) -> None:
    background = Background()
    ready = threading.Event()

    def long_rest() -> float:
        worked = work() + work()
        ready.set()
        began = time.monotonic()
        give_way()
        return (time.monotonic() - began) / worked

    with ThreadPoolExecutor(1, initializer=background.enter) as threads:
        if when == "before":
            background.hurry()
        resting = threads.submit(long_rest)
        ready.wait()
        background.hurry()
        assert resting.result() < REST / 2
        background.take_time()
        assert threads.submit(seconds_of_rest).result() >= REST * WORK_SECONDS
