"""The command line in a process of its own that need not import first: half of what a command costs a test.

A server, one for each process of pytest, has imported what the commands import and forks for each of them.
The child has its own process id, session, working directory, environment and pipes, runs `seedbed.cli` as
`python -m` would and ends as an interpreter ends. What it starts itself (workers, the eval lock, measures,
the evaluator) starts as for a user, fresh or forked. Forks of one server share the seed of `hash`: tests that
compare the bytes of two runs make one of them in a fresh interpreter, and so do those that set what Python
reads when it starts, but for the entries of PYTHONPATH, which are put where they belong.

Forking is safe as long as the server has one thread: it looks before it serves.
"""

from __future__ import annotations

import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import time
from atexit import register
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any

LARGEST_ORDER = 1 << 18  # bytes; arguments and environment of one command
# Arrow's bundled allocator starts a thread at import (a command uses the system's), and so does BLAS.
ONE_THREAD = {
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OPENBLAS_NUM_THREADS": "1",
}


class Forked:
    """What the tests use of `subprocess.Popen`, for a child of the server. Times are seconds."""

    def __init__(self, arguments: Sequence[str], folder: Path, env: Mapping[str, str]) -> None:
        self.returncode: int | None = None
        self._arguments = list(arguments)
        self._pipes: dict[str, int] = {}
        order = json.dumps({"arguments": self._arguments, "folder": str(folder.resolve()), "env": dict(env)})
        with _pipe() as (out, out_end), _pipe() as (err, err_end):
            self._watch, watch_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            with watch_end:
                ends = [out_end, err_end, watch_end.fileno()]
                socket.send_fds(_server(), [order.encode()], ends)
            self._pipes = {"out": os.dup(out), "err": os.dup(err)}
        said = self._watch.recv(16)
        assert said, "the server of warm starts ended; what it said is on stderr"
        self.pid = int(said)

    def poll(self) -> int | None:
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        code = self._ended(timeout)
        if code is None:
            raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
        return code

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """All that it says on stdout and stderr, once it and whoever else holds them have ended."""
        ends = None if timeout is None else time.monotonic() + timeout
        said = {name: bytearray() for name in self._pipes}
        with selectors.DefaultSelector() as selector:
            for name, pipe in self._pipes.items():
                selector.register(pipe, selectors.EVENT_READ, name)
            while selector.get_map():
                ready = selector.select(None if ends is None else max(0, ends - time.monotonic()))
                if not ready:
                    raise subprocess.TimeoutExpired(self._arguments, timeout or 0)
                for key, _ in ready:
                    some = os.read(key.fd, 1 << 16)
                    said[key.data] += some
                    if not some:
                        selector.unregister(key.fd)
                        os.close(self._pipes.pop(key.data))
        self.wait(None if ends is None else max(0, ends - time.monotonic()))
        return said["out"].decode(), said["err"].decode()

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def __del__(self) -> None:
        """A test that failed may leave it: nothing of it may stay open."""
        for pipe in self._pipes.values():
            os.close(pipe)
        self._watch.close()

    def _ended(self, timeout: float | None) -> int | None:
        if self.returncode is None:
            self._watch.settimeout(timeout)
            try:
                self.returncode = int(self._watch.recv(16))
            except (BlockingIOError, TimeoutError):
                return None
            self._watch.close()  # the server lets go of the process id only now
        return self.returncode


@contextmanager
def _pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    try:
        yield ends
    finally:
        for end in ends:
            os.close(end)


_STARTED: list[socket.socket] = []


def _server() -> socket.socket:
    """The socket of this process's server, which starts at the first command and ends with this process."""
    if not _STARTED:
        ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with its:
            process = subprocess.Popen(
                [sys.executable, __file__, str(its.fileno())],
                env=os.environ | ONE_THREAD,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[its.fileno()],
                start_new_session=True,
            )
        register(_end, ours, process)
        _STARTED.append(ours)
    return _STARTED[0]


def _end(server: socket.socket, process: subprocess.Popen[bytes]) -> None:
    server.close()
    process.wait()


def main(control: socket.socket) -> None:
    """The server: import, then fork for each order. Returns in a child that shall carry one out."""
    from seedbed.cli import main as command_line

    for name in command_line.COMMANDS.values():
        import_module(name)
    for room in ("recipe", "run", "store", "models", "filters", "generate", "publish", "tasks", "text"):
        package = import_module(f"seedbed.{room}")
        for module in iter_modules(package.__path__, f"{package.__name__}."):
            import_module(module.name)
    for name in ("aiohttp", "numpy.ma", "pyarrow.dataset", "pycurl", "uvloop"):
        import_module(name)
    threads = list(Path("/proc/self/task").iterdir())
    assert len(threads) == 1, f"{len(threads)} threads: a fork would have locks that nobody opens"
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        order, ends, _, _ = socket.recv_fds(control, LARGEST_ORDER, 3)
        if not order:
            os._exit(0)
        if os.fork() == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            return _watch_one(json.loads(order), *ends)
        for end in ends:
            os.close(end)


def _watch_one(order: dict[str, Any], out: int, err: int, watch: int) -> None:
    """Fork once more and tell who that is and how it ended. Returns in the child."""
    pid = os.fork()
    if pid == 0:
        os.close(watch)
        return _become(order, out, err)
    os.close(out)
    os.close(err)
    with socket.socket(fileno=watch) as tests:
        tests.sendall(b"%d" % pid)
        end = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)
        assert end is not None
        tests.sendall(b"%d" % (end.si_status if end.si_code == os.CLD_EXITED else -end.si_status))
        tests.recv(1)  # until the test has seen it, the process id is nobody else's
    os._exit(0)


def _become(order: dict[str, Any], out: int, err: int) -> None:
    """Be what `python -m seedbed.cli ARGUMENTS` is in that folder and environment before its first line."""
    os.setsid()
    os.dup2(out, 1)
    os.dup2(err, 2)
    os.close(out)
    os.close(err)
    os.chdir(order["folder"])
    os.environ.clear()
    os.environ.update(order["env"])
    sys.path[0] = order["folder"]
    modules = order["env"].get("PYTHONPATH", "").split(os.pathsep)
    sys.path[1:1] = [entry for entry in modules if entry and entry not in sys.path]
    sys.argv[1:] = order["arguments"]


if __name__ == "__main__":
    main(socket.socket(fileno=int(sys.argv[1])))
    runpy.run_module("seedbed.cli", run_name="__main__", alter_sys=True)
