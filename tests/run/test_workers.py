"""Worker processes: answers, errors, noise on stdout, and their end with or without a word."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time

import pytest

from seedbed.core.errors import SeedbedError
from seedbed.run.workers import WorkerEnded, Workers

_state = ""


def begin(state: str) -> None:
    global _state
    _state = state


def answer(number: int) -> tuple[str, int, int]:
    print("noise on the standard output of a worker")
    return _state, number * number, os.getpid()


def fail(text: str) -> None:
    raise ValueError(text)


class _Stubborn(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def fail_oddly(text: str) -> None:
    raise _Stubborn(text, "!")


def die(number: int) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def pid(_: str) -> int:
    return os.getpid()


def test_calls_are_answered_in_other_processes() -> None:
    async def work() -> list[tuple[str, int, int]]:
        workers = Workers(2, begin, "the state")
        try:
            return list(await asyncio.gather(*(workers.call(answer, n) for n in range(20))))
        finally:
            await asyncio.to_thread(workers.close)

    found = asyncio.run(work())
    assert [(state, square) for state, square, _ in found] == [("the state", n * n) for n in range(20)]
    processes = {process for *_, process in found}
    assert 1 <= len(processes) <= 2
    assert os.getpid() not in processes
    for process in processes:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


def test_errors_come_back_and_a_killed_worker_is_named_and_replaced() -> None:
    async def work() -> None:
        workers = Workers(1, begin, "")
        try:
            with pytest.raises(ValueError, match="of the caller"):
                await workers.call(fail, "of the caller")
            with pytest.raises(SeedbedError, match="_Stubborn: odd!"):
                await workers.call(fail_oddly, "odd")
            with pytest.raises(WorkerEnded, match="was killed"):
                await workers.call(die, 0)
            assert (await workers.call(answer, 3))[1] == 9
        finally:
            await asyncio.to_thread(workers.close)

    asyncio.run(work())


def test_workers_end_with_a_parent_that_is_killed() -> None:
    code = (
        "import asyncio, time, sys\n"
        "from seedbed.run.workers import Workers\n"
        "from tests.run.test_workers import begin, pid\n"
        "print(asyncio.run(Workers(1, begin, '').call(pid, '')), flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    worker = int(parent.stdout.readline())
    os.kill(worker, 0)
    parent.kill()
    parent.communicate()
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        try:
            os.kill(worker, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    pytest.fail("the worker outlived its parent by 20 s")
