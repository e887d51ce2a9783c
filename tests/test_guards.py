"""The guards of the suite itself: a guard that lets everything through looks like one that holds."""

from __future__ import annotations

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from seedbed.models.http import HttpClient, HttpFailure

TESTS = Path(__file__).parent


def test_no_connection_leaves_this_machine() -> None:
    sock = socket.socket()
    sock.close()  # so that nothing is sent even where the guard fails
    with pytest.raises(RuntimeError, match=r"192\.0\.2\.1"):
        sock.connect(("192.0.2.1", 80))


def test_no_datagram_leaves_this_machine() -> None:
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.close()
    with pytest.raises(RuntimeError, match="2001:db8::1"):
        sock.sendto(b"x", ("2001:db8::1", 53))


def test_no_outside_name_is_looked_up() -> None:
    with pytest.raises(RuntimeError, match="example"):
        socket.getaddrinfo("example.org", 80, flags=socket.AI_NUMERICHOST)


def test_no_request_leaves_this_machine(capfd: pytest.CaptureFixture[str]) -> None:
    """libcurl connects by itself; that it is about to is told to the guard, whose word it keeps."""

    async def main() -> None:
        http = HttpClient({}, 5.0)
        try:
            await http.get("http://192.0.2.1/")
        finally:
            await http.close()

    with pytest.raises(HttpFailure, match="connect"):
        asyncio.run(main())
    assert "socket.connect to '192.0.2.1'" in capfd.readouterr().err


def test_loopback_and_unix_sockets_are_open(tmp_path: Path) -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname()) as sock,
    ):
        assert sock.getpeername() == server.getsockname()
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as sock:
        server.bind(str(tmp_path / "s"))
        server.listen()
        sock.connect(str(tmp_path / "s"))
        assert sock.getpeername() == str(tmp_path / "s")


ASKS_FOR_DATA = """
def test_present(real_data):
    assert real_data("here").is_dir()

def test_missing(real_data):
    real_data("elsewhere")

def test_missing_too(real_data):
    real_data("elsewhere")
"""


@pytest.mark.parametrize(
    ("require", "ending", "line"),
    [
        ("0", "1 passed, 2 skipped", "2 tests skipped: real data missing (elsewhere)"),
        ("1", "2 failed, 1 passed", "set SEEDBED_REAL_DATA to where it is"),
    ],
)
def test_missing_data_is_counted_or_fails(tmp_path: Path, require: str, ending: str, line: str) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "test_asks.py").write_text(ASKS_FOR_DATA)
    env = os.environ | {
        "SEEDBED_REAL_DATA": str(tmp_path),
        "SEEDBED_REQUIRE_DATA": require,
        "PYTHONPATH": str(TESTS),
    }
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "conftest",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tmp_path),
    ]
    done = subprocess.run([*command, str(tmp_path)], env=env, capture_output=True, text=True, check=False)
    assert ending in done.stdout.splitlines()[-1]
    assert line in done.stdout
