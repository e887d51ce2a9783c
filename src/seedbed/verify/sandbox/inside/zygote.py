"""The first process in a sandbox: warm, and never touched by a program. It starts a child for each.

It reads frames on standard input and writes them on standard output. One child lives at a time. What goes
between the child and whoever drives it is passed on unread, up to a number of bytes. When the child ends,
whatever it left is removed: other processes (there can be none) and files; a sandbox that cannot be
cleaned ends itself.
"""

from __future__ import annotations

import ctypes
import importlib
import json
import os
import random
import resource
import select
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NoReturn

from . import landlock, seccomp, solution, trial
from .frames import (
    ENDED,
    KILL,
    LARGEST,
    MESSAGE,
    READY,
    START,
    Gone,
    TooLong,
    frame,
    packed,
    read_frame,
    unpacked,
)
from .listed_modules import ListedModules

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
ROLES = {"solution": solution.serve, "trial": trial.report}
# What programs and tests commonly use, imported once here rather than in each child.
WARM = (
    *("bisect", "collections", "copy", "dataclasses", "datetime", "functools", "heapq", "itertools", "math"),
    *("operator", "random", "re", "statistics", "string", "typing", "unittest"),
)
_DEVICES = ("/dev/null", "/dev/zero", "/dev/urandom", "/dev/random")


class Zygote:
    """Serves until its standard input ends."""

    def __init__(self, work: str | None, modules: Mapping[str, Any], readable: list[str]) -> None:
        """`work` is the one folder that a program may write in, if any; `readable` all that it may read.

        Of `modules` those that can be `found` are files by name; names that are `imported` are so at once.
        """
        sys.meta_path.append(ListedModules(modules["found"]))
        for module in WARM:
            importlib.import_module(module)
        self._work = work
        self._inbox, self._outbox = os.dup(0), os.dup(1)
        for each in (
            signal.SIGINT,
            signal.SIGHUP,
            signal.SIGTERM,
            signal.SIGIO,
            signal.SIGUSR1,
            signal.SIGUSR2,
        ):
            signal.signal(each, signal.SIG_IGN)
        nothing = os.open(os.devnull, os.O_RDWR)
        for standard in (0, 1, 2):
            os.dup2(nothing, standard)
        _prctl(_PR_SET_DUMPABLE, 0)  # no child reads this process's memory
        _prctl(_PR_SET_NO_NEW_PRIVS, 1)
        self._filter = seccomp.compiled()
        version = landlock.abi()
        if work is None and version < landlock.FULL:
            raise OSError(f"Landlock is of version {version}, and {landlock.FULL} is needed (Linux 6.2)")
        if version:
            landlock.restrict(readable, _DEVICES, work)
        for module in modules["imported"]:
            importlib.import_module(module)
        if "numpy" in sys.modules:
            importlib.import_module("numpy.random")

    def serve(self) -> None:
        self._tell(READY, b"")
        while True:
            kind, body = read_frame(self._read, LARGEST)
            if kind == START:  # anything else is late, for a child that has ended
                self._run(unpacked(body))

    def _run(self, start: Mapping[str, Any]) -> None:
        ours, theirs = socket.socketpair()
        # Half a message, or one that it does not take, holds nobody up longer than the program may last.
        ours.settimeout(start["limits"]["seconds"])
        child = os.fork()
        if not child:
            ours.close()
            self._be_child(theirs, start)
        theirs.close()
        why = self._pass_on(ours, start["limits"])
        ours.close()
        os.kill(child, signal.SIGKILL)
        _, status = os.waitpid(child, 0)
        code = os.waitstatus_to_exitcode(status)
        self._clean()
        self._tell(ENDED, packed({"why": why, "code": code}))

    def _be_child(self, channel: socket.socket, start: Mapping[str, Any]) -> NoReturn:
        try:
            _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
            os.close(self._inbox)
            os.close(self._outbox)
            limit(start["limits"])
            # As the order of sets: equal for each run of a program.
            random.seed(os.environ["PYTHONHASHSEED"])
            if "numpy.random" in sys.modules:
                sys.modules["numpy.random"].seed(int(os.environ["PYTHONHASHSEED"]))
            seccomp.install(self._filter)
            ROLES[start["role"]](channel, start)
        finally:
            os._exit(70)

    def _pass_on(self, channel: socket.socket, limits: Mapping[str, int]) -> str:
        """Pass frames on until the child ends or is to end; says why it did."""
        poll = select.poll()
        poll.register(channel, select.POLLIN)
        poll.register(self._inbox, select.POLLIN)
        said = 0
        while True:
            ready = dict(poll.poll())
            if channel.fileno() in ready:
                try:
                    kind, body = read_frame(channel.recv, limits["message"])
                except TooLong:
                    return "output"
                except (Gone, OSError):
                    return "ended"
                said += len(frame(kind, body))
                if said > limits["output"]:
                    return "output"
                self._tell(MESSAGE, body)
            if self._inbox in ready:
                kind, body = read_frame(self._read, LARGEST)
                if kind == KILL:
                    return "killed"
                try:
                    channel.sendall(frame(MESSAGE, body))
                except OSError:
                    return "ended"

    def _clean(self) -> None:
        if os.getpid() == 1:
            try:
                os.kill(-1, signal.SIGKILL)
                while True:
                    os.waitpid(-1, 0)
            except (ProcessLookupError, ChildProcessError):
                pass
        if self._work is None:
            return
        for entry in Path(self._work).iterdir():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def _read(self, most: int) -> bytes:
        return os.read(self._inbox, most)

    def _tell(self, kind: bytes, body: bytes) -> None:
        data = memoryview(frame(kind, body))
        while data:
            data = data[os.write(self._outbox, data) :]


def limit(limits: Mapping[str, int]) -> None:
    """Bounds for this process: bytes of memory, seconds of CPU, bytes of a file, open files, threads."""
    # A second between: the soft limit's signal says what it was that ended a program.
    resource.setrlimit(resource.RLIMIT_CPU, (limits["cpu_seconds"], limits["cpu_seconds"] + 1))
    for which, value in (
        (resource.RLIMIT_AS, limits["memory"]),
        (resource.RLIMIT_FSIZE, limits["file"]),
        (resource.RLIMIT_NOFILE, limits["files"]),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(which, (value, value))
    if os.getppid() == 1:  # elsewhere all processes of the user count
        resource.setrlimit(resource.RLIMIT_NPROC, (limits["threads"], limits["threads"]))


def _prctl(option: int, value: int) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl {option}: {os.strerror(ctypes.get_errno())}")


def main() -> None:
    work, modules, *readable = sys.argv[1:]
    with suppress(Gone):
        Zygote(work or None, json.loads(modules), readable).serve()
