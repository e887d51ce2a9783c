"""What does a kill cost? `python -m benchmarks.resume [--cells 20000]` prints one JSON line a start.

The recipe of `benchmarks.throughput` against its fake endpoint, 64 in flight, five times in one folder:

- `begun`: from nothing, killed with signal 9 when the log holds a little more than half of the replies;
- `resumed`: the same command, to its end;
- `finished`: the same command once more, which has nothing left to do;
- `replayed`: once more without the run's folder, so that every row comes from the reply log.

`first_request_s` and `first_request_cpu_s` are from the start of the process to the first request that
the endpoint sees; where no round was open before, that is what any start costs. `repeated` are requests
whose like had been sent before the kill: what was in flight then. `repeated_though_logged` are those
whose answer the log held; exit code 1 where there is one, or where a finished run asks for anything.
`cpu_ms` of `replayed` is user and system time of the whole process tree for each row. `peak_mb` is
its proportional memory as in `benchmarks.memory`. Linux only.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.endpoint import Endpoint, serving
from benchmarks.memory import memory_mb, tree
from benchmarks.throughput import Case, environment, plain_run
from seedbed.store.rounds import Rounds

CONCURRENCY = 64
KILL_AT = 0.53  # of the replies: at a seam of rounds little would be in flight
_POLL_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Start:
    """What one process tree did from its start to its end; `first_…` stay None where it asked nothing."""

    wall_s: float = 0.0
    cpu_s: float = 0.0
    first_request_s: float | None = None
    first_request_cpu_s: float | None = None
    peak_mb: float = 0.0
    requests: int = 0

    def line(self, name: str, cells: int) -> dict[str, object]:
        rounded = {key: None if value is None else round(value, 2) for key, value in vars(self).items()}
        return {"start": name, "cells": cells, **rounded}


def cpu_seconds(root: int) -> float:
    """User and system time of a process that lives and of all below it, the ended ones too."""
    ticks = 0
    for process in tree(root):
        try:
            fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it ended while we looked
        ticks += sum(int(field) for field in fields[11:15])
    return ticks / _TICKS


def start(
    command: Sequence[str], endpoint: Endpoint, case: Case, enough: Callable[[], bool] = lambda: False
) -> Start:
    """Run to the end, or until `enough`: then kill the process and all below it."""
    endpoint.reset()
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    seen, began = Start(), time.monotonic()
    with subprocess.Popen(
        command,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=environment(endpoint, case),
        start_new_session=True,
    ) as process:
        while process.poll() is None:
            cpu = cpu_seconds(process.pid)
            seen.cpu_s = max(seen.cpu_s, cpu)  # 0 where it has just ended
            seen.peak_mb = max(seen.peak_mb, memory_mb(process.pid))
            if seen.first_request_s is None and (first := endpoint.stats()["first"]):
                seen.first_request_s = first - began
                seen.first_request_cpu_s = cpu
            if enough():
                os.killpg(process.pid, signal.SIGKILL)
                break
            time.sleep(_POLL_SECONDS)
    seen.wall_s = time.monotonic() - began
    if process.returncode not in (0, -signal.SIGKILL):
        raise SystemExit(f"{' '.join(command)} ended with {process.returncode}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    # Of a process that was killed the time of its children is nowhere but in what was looked at.
    waited_for = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    seen.cpu_s = max(seen.cpu_s, waited_for)
    while (stats := endpoint.stats())["in_flight"]:
        time.sleep(_POLL_SECONDS)
    seen.requests = len(stats["answers"])
    return seen


def logged(folder: Path) -> int:
    """Replies that the log holds."""
    path = folder / ".seedbed" / "replies.sqlite"
    if not path.is_file():
        return 0
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'replies'").fetchone():
            return 0
        (count,) = connection.execute("SELECT count(*) FROM replies").fetchone()
    return int(count)


def in_closed_rounds(folder: Path) -> int:
    """Cells whose verdicts stand: a resumed run does not go through them again."""
    rounds = Rounds(folder / "runs" / "plain" / "rounds")
    return sum(entry.measures["cells"]["planned"] for entry in rounds.committed(partial=False))


def measure(cells: int, latency_ms: float) -> bool:
    """Print the four lines; whether nothing was asked for again that the log held."""
    case = Case(latency_ms, CONCURRENCY, cells)
    with tempfile.TemporaryDirectory(prefix="seedbed-resume-") as name, serving(latency_ms) as endpoint:
        folder = Path(name)
        command = plain_run(endpoint, case, folder)

        begun = start(command, endpoint, case, lambda: logged(folder) >= KILL_AT * cells)
        held, closed = logged(folder), in_closed_rounds(folder)
        print(json.dumps(begun.line("begun", cells) | {"logged_at_kill": held}), flush=True)

        resumed = start(command, endpoint, case)
        rows = logged(folder)
        again = resumed.requests - (rows - held)
        line = resumed.line("resumed", cells) | {
            "replayed": held - closed,
            "repeated": begun.requests + resumed.requests - rows,
            "repeated_though_logged": again,
        }
        print(json.dumps(line), flush=True)

        finished = start(command, endpoint, case)
        print(json.dumps(finished.line("finished", cells)), flush=True)

        shutil.rmtree(folder / "runs")
        replayed = start(command, endpoint, case)
        line = replayed.line("replayed", cells) | {
            "rows": rows,
            "cpu_ms": round(1000 * replayed.cpu_s / rows, 3),
        }
        print(json.dumps(line), flush=True)
    return not again and not finished.requests and not replayed.requests


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=20_000)
    parser.add_argument("--latency-ms", type=float, default=20.0)
    options = parser.parse_args()
    sys.exit(not measure(options.cells, options.latency_ms))


if __name__ == "__main__":
    main()
