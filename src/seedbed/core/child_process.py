"""Python processes of our own that end with the one that started them, killed or not.

A child's standard input stays open for as long as its parent lives and wants it: its end ends the child.
"""

from __future__ import annotations

import os
import queue
import struct
import subprocess
import sys
import threading
from contextlib import suppress
from typing import IO

_LENGTH = struct.Struct("<Q")


def start_child(module: str) -> subprocess.Popen[bytes]:
    """Start `python -m module`, with pipes to its standard input and output.

    `-P` keeps the user's folder off the import path. The own session keeps Ctrl-C in the terminal from
    the child, which must live until the run has drained.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )


def end_child(process: subprocess.Popen[bytes], seconds: float = 5.0) -> None:
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
