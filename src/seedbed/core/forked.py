"""Children that are forked from this process, and told later what they are to be.

A child that is started anew imports once more what its parent has imported already: numpy and our own rooms,
which takes it a quarter of a second. One that is forked has it, and shares the memory of it. But a fork
has one thread, whatever its parent had, and a lock that another thread held is never opened in it. So they
are forked first of all, and wait for the name of a module.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

from seedbed.core.numpy_threads import NUMPY_THREADS


def forks_are_safe() -> bool:
    """Whether this process has one thread, as Linux tells, and its standard streams.

    The number of one that is closed would be given to a pipe.
    """
    threads = 0
    with suppress(OSError):
        threads = len(list(Path("/proc/self/task").iterdir()))
    return sys.platform == "linux" and threads == 1 and None not in (sys.stdin, sys.stdout, sys.stderr)


class Forked:
    """A `child_process.Child`, as long as nobody else waits for the children of this process."""

    def __init__(self, pid: int, stdin: IO[bytes], stdout: IO[bytes]) -> None:
        self.pid = pid
        self.stdin: IO[bytes] | None = stdin
        self.stdout: IO[bytes] | None = stdout
        self._code: int | None = None
        self._waiting = threading.Lock()

    def become(self, module: str) -> None:
        """Run `module.main()`, as `python -m module` does. Its standard input begins behind the name."""
        name = module.encode()
        assert self.stdin is not None
        self.stdin.write(bytes([len(name)]) + name)
        self.stdin.flush()

    def poll(self) -> int | None:
        """Its exit code once it has ended; below 0 the number of the signal that ended it."""
        with self._waiting:
            return self._look()

    def wait(self, timeout: float | None = None) -> int:
        """Raises subprocess.TimeoutExpired."""
        ends, pause = None if timeout is None else time.monotonic() + timeout, 0.0005
        while (code := self.poll()) is None:
            if ends is not None and time.monotonic() >= ends:
                assert timeout is not None
                raise subprocess.TimeoutExpired(f"process {self.pid}", timeout)
            time.sleep(pause)
            pause = min(2 * pause, 0.05)
        return code

    def kill(self) -> None:
        with self._waiting:
            if self._look() is None:  # else the number may be another's by now
                with suppress(ProcessLookupError):
                    os.kill(self.pid, signal.SIGKILL)

    def _look(self) -> int | None:
        if self._code is None:
            try:
                pid, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # whoever started us has SIGCHLD ignored: nobody learns the code
                pid, status = self.pid, 0
            if pid:
                self._code = os.waitstatus_to_exitcode(status)
        return self._code


def fork(siblings: Iterable[Forked]) -> Forked:
    """A child that waits to `become` something; `siblings` are those forked before. Raises OSError."""
    sys.stdout.flush()
    sys.stderr.flush()
    its_input, ours = os.pipe()
    try:
        theirs, its_output = os.pipe()
    except OSError:
        os.close(its_input)
        os.close(ours)
        raise
    child = Forked(0, os.fdopen(ours, "wb"), os.fdopen(theirs, "rb"))
    try:
        with interrupts_blocked():
            child.pid = os.fork()
            if child.pid == 0:
                _be_a_child([*siblings, child], its_input, its_output)
    finally:
        os.close(its_input)
        os.close(its_output)
    return child


@contextmanager
def interrupts_blocked() -> Iterator[None]:
    """In this thread; a process that is started or forked meanwhile has SIGINT blocked for good."""
    if sys.platform == "win32":
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _be_a_child(of_the_parent: Iterable[Forked], its_input: int, its_output: int) -> NoReturn:
    """Wait for a name, and run that module with these as standard input and output; never return."""
    code: object = 1
    try:
        os.setsid()
        # As long as an end of the parent's is open here, nobody at the other sees that it has gone.
        for child in of_the_parent:
            for pipe in (child.stdin, child.stdout):
                assert pipe is not None
                pipe.close()
        os.dup2(its_input, 0)
        os.dup2(its_output, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # and whatever else whoever started us had open
        _show_as("seedbed: a spare process")
        if name := _name_that_comes():
            _become(name)
        code = 0
    except SystemExit as exit_:
        code = exit_.code or 0
        if not isinstance(code, int):
            sys.stderr.write(f"{code}\n")
    except BaseException:  # noqa: BLE001 - nothing may go on where the parent went on
        sys.excepthook(*sys.exc_info())
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code if isinstance(code, int) else 1)


def _name_that_comes() -> str:
    """Nothing where the parent ends; read without a buffer, for what comes behind it is not ours."""
    size = os.read(0, 1)
    return os.read(0, size[0]).decode() if size else ""


def _become(module: str) -> None:
    """What Python does before it runs a module, with `-P` given, of which it does not say that it did it."""
    _show_as(f"{sys.executable} -m {module}", module.rpartition(".")[2])
    sys.argv, sys.orig_argv = [module], [sys.executable, "-m", module]
    if not sys.flags.safe_path:
        del sys.path[0]
    os.environ.setdefault(NUMPY_THREADS, "1")  # for libraries that bring an OpenBLAS of their own
    for name, descriptor, mode in (("stdin", 0, "r"), ("stdout", 1, "w")):
        was = getattr(sys, name)
        coding, errors = getattr(was, "encoding", None), getattr(was, "errors", None)
        setattr(sys, name, os.fdopen(descriptor, mode, encoding=coding, errors=errors, closefd=False))
    import_module(module).main()


def _show_as(line: str, short: str = "") -> None:
    """For ps, top and pkill: else whoever ends the run by its command line would end its children first."""
    with suppress(OSError, ValueError):
        start, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
        if start:
            ctypes.memmove(start, line.encode()[: end - start - 1].ljust(end - start, b"\0"), end - start)
        if short:
            Path("/proc/self/comm").write_text(short)
