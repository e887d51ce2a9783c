"""One sandbox as the trusted process sees it: warm, a program at a time, everything with a deadline."""

from __future__ import annotations

import os
import select
import subprocess
import time
import weakref
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from types import TracebackType
from typing import Any, Self

from seedbed.core.errors import SeedbedError
from seedbed.verify.processor_time import on_the_clock
from seedbed.verify.sandbox.backends import Backend
from seedbed.verify.sandbox.inside.frames import (
    KILL,
    LARGEST,
    MESSAGE,
    READY,
    START,
    Gone,
    frame,
    packed,
    read_frame,
    unpacked,
)

PROCESSOR_SECONDS = 5
_SECONDS_TO_START = 20.0
_SECONDS_TO_CLEAN = 2.0
_LONGEST_COMPLAINT = 400


class SandboxError(SeedbedError):
    """No sandbox can be made here, or one broke for reasons of its own."""


class OutOfTime(Exception):
    """The deadline has passed."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one program may take: seconds of CPU and by the clock, bytes of memory, of one file, of all that
    it says to us and of one message, open files, and threads (where its sandbox counts them apart)."""

    cpu_seconds: int = PROCESSOR_SECONDS
    seconds: float = on_the_clock(PROCESSOR_SECONDS)
    memory: int = 512 << 20
    file: int = 8 << 20
    output: int = 16 << 20
    message: int = 2 << 20
    files: int = 64
    threads: int = 256


@dataclass(frozen=True, slots=True)
class Ended:
    """A program is no more. `why`: `ended` by itself, `output` where it said too much, `killed`, or
    `broken` where the whole sandbox is gone; `code` as of subprocess."""

    why: str
    code: int


class Sandbox:
    """A first process that waits in the sandbox, started when it is needed and again where it broke.

    Use from one thread, and as a context manager. With the thread that made it ends the sandbox.
    """

    def __init__(
        self, backend: Backend, limits: Limits, hash_seed: int = 0, packages: tuple[str, ...] = ()
    ) -> None:
        """`packages` are those that a program may import beside the standard library."""
        self._backend = backend
        self._packages = packages
        self._limits = limits
        self._hash_seed = hash_seed
        self._process: subprocess.Popen[bytes] | None = None
        self._deadline = 0.0
        self._busy = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def warm(self) -> None:
        """Start the sandbox where it is not there. Raises SandboxError."""
        if self._process is None:
            self._open()

    def start(self, role: str, source: str, deadline: float, **more: Any) -> None:
        """Start a program in a role (`solution`, `trial`). `deadline` is of `time.monotonic`.

        Raises SandboxError where there is no sandbox.
        """
        self.warm()
        self._busy = True
        self._deadline = deadline
        self._write(START, packed({"role": role, "source": source, "limits": asdict(self._limits), **more}))

    def send(self, message: bytes) -> None:
        """To the program; lost where it has ended. Raises OutOfTime."""
        self._write(MESSAGE, message)

    def receive(self) -> bytes | Ended:
        """The program's next message, or how it ended. Raises OutOfTime."""
        try:
            kind, body = read_frame(self._read, LARGEST)
        except Gone:
            self.close()
            return Ended("broken", -9)
        if kind == MESSAGE:
            return body
        self._busy = False
        return _ended(unpacked(body))

    def stop(self) -> None:
        """End the program; the sandbox is clean afterwards, or no more."""
        if not self._busy:
            return
        self._deadline = time.monotonic() + _SECONDS_TO_CLEAN
        try:
            self._write(KILL, b"")
            while not isinstance(self.receive(), Ended):
                pass
        except OutOfTime:
            self.close()
        self._busy = False

    def close(self) -> None:
        """End the sandbox and everything in it."""
        process, self._process, self._busy = self._process, None, False
        if process is not None:
            self._end()

    def _open(self) -> None:
        try:
            command = self._backend.command(self._hash_seed, self._packages)
        except FileNotFoundError as error:
            raise SandboxError(f"{self._backend.name}: {error}") from None
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
            cwd="/",
            start_new_session=True,
        )
        assert self._process.stdin is not None
        os.set_blocking(self._process.stdin.fileno(), False)
        # A filter is not closed: its sandboxes go with it.
        self._end = weakref.finalize(self, _end, self._process)
        self._deadline = time.monotonic() + _SECONDS_TO_START
        try:
            kind, _ = read_frame(self._read, LARGEST)
        except (Gone, OutOfTime):
            process, self._process = self._process, None
            process.kill()
            assert process.stderr is not None
            said = process.stderr.read()
            self._end()
            complaint = " ".join(said.decode("utf-8", "replace").split())[-_LONGEST_COMPLAINT:]
            raise SandboxError(f"{self._backend.name} makes no sandbox: {complaint or 'no answer'}") from None
        assert kind == READY

    def _read(self, most: int) -> bytes:
        process = self._process
        if process is None or process.stdout is None:
            return b""
        left = self._deadline - time.monotonic()
        if left <= 0 or not select.select([process.stdout], [], [], left)[0]:
            raise OutOfTime
        return os.read(process.stdout.fileno(), most)

    def _write(self, kind: bytes, body: bytes) -> None:
        """Never blocks beyond the deadline: a program that floods us keeps its zygote from reading."""
        process = self._process
        if process is None or process.stdin is None:
            return
        pipe, rest = process.stdin.fileno(), memoryview(frame(kind, body))
        while rest:
            left = self._deadline - time.monotonic()
            if left <= 0 or not select.select([], [pipe], [], left)[1]:
                self.close()  # it has half a message, and would take the next for the rest of it
                raise OutOfTime
            try:
                rest = rest[os.write(pipe, rest) :]
            except BrokenPipeError:
                self.close()
                return


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe is not None:
            pipe.close()


def _ended(told: Mapping[str, Any]) -> Ended:
    return Ended(str(told["why"]), int(told["code"]))
