"""Commands of the user's, kept: bounded in time and in what they write, and ended with all they started.

A keeper process (`keeper_process.py`) stands between us and the command. It outlives neither: where this
process is killed, the keeper ends the command and all that it started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from seedbed.core.child_process import end_child, ended_early, receive, send, start_child
from seedbed.recipe.units import write_duration, write_size
from seedbed.student.protocol import StudentError

LOG_BYTES = 4 << 20
MOST_ANSWERED = 256 << 20
_LAST_LINES = 12
_LAST_CHARACTERS = 2_000


@dataclass(frozen=True, slots=True)
class Order:
    """A command to be run in `cwd`, for `seconds` at the most, its words as they are.

    `log` gets what it writes: both streams, or of a command that is `asked` (bytes on its standard input)
    standard error alone, its standard output being the answer. Without a log that is kept nowhere.
    `name` is what errors call it.
    """

    name: str
    argv: Sequence[str]
    cwd: Path
    seconds: float
    log: Path | None
    asked: bytes | None = None


def run(order: Order) -> bytes:
    """Run the command to its end and return what it answered, b"" of one that is not asked.

    Raises StudentError for a command that cannot start, fails, is killed, or takes or says too much; with
    the last lines of its log where it has one, and none of its words where it has none.
    """
    process = start_child("seedbed.student.keeper_process")
    assert process.stdin is not None
    assert process.stdout is not None
    plan = {
        "argv": list(order.argv),
        "cwd": str(order.cwd),
        "seconds": order.seconds,
        "log": str(order.log.absolute()) if order.log else None,
        "log_bytes": LOG_BYTES,
        "asked": order.asked is not None,
        "output_bytes": MOST_ANSWERED,
    }
    try:
        with suppress(BrokenPipeError):  # It ended already: the answer that is missing will say so.
            send(process.stdin, json.dumps(plan).encode())
            send(process.stdin, order.asked or b"")
        began, ended, said = (receive(process.stdout) for _ in range(3))
        if began is not None and ended is None and "pid" in (start := json.loads(began)):
            # The keeper was killed, and cannot end the command any more.
            with suppress(ProcessLookupError):
                os.killpg(start["pid"], signal.SIGKILL)
    finally:
        end_child(process)
    if began is not None and "cannot_start" in (start := json.loads(began)):
        raise StudentError(f"{order.name} cannot start: {start['cannot_start']}")
    if ended is None or said is None:
        raise ended_early(process, f"the process that kept {order.name}")
    _require_success(order, **json.loads(ended))
    return said


def python(module: str, *arguments: str) -> list[str]:
    """The words that run a module of ours, without the user's folder on the import path."""
    return [sys.executable, "-P", "-m", module, *arguments]


def _require_success(order: Order, *, code: int, late: bool, too_long: bool) -> None:
    if late:
        limit = write_duration(order.seconds)
        raise failure(order, f"was ended after {limit}, its time limit; raise `time`, or make it quicker")
    if too_long:
        raise failure(order, f"wrote more than {write_size(MOST_ANSWERED)} to standard output, and was ended")
    if code:
        raise failure(order, _why(code))


def _why(code: int) -> str:
    # A shell reports the signal that ended what it ran as 128 and its number.
    number = -code if code < 0 else code - 128
    if code == 127:
        return "cannot start (exit code 127): a command in it is not found; is it installed, and on the PATH?"
    if code == 126:
        return "cannot start (exit code 126): a command in it may not be executed"
    if number == signal.SIGKILL:
        return "was killed by the system (signal 9): is there memory enough?"
    if number in set(signal.Signals):
        return f"was ended by signal {number} ({signal.Signals(number).name})"
    return f"ended with exit code {code}"


def failure(order: Order, why: str) -> StudentError:
    """What went wrong with a command, where its log is, and the log's last lines."""
    if order.log is None:
        return StudentError(f"{order.name} {why}; it has no log, for what it says may hold text of the eval")
    said = last_lines(order.log)
    return StudentError(
        f"{order.name} {why}; its log is {order.log}" + (f"\n{said}" if said else ", and it is empty")
    )


def last_lines(log: Path) -> str:
    """The end of a log as a message may show it: whole lines, indented, without control characters."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4 * _LAST_CHARACTERS))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    # Of a line that was written over, as progress bars do, what stood there last.
    lines = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    shown = [
        "".join(char if char.isprintable() else " " for char in line.expandtabs()) for line in lines if line
    ]
    end = "\n".join(f"  {line[:400]}" for line in shown[-_LAST_LINES:])
    return end[-_LAST_CHARACTERS:]
