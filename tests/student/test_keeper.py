"""A command ends with all that it started, whatever becomes of it, its keeper or the one that ordered it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.errors import SeedbedError
from seedbed.student.bounded_log import BoundedLog
from seedbed.student.keeper import LOG_BYTES, Order, last_lines, run
from seedbed.student.protocol import StudentError
from tests.student.programs import becomes, running

if not Path("/proc/self/stat").exists():
    pytest.skip("needs /proc to see what runs", allow_module_level=True)


@pytest.fixture
def mark() -> str:
    """A word on the command line of everything that a test starts."""
    return f"mark{uuid.uuid4().hex}"


def order(folder: Path, words: str, seconds: float = 60.0, *, asked: bytes | None = None) -> Order:
    return Order("the trainer", ["/bin/sh", "-c", words], folder, seconds, folder / "train.log", asked)


def leaving(mark: str, then: str) -> str:
    """A command that leaves a process in its group, one in a session of its own, and one of that one's."""
    stays = f"sleep 300 & exec -a {mark} sleep 300"
    return f"bash -c '{stays}' & setsid bash -c '{stays}' & sleep 0.3; {then}"


@pytest.mark.parametrize(
    ("then", "seconds", "said"),
    [
        ("exit 0", 60, None),
        ("exit 5", 60, "ended with exit code 5"),
        ("kill -9 $$", 60, "was killed by the system"),
        ("sleep 300", 1, "was ended after 1s, its time limit; raise `time`"),
        ("trap '' TERM INT HUP; sleep 300; sleep 300", 1, "was ended after 1s"),
    ],
)
def test_nothing_survives_its_end(
    then: str, seconds: float, said: str | None, mark: str, tmp_path: Path
) -> None:
    began = time.monotonic()
    wanted = order(tmp_path, leaving(mark, f"echo from {mark}; {then}"), seconds)
    if said is None:
        run(wanted)
    else:
        with pytest.raises(StudentError) as caught:
            run(wanted)
        assert said in str(caught.value)
    assert running(mark) == []
    assert (tmp_path / "train.log").read_text() == f"from {mark}\n"
    assert time.monotonic() - began < 30


STARTS = """
import sys
from pathlib import Path
from tests.student.test_keeper import order, leaving
from seedbed.student.keeper import run
run(order(Path(sys.argv[1]), leaving(sys.argv[2], "sleep 300")))
"""


def started(mark: str, folder: Path) -> subprocess.Popen[bytes]:
    """A process of ours that has ordered a command, in a session of its own as in a terminal."""
    path = os.pathsep.join(sys.path)
    process = subprocess.Popen(
        [sys.executable, "-c", STARTS, str(folder), mark],
        env={**os.environ, "PYTHONPATH": path},
        start_new_session=True,
        stderr=subprocess.PIPE,
    )
    assert becomes(lambda: len(running(f"{mark}\0")) >= 2)
    return process


@pytest.mark.parametrize("sent", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_survives_the_one_that_ordered_it(sent: signal.Signals, mark: str, tmp_path: Path) -> None:
    process = started(mark, tmp_path)
    os.killpg(process.pid, sent)  # as Ctrl-C does, to all that share its terminal
    process.communicate(timeout=60)
    assert becomes(lambda: running(mark) == [])


def test_a_keeper_that_is_killed_is_no_failure_of_the_trainer(mark: str, tmp_path: Path) -> None:
    ends_its_keeper = f"echo {mark} > /dev/null; sleep 2; kill -9 $PPID; sleep 300"
    with pytest.raises(SeedbedError, match="the process that kept the trainer was killed") as caught:
        run(order(tmp_path, ends_its_keeper))
    assert not isinstance(caught.value, StudentError)
    assert becomes(lambda: running(mark) == [])


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    gone = Order("the trainer", ["/bin/true"], tmp_path / "gone", 5.0, tmp_path / "log")
    with pytest.raises(StudentError, match="the trainer cannot start: No such file"):
        run(gone)


def test_a_flood_is_bounded_and_keeps_its_beginning_and_its_end(tmp_path: Path) -> None:
    run(order(tmp_path, "echo first; yes | head -c 50000000; echo last"))
    log = (tmp_path / "train.log").read_bytes()
    assert log.startswith(b"first\ny\n")
    assert log.endswith(b"y\nlast\n")
    assert b" bytes left out ...]" in log
    assert LOG_BYTES // 2 < len(log) <= LOG_BYTES


def test_what_is_said_while_much_is_asked_comes_back_whole(tmp_path: Path) -> None:
    """More than pipes hold, both ways at once."""
    data = os.urandom(3_000_000)
    assert run(order(tmp_path, "tee /dev/stderr", asked=data)) == data


@settings(max_examples=200)
@given(
    chunks=st.lists(st.binary(max_size=300), max_size=30),
    most=st.integers(200, 600),
)
def test_a_bounded_log(chunks: list[bytes], most: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.mktemp("log") / "log"
    log = BoundedLog(path, most)
    whole = b""
    for chunk in chunks:
        log.write(chunk)
        whole += chunk
        written = path.read_bytes()
        assert len(written) <= most
        if len(whole) < most:
            assert written == whole
    log.close()
    written = path.read_bytes()
    assert written[: most // 4] == whole[: most // 4]
    assert written[-most // 5 :] == whole[-most // 5 :]


def test_the_last_lines_of_what_is_not_there_or_no_text(tmp_path: Path) -> None:
    assert last_lines(tmp_path / "gone") == ""
    (tmp_path / "log").write_bytes(b"\xff\xfe\x00" * 100_000)
    assert len(last_lines(tmp_path / "log")) <= 2_000
