"""A process that may be killed: it answers, is bounded in time and memory, is replaced, and leaves nobody."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import SeedbedError
from seedbed.verify.killable import KillableProcess, Killed

ROOT = Path(__file__).resolve().parents[2]
PLACE = "tests.verify.functions_to_call"


@contextmanager
def calling(function: str, **limits: Any) -> Iterator[KillableProcess]:
    process = KillableProcess(f"{PLACE}:{function}", **{"seconds": 0.3, "megabytes": 512, **limits})
    yield process
    process.close()


@pytest.fixture(autouse=True)
def tests_can_be_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def is_alive(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().split()[2] != "Z"
    except FileNotFoundError:
        return False


def test_it_answers_call_after_call_from_one_process() -> None:
    with calling("doubled") as doubled:
        assert [doubled(number) for number in range(4)] == [0, 2, 4, 6]
    with calling("own_id") as own_id:
        assert own_id(None) == own_id(None) != os.getpid()


@pytest.mark.parametrize(
    ("function", "argument", "reason"),
    [
        ("busy", 10**9, "out_of_time"),
        ("asleep", 60, "out_of_time"),
        ("swollen", 4_000, "out_of_memory"),
        ("broken", None, "crashed"),
        ("confused", None, "crashed"),
    ],
)
def test_what_takes_too_much_is_killed_and_replaced(function: str, argument: Any, reason: str) -> None:
    with calling(function) as process:
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(Killed) as killed:
                process(argument)
            assert killed.value.reason == reason
            assert time.monotonic() - began < 20
        if function in ("busy", "asleep"):
            process(0)


def test_the_time_of_one_call_is_not_that_of_another() -> None:
    with calling("burning", seconds=1.0) as burning:
        assert sum(burning(0.4) for _ in range(4)) > 1.0


def test_what_a_library_prints_is_no_answer() -> None:
    with calling("chatty") as chatty:
        assert chatty("\n{}") == "\n{}"


def test_a_pickled_one_starts_a_process_of_its_own() -> None:
    with calling("own_id") as process:
        own = process(None)
        copy = pickle.loads(pickle.dumps(process))
        try:
            assert copy(None) != own
        finally:
            copy.close()


def test_a_function_that_is_not_there_is_an_error_and_no_outcome() -> None:
    with calling("nowhere") as process, pytest.raises(SeedbedError, match="nowhere did not begin"):
        process(None)


def test_it_ends_with_whoever_holds_it_killed_or_not() -> None:
    """Also where it is so busy that it cannot notice: then its own time limit ends it."""
    for function, argument in (("own_id", None), ("busy", 10**9)):
        code = (
            "import os, signal, threading\n"
            "from seedbed.verify.killable import KillableProcess\n"
            f"held = KillableProcess('{PLACE}:{function}', seconds=2.0, megabytes=512)\n"
            "held._process = held._started()\n"
            "print(held._process.pid, flush=True)\n"
            "threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGKILL)).start()\n"
            f"held({argument!r})\n"
            "signal.pause()\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            check=False,
        )
        child = int(done.stdout)
        deadline = time.monotonic() + 20
        while is_alive(child) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not is_alive(child), function
