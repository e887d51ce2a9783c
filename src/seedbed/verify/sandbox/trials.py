"""One program against one suite of tests: each in a sandbox, and a trusted process between them.

The program never sees the tests, and the tests see plain copies of what it returns. What this process saw
pass by stands above what the tests report: a program that ended, took too long or gave a value that
cannot be copied has not passed, whatever the tests made of it.
"""

from __future__ import annotations

import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from seedbed.verify.outcome import Outcome, failed, undecided
from seedbed.verify.sandbox.broker import Ended, OutOfTime, Sandbox
from seedbed.verify.sandbox.inside.frames import unpacked

_LONGEST_EVIDENCE = 300


class _Settled(Exception):
    """Nothing more can change what is found: of one suite, or `of_all` where it is the program's."""

    def __init__(self, outcome: Outcome, *, of_all: bool) -> None:
        self.outcome = outcome
        self.of_all = of_all


class _Broken(Exception):
    """A sandbox is gone, and nobody has said why."""


def attempt(
    solution: Sandbox,
    trial: Sandbox,
    program: str,
    suites: Sequence[str],
    *,
    entry: str | None,
    seconds: float,
) -> list[Outcome]:
    """What each suite of tests finds of the program, loaded once; each suite has a process of its own.

    `entry` is what a function `check(candidate)` in them is given; `seconds` are for all of them. What ends
    the program stands for the suites that are left as well. Raises SandboxError.
    """
    for _ in range(2):  # it may have been the program before that left something to happen
        with suppress(_Broken):
            return _attempt(solution, trial, program, suites, entry, seconds)
    return [failed("program_ended", said="the sandbox broke")] * len(suites)


def _attempt(
    solution: Sandbox, trial: Sandbox, program: str, suites: Sequence[str], entry: str | None, seconds: float
) -> list[Outcome]:
    for sandbox in (solution, trial):
        sandbox.warm()  # which is none of the program's time
    deadline = time.monotonic() + seconds
    found: list[Outcome] = []
    try:
        solution.start("solution", program, deadline)
        loaded = _loaded(solution)
        if entry is not None and entry not in loaded["names"]:
            raise _Settled(failed("name_missing", name=entry), of_all=True)
        for suite in suites:
            try:
                trial.start("trial", suite, deadline, entry=entry, **loaded)
                found.append(_through(solution, trial))
            except _Settled as settled:
                if settled.of_all:
                    raise
                found.append(settled.outcome)
            finally:
                trial.stop()
        return found
    except _Settled as settled:
        last = settled.outcome
    except OutOfTime:
        last = failed("timed_out", seconds=seconds)
    finally:
        solution.stop()
    return found + [last] * (len(suites) - len(found))


def _through(solution: Sandbox, trial: Sandbox) -> Outcome:
    """Carry questions of a suite to the program until it has finished."""
    unsupported: Outcome | None = None
    while True:
        said, told = _said(trial, "tests")
        if "finished" in told:
            return unsupported or _finished(told["finished"])
        if "unsupported" in told:
            unsupported = _unsupported(told)
            continue
        solution.send(said)
        answer, told = _said(solution, "program")
        if "unsupported" in told:
            unsupported = _unsupported(told)
        trial.send(answer)


def _loaded(solution: Sandbox) -> Mapping[str, Any]:
    """What the program has, once it has been loaded."""
    _, told = _said(solution, "program")
    if isinstance(raised := told.get("raised"), dict):
        raise _Settled(failed("program_raises", **_told(raised)), of_all=True)
    loaded = {name: told.get(name) for name in ("names", "exceptions")}
    if not all(isinstance(held, dict) for held in loaded.values()):
        raise _Settled(failed("program_ended", said="not what it has"), of_all=True)
    return loaded


def _said(sandbox: Sandbox, whose: str) -> tuple[bytes, Mapping[str, Any]]:
    """The next message of the program or the tests: one object of JSON, whatever stands in it."""
    of_all = whose == "program"
    said = sandbox.receive()
    if isinstance(said, Ended):
        if said.why == "broken":
            raise _Broken
        if said.code == -signal.SIGXCPU:
            raise _Settled(failed("timed_out", by="processor time"), of_all=of_all)
        reason = f"{whose}_said_too_much" if said.why == "output" else f"{whose}_ended"
        raise _Settled(failed(reason, exit_code=said.code), of_all=of_all)
    try:
        told = unpacked(said)
    except (ValueError, RecursionError, MemoryError):
        told = None
    if not isinstance(told, dict):
        raise _Settled(failed(f"{whose}_ended", said="what is no message"), of_all=of_all)
    return said, told


def _finished(told: Any) -> Outcome:
    match told:
        case {"failed": None, "ran": int(ran)}:
            return Outcome("passed", "", {"ran": ran})
        case {"failed": {"type": str(), "message": str()} as problem}:
            line = problem.get("line")
            at = {"line": line} if isinstance(line, int) else {}
            return failed("test_failed", **_told(problem), **at)
        case _:
            return failed("tests_ended", said="what is no end of tests")


def _unsupported(told: Mapping[str, Any]) -> Outcome:
    return undecided("unsupported_value", what=_short(told["unsupported"]))


def _told(raised: Mapping[str, Any]) -> dict[str, Any]:
    return {"error": _short(raised.get("type")), "message": _short(raised.get("message"))}


def _short(said: Any) -> str:
    """Of a length, and in characters, that any file can hold."""
    return str(said)[:_LONGEST_EVIDENCE].encode("utf-8", "replace").decode("utf-8")
