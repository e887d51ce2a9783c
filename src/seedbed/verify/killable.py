"""One function in a process that is killed where it takes too long or too much, and then replaced.

For libraries that are right to trust and wrong to wait for: what a model wrote can keep them busy for ever.
The process is no sandbox. It never runs code of a model, and what goes in and out of it is plain JSON.
"""

from __future__ import annotations

import json
import signal
import threading
import time
import weakref
from contextlib import suppress
from typing import Any

from seedbed.core.child_process import Child, end_child, receive, send, start_child
from seedbed.core.errors import SeedbedError
from seedbed.verify.processor_time import on_the_clock

_BEGINNING_SECONDS = 60.0


class Killed(Exception):
    """A call was not answered: `out_of_time`, `out_of_memory` or `crashed`; of the last, what is known."""

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason
        self.detail = detail


class KillableProcess:
    """Calls `function` (`module:name`) with a JSON value; it returns one.

    A call may take `seconds` of processor time, with the clock of `processor_time`, and the process
    `megabytes` of memory. It is started by the first call, in whatever process that is made, and ends with
    it: what is pickled is the limits alone.
    """

    def __init__(self, function: str, *, seconds: float, megabytes: int) -> None:
        self._limits = {"function": function, "seconds": seconds, "megabytes": megabytes}
        self._seconds = on_the_clock(seconds)
        self._process: Child | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {**vars(self), "_process": None}

    def __call__(self, argument: Any) -> Any:
        """Raises Killed; the next call then has a new process."""
        if self._process is None:
            self._process = self._started()
        try:
            return _answer(self._process, argument, self._seconds)
        except Killed:
            self.close()
            raise

    def close(self) -> None:
        """End the process, if there is one; another call starts another."""
        if self._process is not None:
            end_child(self._process)
            self._process = None

    def _started(self) -> Child:
        process = start_child("seedbed.verify.killable_process")
        weakref.finalize(self, end_child, process)
        try:
            _answer(process, self._limits, _BEGINNING_SECONDS)
        except Killed as killed:
            end_child(process)
            raise SeedbedError(
                f"the process for {self._limits['function']} did not begin ({killed}); what it wrote "
                "to stderr says why"
            ) from None
        return process


def _answer(process: Child, message: Any, seconds: float) -> Any:
    """Raises Killed; the process is of no more use then."""
    assert process.stdin is not None
    assert process.stdout is not None
    answer, began = None, time.monotonic()
    alarm = threading.Timer(seconds, process.kill)
    alarm.start()
    try:
        with suppress(BrokenPipeError):
            send(process.stdin, json.dumps(message).encode())
            answer = receive(process.stdout)
    finally:
        alarm.cancel()
    if answer is not None:
        found = json.loads(answer)
        if "killed" in found:
            raise Killed(found["killed"], found.get("detail", ""))
        return found["value"]
    late = time.monotonic() - began >= seconds
    raise Killed("out_of_time" if late or process.wait() == -signal.SIGPROF else "crashed")
