"""Worker processes that import this package and nothing of the program that started them.

`multiprocessing` imports the main module of the program into every process that it spawns: a script or
notebook without `if __name__ == "__main__"` would begin again in each of them. These are plain child
processes instead (`python -m seedbed.run.worker_process`), each behind a thread that hands it one call
at a time over its standard input and reads the answer from its standard output, both in frames of a
length and a pickle. They end with their parent, which closes that input even where it is killed.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeVar

from seedbed.core.child_process import Child, end_child, ended_early, receive, send, start_child

A = TypeVar("A")
R = TypeVar("R")

_MODULE = "seedbed.run.worker_process"


class Workers:
    """Up to `count` processes, started as work comes. `begin(state)` is called once in each of them.

    The state is pickled when the first is started, in that call's thread.

    Functions travel by name, so that they must stand in a module; arguments and results by pickle.
    """

    def __init__(self, count: int, begin: Callable[[A], None], state: A) -> None:
        self._begin = (begin, state)
        self._threads = ThreadPoolExecutor(count, thread_name_prefix="worker")
        self._mine = threading.local()
        self._lock = threading.Lock()
        self._processes: list[Child] = []
        self._pickled: bytes | None = None

    async def call(self, function: Callable[[A], R], argument: A) -> R:
        """The result of `function(argument)` in one of the processes.

        Raises what the function raised there, or SeedbedError where the process ended: what it had in hand
        can be worked on again.
        """
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._call, function, argument)

    def close(self) -> None:
        """Let calls under way end, drop those that wait, and end the processes."""
        self._threads.shutdown(cancel_futures=True)
        for process in self._processes:
            end_child(process)

    def _call(self, function: Callable[[A], R], argument: A) -> R:
        process: Child | None = getattr(self._mine, "process", None)
        if process is None or process.poll() is not None:
            process = self._mine.process = self._start()
        assert process.stdin is not None
        assert process.stdout is not None
        answer = None
        with suppress(BrokenPipeError):
            send(process.stdin, pickle.dumps((function, argument), pickle.HIGHEST_PROTOCOL))
            answer = receive(process.stdout)
        if answer is None:
            raise ended_early(process, "a filter worker process", "every reply is in the log")
        good, value = pickle.loads(answer)
        if not good:
            raise value
        result: R = value
        return result

    def _start(self) -> Child:
        beginning = self._beginning()
        process = start_child(_MODULE, numpy_alone=True)  # one for each core as it is
        with self._lock:
            self._processes.append(process)
        assert process.stdin is not None
        with suppress(BrokenPipeError):  # it ended already: the answer that is missing will say so
            send(process.stdin, beginning)
        return process

    def _beginning(self) -> bytes:
        with self._lock:
            if self._pickled is None:
                self._pickled = pickle.dumps((sys.path, pickle.dumps(self._begin)))
            return self._pickled


def worker_count() -> int:
    """One for each core but the event loop's, and four at most."""
    return max(1, min(4, (os.cpu_count() or 2) - 1))
