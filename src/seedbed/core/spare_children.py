"""Children that are forked before they are wanted, and before this process has a second thread.

A child that is started anew imports once more what its parent has imported already: numpy and our own rooms,
which takes it a third of a second. One that is forked has it, and shares the memory of it. But a fork
has one thread, whatever its parent had, and a lock that another thread held is never opened in it. So they
are forked first of all, and wait to be told what they are to be.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO, NoReturn

from seedbed.core.numpy_threads import NUMPY_THREADS

_spares: list[Forked] = []


@contextmanager
def spare_children(count: int, rooms: Sequence[str]) -> Iterator[None]:
    """Within it so many children are `spare`, which have imported the modules `rooms`.

    There are none where a process cannot be forked safely: it has more than one thread, or this is
    not Linux.
    """
    for room in rooms:
        import_module(room)
    standard = (sys.stdin, sys.stdout, sys.stderr)  # None where one is closed, and its number free for others
    if sys.platform == "linux" and len(list(Path("/proc/self/task").iterdir())) == 1 and None not in standard:
        sys.stdout.flush()
        sys.stderr.flush()
        while len(_spares) < count:
            _spares.append(_fork())  # which knows those before it
    try:
        yield
    finally:
        while (spare := take_spare()) is not None:
            spare.end()


def take_spare() -> Forked | None:
    """One that nobody has yet, if there is any; `become` makes it what it is wanted for."""
    while _spares:
        spare = _spares.pop(0)
        if spare.poll() is None:
            return spare
        spare.close()  # somebody ended it
    return None


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
            if self._code is None:
                try:
                    pid, status = os.waitpid(self.pid, os.WNOHANG)
                except ChildProcessError:  # whoever started us has SIGCHLD ignored: nobody learns the code
                    pid, status = self.pid, 0
                if pid:
                    self._code = os.waitstatus_to_exitcode(status)
            return self._code

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
            if self._code is None:  # else the number may be another's by now
                os.kill(self.pid, signal.SIGKILL)

    def end(self) -> None:
        """Let one go that is still a spare, which the end of its standard input ends."""
        self.close()
        self.wait()

    def close(self) -> None:
        """Close this side of its pipes."""
        for pipe in (self.stdin, self.stdout):
            assert pipe is not None
            pipe.close()


def _fork() -> Forked:
    its_input, ours = os.pipe()
    theirs, its_output = os.pipe()
    child = Forked(0, os.fdopen(ours, "wb"), os.fdopen(theirs, "rb"))
    # As those that are started anew: Ctrl-C is its parent's affair.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        child.pid = os.fork()
        if child.pid == 0:
            _be_a_child(child, its_input, its_output)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(its_input)
    os.close(its_output)
    return child


def _be_a_child(myself: Forked, its_input: int, its_output: int) -> NoReturn:
    """Wait for a name, and run that module with these as standard input and output; never return."""
    code: object = 1
    try:
        os.setsid()
        # Ends of the parent's: as long as one is open here, nobody at the other sees that it has gone.
        for other in (*_spares, myself):
            other.close()
        _spares.clear()
        for standard, end in enumerate((its_input, its_output)):
            os.dup2(end, standard)
            os.close(end)
        if name := _name_that_comes():
            os.environ.setdefault(NUMPY_THREADS, "1")  # for libraries that bring an OpenBLAS of their own
            sys.argv, sys.orig_argv = [name], [sys.executable, "-m", name]
            Path("/proc/self/comm").write_text(name.rpartition(".")[2])  # for ps and top
            sys.stdin, sys.stdout = os.fdopen(0, closefd=False), os.fdopen(1, "w", closefd=False)
            import_module(name).main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
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
