"""Python processes of our own that end with the one that started them, killed or not.

A child's standard input stays open for as long as its parent lives and wants it: its end ends the child.
"""

from __future__ import annotations

import os
import queue
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from typing import IO, Protocol

from seedbed.core.errors import Interrupted, SeedbedError
from seedbed.core.forked import Forked, fork, forks_are_safe, interrupts_blocked
from seedbed.core.numpy_threads import NUMPY_THREADS

_STOPPED = frozenset({"SIGINT", "SIGTERM", "SIGHUP"})
"""Signals that somebody sends who wants it stopped."""

_LENGTH = struct.Struct("<Q")

_spares: list[Forked] = []
"""Forked, and not yet wanted."""


class Child(Protocol):
    """A process of ours behind two pipes: a `subprocess.Popen`, or one that was forked."""

    pid: int
    stdin: IO[bytes] | None
    stdout: IO[bytes] | None

    def poll(self) -> int | None: ...

    def wait(self, timeout: float | None = None) -> int: ...

    def kill(self) -> None: ...


def start_child(module: str, *, numpy_alone: bool = False) -> Child:
    """Start `python -m module`, with pipes to its standard input and output.

    With `numpy_alone` numpy has one thread there, unless the user's environment gives it more; such a child
    is a spare one, where there is any.

    `-P` keeps the user's folder off the import path. The own session keeps Ctrl-C in the terminal from
    the child, which must live until the run has drained. One that comes before the child has its session,
    or that is sent to it by itself, stays blocked: its parent alone ends it.
    """
    if numpy_alone and (spare := _take_spare()) is not None:
        with suppress(BrokenPipeError):  # it ended already: whoever waits for its answer will see
            spare.become(module)
        return spare
    environment = {NUMPY_THREADS: "1", **os.environ} if numpy_alone else None
    with interrupts_blocked():
        return subprocess.Popen(
            [sys.executable, "-P", "-m", module],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            start_new_session=True,
        )


@contextmanager
def spare_children(count: int, rooms: Sequence[str]) -> Iterator[None]:
    """Within it so many children are forked and spare, with the modules `rooms` imported; `start_child` takes
    them. Where they cannot be forked there are none, or fewer."""
    for room in rooms:
        import_module(room)
    try:
        if forks_are_safe():
            with suppress(OSError):  # what has no fork is started anew, and says so if that cannot be
                while len(_spares) < count:
                    _spares.append(fork(_spares))
        yield
    finally:
        while (spare := _take_spare()) is not None:
            end_child(spare)


def _take_spare() -> Forked | None:
    """One that nobody has yet, if there is any."""
    while True:
        try:
            spare = _spares.pop(0)
        except IndexError:
            return None
        if spare.poll() is None:
            return spare
        end_child(spare)  # somebody ended it


def unblock_interrupts() -> None:
    """In a child that starts programs of others, which can be interrupted again; the child still is not."""
    if sys.platform != "win32":
        # A handler, unlike SIG_IGN, does not pass to the programs.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})


def ended_early(process: Child, what: str, kept: str = "") -> SeedbedError:
    """The error to raise where a child, `what`, ended before it answered; `kept` says what is not lost.

    Interrupted where a signal says that it was to stop, for then memory has no part in it.
    """
    code = process.wait()
    again = "run the same command again" + (f": {kept}" if kept else "")
    name = _signal_name(-code)
    if name in _STOPPED:
        return Interrupted(f"{what} was stopped ({name}); {again}")
    if name == "SIGKILL":
        return SeedbedError(f"{what} was killed ({name}; out of memory?); free memory and {again}")
    how = f"was ended by {name}" if name else f"ended (exit code {code})"
    return SeedbedError(f"{what} {how} before it answered; is there memory enough? If so, {again}")


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return ""


def end_child(process: Child, seconds: float = 5.0) -> None:
    """Close the child's pipes, which ends it; kill it where it does not go."""
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def end_with_the_parent() -> None:
    """In the child: go when the parent closes our standard input or dies, whatever we are doing."""

    def wait() -> None:
        # The bare descriptor: a thread that waits in sys.stdin would hold its lock at exit.
        while os.read(sys.stdin.fileno(), 1024):
            pass
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def send(pipe: IO[bytes], message: bytes) -> None:
    """Write one frame: a length and the message."""
    pipe.write(_LENGTH.pack(len(message)))
    pipe.write(message)
    pipe.flush()


def receive(pipe: IO[bytes]) -> bytes | None:
    """One frame; None where the other side is gone, also in the middle of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack(head)
    message = pipe.read(length)
    return message if len(message) == length else None


def read_frames(calls: queue.SimpleQueue[bytes]) -> None:
    """In the child, in a thread: hand on each frame as it comes; go when the parent closes our input or
    dies, whatever is being done."""
    while (call := receive(sys.stdin.buffer)) is not None:
        calls.put(call)
    os._exit(0)
