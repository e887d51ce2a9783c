"""Wrong programs that mean to pass, and programs that mean to get out: none does, in any backend."""

from __future__ import annotations

import ctypes
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from benchmarks.evidence.cheats import CHEATS, ESCAPES, ESCAPING, FORMS_OF_TESTS, HONEST, TESTS
from seedbed.verify.code import CodeVerifier
from seedbed.verify.sandbox.backends import BACKENDS, BUBBLEWRAP, PODMAN, Backend
from seedbed.verify.sandbox.broker import Limits, Sandbox, SandboxError
from seedbed.verify.sandbox.probes import escapes

ROOT = Path(__file__).resolve().parents[2]
_PR_SET_CHILD_SUBREAPER = 36
LIMITS = Limits(seconds=2.0, cpu_seconds=2, memory=256 << 20)
ASKS = "found = total([])\nassert found == 'held back', found\n"


@pytest.fixture(scope="module", params=BACKENDS, ids=lambda backend: backend.name)
def backend(request: pytest.FixtureRequest) -> Backend:
    found: Backend = request.param
    try:
        assert escapes(found) == []
    except SandboxError as error:
        pytest.skip(str(error))
    return found


@pytest.fixture(scope="module")
def verifier(backend: Backend) -> Iterator[CodeVerifier]:
    with CodeVerifier(LIMITS, backend=backend) as made:
        yield made


# They take all of their time with whatever test.
ENDLESS = ("while True", "sleep", "10 ** 10 ** 9")
SLOW = [name for name, program in CHEATS.items() if any(part in program for part in ENDLESS)]


def test_the_honest_program_passes(verifier: CodeVerifier) -> None:
    for tests in FORMS_OF_TESTS:
        assert verifier.check(HONEST, tests, "total").finding == "passed", tests


@pytest.mark.parametrize("cheat", CHEATS)
def test_no_cheat_passes_and_the_next_program_is_judged_as_ever(verifier: CodeVerifier, cheat: str) -> None:
    entry = "total"
    for tests in FORMS_OF_TESTS:
        assert verifier.check(CHEATS[cheat], tests, entry).finding != "passed", tests
        if cheat in SLOW:
            break
    assert verifier.attempt(HONEST, TESTS).finding == "passed"


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.05)
        yield server


