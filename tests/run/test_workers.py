"""Worker processes: answers, errors, noise on stdout, and their end with or without a word."""

from __future__ import annotations

import asyncio
import os
import pickle
import signal
import subprocess
import sys
import time

import pytest

from seedbed.core.child_process import end_child, receive, send, start_child
from seedbed.core.errors import Interrupted, SeedbedError
from seedbed.run.workers import Workers

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


def interrupt(number: int) -> int:
    os.kill(os.getpid(), signal.SIGINT)
    return number


def stop(number: int) -> None:
    os.kill(os.getpid(), signal.SIGTERM)


def pid(_: str) -> int:
    return os.getpid()


def threads_of_numpy(_: str) -> str | None:
    return os.environ.get("OPENBLAS_NUM_THREADS")


@pytest.mark.parametrize(("by_the_user", "taken"), [(None, "1"), ("3", "3")])
def test_numpy_takes_one_thread_in_each_of_them_unless_the_user_gives_it_more(
    monkeypatch: pytest.MonkeyPatch, by_the_user: str | None, taken: str
) -> None:
    monkeypatch.delenv("OPENBLAS_NUM_THREADS", raising=False)
    if by_the_user is not None:
        monkeypatch.setenv("OPENBLAS_NUM_THREADS", by_the_user)

    async def work() -> str | None:
        workers = Workers(1, begin, "the state")
        try:
            return await workers.call(threads_of_numpy, "")
        finally:
            await asyncio.to_thread(workers.close)

    assert asyncio.run(work()) == taken


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
            with pytest.raises(SeedbedError, match=r"was killed \(SIGKILL; out of memory\?\)"):
                await workers.call(die, 0)
            assert (await workers.call(answer, 3))[1] == 9
        finally:
            await asyncio.to_thread(workers.close)

    asyncio.run(work())


def test_ctrl_c_ends_no_worker_and_one_that_was_stopped_did_not_lack_memory() -> None:
    async def work() -> None:
        workers = Workers(1, begin, "")
        try:
            assert await workers.call(interrupt, 5) == 5
            with pytest.raises(Interrupted, match=r"was stopped \(SIGTERM\); run the same") as caught:
                await workers.call(stop, 0)
            assert "memory" not in str(caught.value)
        finally:
            await asyncio.to_thread(workers.close)

    asyncio.run(work())


def test_ctrl_c_ends_no_process_that_has_just_been_started() -> None:
    """Before Python is up in it, where no handler of its own could be."""
    process = start_child("seedbed.run.worker_process")
    os.kill(process.pid, signal.SIGINT)
    assert process.stdin is not None
    assert process.stdout is not None
    try:
        send(process.stdin, pickle.dumps((sys.path, pickle.dumps((begin, "")))))
        send(process.stdin, pickle.dumps((answer, 3)))
        told = receive(process.stdout)
        assert told is not None
        assert pickle.loads(told) == (True, ("", 9, process.pid))
    finally:
        end_child(process)


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
