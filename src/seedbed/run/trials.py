"""Programs run for methods, off the event loop: each thread has sandboxes of its own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from seedbed.filters import FILTERS
from seedbed.run.workers import worker_count
from seedbed.verify.code import CodeVerifier
from seedbed.verify.sandbox.probes import best_backend

if TYPE_CHECKING:
    from seedbed.run.binding import BoundRecipe


def open_trials(bound: BoundRecipe) -> Trials | None:
    """Where methods run programs, what does it for them; None where none of them does.

    Raises NoSandbox where they do, or a filter does, and no sandbox holds here.
    """
    by_filters = any(
        filter_.runs_programs(entry.options, bound.task)
        for entry in bound.recipe.filters
        if hasattr(filter_ := FILTERS.get(entry.name), "runs_programs")
    )
    if any(method.runs_programs() for method in bound.methods.values()):
        return Trials()
    if by_filters:
        best_backend()
    return None


class Trials:
    """Sandboxes as they are needed, until `close`. Raises NoSandbox at once where none holds here."""

    def __init__(self) -> None:
        self._backend = best_backend()
        self._threads = ThreadPoolExecutor(worker_count(), thread_name_prefix="trials")
        self._mine = threading.local()
        self._made: list[CodeVerifier] = []

    async def passes(self, program: str, suites: Sequence[str]) -> list[bool]:
        """Which of the suites of tests the program passes. Raises SandboxError."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, self._passes, program, suites)

    async def close(self) -> None:
        await asyncio.to_thread(self._threads.shutdown, cancel_futures=True)
        for verifier in self._made:
            verifier.close()

    def _passes(self, program: str, suites: Sequence[str]) -> list[bool]:
        verifier: CodeVerifier | None = getattr(self._mine, "verifier", None)
        if verifier is None:
            verifier = self._mine.verifier = CodeVerifier(backend=self._backend)
            self._made.append(verifier)
        return [one.finding == "passed" for one in verifier.attempt_each(program, suites)]
