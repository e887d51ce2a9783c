"""The process that keeps a user's command: `python -m seedbed.student.keeper_process`.

It starts the command and ends with everything that the command started: when the time is up, when the parent
closes our standard input or dies, and also when the command itself has ended and left something behind.

In: two frames, the order as JSON and what the command reads. Out: a frame with its process id, or why it
cannot start; then one that says how it ended, and one with what it wrote to standard output.
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from seedbed.core.child_process import receive, send, unblock_interrupts
from seedbed.student.bounded_log import BoundedLog

_PR_SET_CHILD_SUBREAPER = 36
_CHUNK = 1 << 16
_SECONDS_TO_END = 5.0


class Keeper:
    """One command with all its descendants. `end` ends them, from any thread; none can start after it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended = False
        self._pid: int | None = None

    def start(self, argv: list[str], **streams: Any) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._ended:
                raise SystemExit(1)
            process = subprocess.Popen(argv, start_new_session=True, **streams)
            self._pid = process.pid
        return process

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._pid is None:
                return
            until = time.monotonic() + _SECONDS_TO_END
            # Until nobody is left: one that was not seen may just have been started by one that was.
            while _kill_once(self._pid) and time.monotonic() < until:
                time.sleep(0.01)


def _kill_once(group: int) -> bool:
    """Kill the group and whatever descends from this process; whether there was any of it."""
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(group, signal.SIGKILL)
    found = _descendants(os.getpid())
    for pid in found:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGKILL)
    return bool(found)


def _descendants(root: int) -> list[int]:
    """Living processes below `root`, by /proc; none where there is no such thing."""
    children: dict[int, list[int]] = {}
    dead = set()
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, ValueError, IndexError):
            state, parent = path.read_text("ascii", "replace").rpartition(")")[2].split()[:2]
            pid = int(path.parent.name)
            children.setdefault(int(parent), []).append(pid)
            if state in "ZX":
                dead.add(pid)
    found, waiting = [], [root]
    while waiting:
        below = children.get(waiting.pop(), [])
        found += [pid for pid in below if pid not in dead]
        waiting += below
    return found


def _adopt_orphans() -> None:
    """Processes below us whose parent dies become ours, and not init's, whatever session they are in."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_with_the_parent(keeper: Keeper) -> None:
    def wait() -> None:
        while os.read(0, 1024):
            pass
        keeper.end()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()


def _feed(pipe: IO[bytes], data: bytes) -> None:
    with suppress(BrokenPipeError), pipe:
        pipe.write(data)


def _copy(pipe: IO[bytes], log: BoundedLog) -> None:
    while chunk := os.read(pipe.fileno(), _CHUNK):
        with suppress(OSError):  # a full disk: what it says is lost, and still it must not wait for us
            log.write(chunk)


class _Said:
    """Standard output, as long as it is not too long: then the command is ended."""

    def __init__(self, most: int, keeper: Keeper) -> None:
        self.data = bytearray()
        self.too_long = False
        self._most, self._keeper = most, keeper

    def read(self, pipe: IO[bytes]) -> None:
        while chunk := os.read(pipe.fileno(), _CHUNK):
            if not self.too_long and len(self.data) + len(chunk) > self._most:
                self.too_long = True
                self.data.clear()
                self._keeper.end()
            if not self.too_long:
                self.data += chunk


def _run(order: dict[str, Any], data: bytes, keeper: Keeper, answers: IO[bytes]) -> None:
    log = BoundedLog(Path(order["log"]), order["log_bytes"]) if order["log"] else None
    asked = order["asked"]
    quiet = subprocess.PIPE if log else subprocess.DEVNULL
    try:
        process = keeper.start(
            order["argv"],
            cwd=order["cwd"],
            stdin=subprocess.PIPE if asked else subprocess.DEVNULL,
            stdout=subprocess.PIPE if asked else quiet,
            stderr=quiet if asked else subprocess.STDOUT,
        )
    except OSError as error:
        send(answers, json.dumps({"cannot_start": error.strerror}).encode())
        return
    send(answers, json.dumps({"pid": process.pid}).encode())
    said = _Said(order["output_bytes"], keeper)
    threads = []
    if asked:
        threads.append(threading.Thread(target=_feed, args=(process.stdin, data), daemon=True))
        threads.append(threading.Thread(target=said.read, args=(process.stdout,), daemon=True))
    if log:
        pipe = process.stderr if asked else process.stdout
        threads.append(threading.Thread(target=_copy, args=(pipe, log), daemon=True))
    for thread in threads:
        thread.start()
    late = False
    try:
        process.wait(order["seconds"])
    except subprocess.TimeoutExpired:
        late = True
    keeper.end()
    code = process.wait()
    # What is left holds no pipe any more, so that these come to an end.
    for thread in threads:
        thread.join(_SECONDS_TO_END)
    ended = {"code": code, "late": late, "too_long": said.too_long}
    send(answers, json.dumps(ended).encode())
    send(answers, bytes(said.data))


def main() -> None:
    unblock_interrupts()
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    order, data = receive(sys.stdin.buffer), receive(sys.stdin.buffer)
    if order is None or data is None:
        return
    keeper = Keeper()
    _adopt_orphans()
    _end_with_the_parent(keeper)
    _run(json.loads(order), data, keeper, answers)


if __name__ == "__main__":
    main()
