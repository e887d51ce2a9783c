"""`kill -9` of a run at chosen moments, and what is on disk right after each."""

from __future__ import annotations

import os
import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from benchmarks.evidence.product import COMMAND, environment
from seedbed.core.chat import ReplyKey

_POLL_SECONDS = 0.001
# The files of a round are written within some ten milliseconds: an aimed kill falls anywhere in them.
_CLOSE_SECONDS = 0.006


@dataclass(frozen=True, slots=True)
class Timeline:
    """An uninterrupted run: seconds to its first request, and to its end."""

    first_request: float
    end: float


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: at so many seconds of the uninterrupted run, or `aimed` at the next close after that."""

    at: float
    aimed: bool


def moments(count: int, aimed: int, timeline: Timeline, rng: random.Random) -> list[Moment]:
    """`count` moments uniform over the uninterrupted run, `aimed` of them at a close, in order."""
    times = sorted(rng.uniform(0, timeline.end) for _ in range(count))
    chosen = set(rng.sample(range(count), aimed))
    return [Moment(at, index in chosen) for index, at in enumerate(times)]


class RunningRun:
    """A `seedbed run` in a process group of its own."""

    def __init__(self, recipe: Path) -> None:
        self.recipe = recipe
        self.began_ns = time.time_ns()
        self._began = time.monotonic()
        self._process = subprocess.Popen(
            [*COMMAND, "run", str(recipe), "--json"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            start_new_session=True,
        )

    @classmethod
    @contextmanager
    def of(cls, recipe: Path) -> Iterator[Self]:
        run = cls(recipe)
        try:
            yield run
        finally:
            run.kill()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    @property
    def exit(self) -> int | None:
        """The exit code; None while it works."""
        return self._process.poll()

    def wait_for(self, happened: Callable[[], bool]) -> bool:
        """Whether something happened before the run ended by itself."""
        while not happened():
            if self.exit is not None:
                return False
            time.sleep(_POLL_SECONDS)
        return self.exit is None

    def kill(self) -> None:
        """SIGKILL for the whole group; nothing where it has ended."""
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def in_a_close(self) -> bool:
        """Whether files of a round that no commit lists yet were written by this process."""
        for folder in self.recipe.glob("runs/*/rounds/[0-9]*"):
            if folder.is_dir() and not folder.with_suffix(".json").exists():
                shards = [path for path in folder.iterdir() if not path.name.startswith("plan.")]
                if any(path.stat().st_mtime_ns >= self.began_ns for path in shards):
                    return True
        return False


@dataclass(frozen=True, slots=True)
class Killed:
    """A killed run: how far it was, in seconds of the uninterrupted run, and whether it closed a round."""

    position: float
    in_a_close: bool


def kill_at(
    recipe: Path, requests: Path, moment: Moment, position: float, timeline: Timeline, rng: random.Random
) -> Killed | None:
    """Start or resume the run, which stood at `position`, and kill it; None where it ended before.

    The file `requests` grows with each request. After its start-up, however long that took, a
    resumed run stands where it was killed.
    """
    sent, stood = requests.stat().st_size, max(position, timeline.first_request)
    with RunningRun.of(recipe) as run:
        if moment.at <= timeline.first_request:
            happened = run.wait_for(lambda: run.seconds >= moment.at)
            worked = moment.at - stood
        else:
            if not run.wait_for(lambda: requests.stat().st_size > sent):
                return None
            start_up = run.seconds
            happened = run.wait_for(lambda: run.seconds - start_up >= moment.at - stood)
            if happened and moment.aimed:
                happened = run.wait_for(run.in_a_close)
                time.sleep(rng.uniform(0, _CLOSE_SECONDS))
            worked = run.seconds - start_up
        if not happened or run.exit is not None:
            return None
        run.kill()
        return Killed(stood + worked, run.in_a_close())


def committed(recipe: Path) -> list[ReplyKey]:
    """The keys of all replies that stand in a workspace's reply log; none where there is no log yet.

    Read with SQLite itself, so that the product's own reading is not part of what is measured.
    """
    path = recipe / ".seedbed" / "replies.sqlite"
    if not path.is_file():
        return []
    with closing(sqlite3.connect(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "replies" not in tables:
            return []
        rows = connection.execute("SELECT request, scope, draw FROM replies").fetchall()
    return [ReplyKey(*row) for row in rows]