@pytest.mark.parametrize("way", ESCAPES)
def test_no_program_gets_out(
    verifier: CodeVerifier, way: str, tmp_path: Path, listener: socket.socket
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody's business")
    attempt = ESCAPES[way].format(secret=str(secret), parent=os.getpid(), port=listener.getsockname()[1])
    found = verifier.attempt(ESCAPING.format(attempt=attempt), ASKS)
    assert found.finding == "passed" or found.reason == "program_ended", found
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.txt"]
    with pytest.raises(TimeoutError):
        listener.accept()
    assert verifier.attempt(HONEST, TESTS).finding == "passed"


def test_an_escape_would_be_seen(verifier: CodeVerifier) -> None:
    found = verifier.attempt(ESCAPING.format(attempt="os.listdir('/usr')"), ASKS)
    assert found.evidence["message"] == "out"


LEAVES = """
import os, threading, builtins, sys
def total(numbers):
    builtins.left_behind = 1
    sys.modules['left_behind'] = builtins
    os.environ['LEFT_BEHIND'] = '1'
    try:
        os.mkdir('folder'); open('folder/left_behind', 'w').close(); open('left_behind', 'w').close()
    except OSError:
        pass
    return 6 if numbers else 0
"""
FINDS = """
import builtins, os, sys
def total(numbers):
    found = [hasattr(builtins, 'left_behind'), 'left_behind' in sys.modules, 'LEFT_BEHIND' in os.environ]
    return found + [os.path.exists('folder'), os.path.exists('left_behind')]
"""


def test_nothing_is_left_behind(verifier: CodeVerifier) -> None:
    assert verifier.attempt(LEAVES, "assert total([1]) == 6").finding == "passed"
    assert verifier.attempt(FINDS, "assert total([]) == [False] * 5").finding == "passed"


def test_a_file_in_the_own_folder_can_be_written(verifier: CodeVerifier, backend: Backend) -> None:
    """Under bubblewrap; Landlock alone has no folder that is gone with the program."""
    program = "def total(numbers):\n    open('own', 'w').write('12')\n    return len(open('own').read())\n"
    found = verifier.attempt(program, "assert total([]) == 2")
    assert (found.finding == "passed") is bool(backend.work)


@pytest.mark.parametrize("confining", [BUBBLEWRAP, PODMAN], ids=lambda backend: backend.name)
def test_namespaces_hold_where_the_kernel_has_no_landlock(confining: Backend, tmp_path: Path) -> None:
    """Else a kernel without it would find out what Landlock alone had kept in."""
    backend = WithoutLandlock(confining.name, confining.around, confining.work)
    try:
        assert escapes(backend) == []
    except SandboxError as error:
        pytest.skip(str(error))
    secret = tmp_path / "secret.txt"
    secret.write_text("nobody's business")
    with CodeVerifier(LIMITS, backend=backend) as verifier:
        for way in ESCAPES.values():
            program = ESCAPING.format(attempt=way.format(secret=str(secret), parent=os.getpid(), port=9))
            found = verifier.attempt(program, ASKS)
            assert found.finding == "passed" or found.reason == "program_ended", (way, found)
        assert verifier.attempt(LEAVES, "assert total([1]) == 6").finding == "passed"
        assert verifier.attempt(FINDS, "assert total([]) == [False] * 5").finding == "passed"


class WithoutLandlock(Backend):
    """Confined on a kernel that says it has no Landlock."""

    def command(self, hash_seed: int, packages: tuple[str, ...] = ()) -> list[str]:
        return [
            sys.executable,
            str(Path(__file__).with_name("without_landlock.py")),
            *super().command(hash_seed),
        ]


def test_no_process_is_left_when_the_verifier_closes(backend: Backend) -> None:
    before = _started_here()
    with CodeVerifier(LIMITS, backend=backend) as verifier:
        assert verifier.attempt(HONEST, TESTS).finding == "passed"
        started = _started_here() - before
    assert len(started) >= 2
    assert not _left(started)


def test_a_sandbox_ends_with_whoever_drives_it(backend: Backend) -> None:
    """Killed, it says nothing to anybody; podman's own client outlives it."""
    before = _started_here()
    code = f"from tests.verify.test_cheats import *; drive_and_wait({backend.name!r})"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as driving:
        assert driving.stdout is not None
        assert driving.stdout.readline() == b"ready\n"
        started = _started_here() - before
        driving.kill()
    assert len(started) >= 2
    assert not _left(started)


def drive_and_wait(name: str) -> None:
    """In another process: a program half way through a message, and its sandbox."""
    (backend,) = (one for one in BACKENDS if one.name == name)
    with Sandbox(backend, LIMITS) as sandbox:
        sandbox.start("solution", STOPS_HALF_WAY, time.monotonic() + 60)
        time.sleep(0.5)
        print("ready", flush=True)
        time.sleep(60)


STOPS_HALF_WAY = """
import os, time
for fd in range(3, 16):
    try: os.write(fd, b'M' + (1000).to_bytes(4, 'little') + b'{')
    except OSError: pass
time.sleep(60)
"""


def _left(started: set[int]) -> set[int]:
    """Those that are there after some seconds. What lost its parent is ours to bury."""
    deadline = time.monotonic() + 10
    while left := {process for process in started if Path(f"/proc/{process}").exists()}:
        for process in left:
            with suppress(ChildProcessError):
                os.waitpid(process, os.WNOHANG)
        if time.monotonic() > deadline:
            break
        time.sleep(0.01)
    return left


def _started_here() -> set[int]:
    """The processes that come of this one, at any remove, also where one between them has ended."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    parents = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
    found = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {os.getpid()}
