"""The reply log under kill -9, full disks, damage and company: real processes, real files."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seedbed.core.chat import Choice, LoggedReply, ReplyKey, Usage
from seedbed.core.errors import StoreError
from seedbed.store.replies import ReplyLog

ADDS_AND_PRINTS = """
import asyncio, sys
from pathlib import Path
from seedbed.core.chat import Choice, LoggedReply, ReplyKey
from seedbed.store.replies import ReplyLog

async def worker(log, name):
    for draw in range(100_000):
        key = ReplyKey(sys.argv[2].encode(), name, draw)
        await log.add([LoggedReply(key, Choice("an answer of some length " * 30), "m", "e")])
        print(key, flush=True)

async def main():
    with ReplyLog.open(Path(sys.argv[1])) as log:
        await asyncio.gather(*(worker(log, b"%d" % n) for n in range(8)))

asyncio.run(main())
"""

# In a mount namespace of its own: a disk of 1 MB fills up, is freed, and is then made read-only.
FILLS_A_SMALL_DISK = """
import asyncio, os, subprocess, sys
from pathlib import Path
from seedbed.core.chat import Choice, LoggedReply, ReplyKey
from seedbed.core.errors import StoreError
from seedbed.store.replies import ReplyLog

disk = Path(sys.argv[1])
if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "none", disk]).returncode:
    sys.exit("no mounts here")

def reply(draw, size):
    return LoggedReply(ReplyKey(b"r", b"s", draw), Choice(os.urandom(size // 2).hex()), "m", "e")

async def main():
    ballast = disk / "ballast"
    ballast.write_bytes(bytes(300_000))
    with ReplyLog.open(disk / "replies.sqlite") as log:
        await log.add([reply(0, 100)])
        results = await asyncio.gather(*(log.add([reply(n, 1_600_000)]) for n in (1, 2, 3, 4)),
                                       return_exceptions=True)
        assert all(isinstance(result, StoreError) for result in results), results
        print("full:", results[0])
        lost = asyncio.create_task(log.add([reply(5, 1_600_000)]))
        await asyncio.sleep(0)
        lost.cancel()
        await asyncio.sleep(0.3)  # its commit has failed by now, and nobody was told
        try:
            await log.flush()
        except StoreError as error:
            print("flushed:", error)
        ballast.unlink()
        await log.add([reply(6, 100)])
        assert log.get(reply(0, 0).key) and log.get(reply(6, 0).key) and log.count() == 2
    subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
    try:
        ReplyLog.open(disk / "replies.sqlite")
    except StoreError as error:
        print("read-only:", error)

asyncio.run(main())
"""


def one(draw: int = 0) -> LoggedReply:
    return LoggedReply(ReplyKey(b"r", b"s", draw), Choice("an answer"), "m", "e")


def check_integrity(path: Path) -> None:
    db = sqlite3.connect(path)
    try:
        assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    finally:
        db.close()


def test_every_reply_acknowledged_before_a_kill_is_in_the_log(tmp_path: Path) -> None:
    path, moments = tmp_path / "replies.sqlite", random.Random(7)
    acknowledged: list[ReplyKey] = []
    for life in range(6):
        process = subprocess.Popen(
            [sys.executable, "-c", ADDS_AND_PRINTS, str(path), f"life {life}"],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(moments.uniform(0, 0.25))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        whole = [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]
        acknowledged += [ReplyKey.parse(line.strip()) for line in whole]
        with ReplyLog.open(path) as log:
            assert all(log.get(key) is not None for key in acknowledged)
        check_integrity(path)
    assert len(acknowledged) > 100


def test_processes_share_a_log_from_its_first_moment(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    code = ADDS_AND_PRINTS.replace("100_000", "25").replace('b"%d" % n', 'b"same %d" % n')
    processes = [
        subprocess.Popen([sys.executable, "-c", code, str(path), who], stdout=subprocess.DEVNULL)
        for who in ("a", "b", "a", "b")
    ]
    assert [process.wait() for process in processes] == [0] * 4
    with ReplyLog.open(path) as log:
        assert log.count() == 2 * 8 * 25


def test_full_and_read_only_disks_are_told_to_every_caller_and_heal(tmp_path: Path) -> None:
    result = subprocess.run(
        ["unshare", "--mount", "--map-root-user", sys.executable, "-c", FILLS_A_SMALL_DISK, str(tmp_path)],
        capture_output=True,
        text=True,
    )
    if result.returncode and ("no mounts here" in result.stderr or "unshare" in result.stderr):
        pytest.skip("this machine lets no test mount a file system")
    assert result.returncode == 0, result.stderr
    said = dict(line.split(":", 1) for line in result.stdout.splitlines())
    assert "replies.sqlite" in said["full"]
    assert "free space" in said["full"]
    assert "free space" in said["flushed"]
    assert "writ" in said["read-only"]


FAILS_IN_THE_MIDDLE = """
import asyncio, os, resource, sys
from pathlib import Path
from seedbed.core.chat import Choice, LoggedReply, ReplyKey
from seedbed.core.errors import StoreError
from seedbed.store.replies import ReplyLog

def reply(draw, size):
    return LoggedReply(ReplyKey(b"r", b"s", draw), Choice(os.urandom(size // 2).hex()), "m", "e")

async def main():
    with ReplyLog.open(Path(sys.argv[1])) as log:
        _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, hard))
        try:
            await log.add([reply(0, 100), reply(1, 8_000_000)])
        except StoreError as error:
            print(error)
        resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
        await log.add([reply(2, 100)])
        print([log.get(reply(draw, 0).key) is not None for draw in range(3)])

asyncio.run(main())
"""


def test_failed_transaction_leaves_nothing_behind(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    command = [sys.executable, "-c", FAILS_IN_THE_MIDDLE, str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    told, standing = done.stdout.splitlines()
    assert told.startswith(f"{path}: reply log: the disk failed to read or write it")
    assert standing == "[False, False, True]"


def test_row_that_sqlite_cannot_hold_fails_alone(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    too_large = LoggedReply(one(1).key, Choice("an answer"), "m", "e", Usage(2**63, 0))

    async def main(log: ReplyLog) -> None:
        async with asyncio.timeout(10):
            results = await asyncio.gather(
                log.add([one(0)]),
                log.add([too_large]),
                log.add_attempt(one(2).key, "timeout", None, "no text: \ud800", "e"),
                log.add([one(3)]),
                log.flush(),
                return_exceptions=True,
            )
            assert [type(result) for result in results] == [int, StoreError, StoreError, int, type(None)]
            assert "OverflowError: Python int too large" in str(results[1])
            assert "UnicodeEncodeError" in str(results[2])
            assert all(str(error).startswith(f"{path}: reply log: ") for error in results[1:3])
            assert await log.add([one(4)]) == 1

    with ReplyLog.open(path) as log:
        asyncio.run(main(log))
        assert [log.get(one(draw).key) is not None for draw in range(5)] == [True, False, False, True, True]


@pytest.mark.parametrize("where", ["replies.sqlite", "file/replies.sqlite"])
def test_place_that_cannot_hold_a_log_is_named(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "replies.sqlite").mkdir()
    with pytest.raises(StoreError, match=r"replies\.sqlite: reply log: (it|its folder) cannot be"):
        ReplyLog.open(tmp_path / where)


def test_text_file_is_no_log(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    path.write_text("notes of mine, " * 100)
    with pytest.raises(StoreError, match=r"replies\.sqlite.*not a reply log; move it away"):
        ReplyLog.open(path)


def test_damaged_pages_are_a_store_error_for_readers_and_writers(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    with ReplyLog.open(path) as log:
        asyncio.run(log.add([one(draw) for draw in range(2_000)]))
    with path.open("r+b") as file:  # the first page stays: the file still opens
        file.seek(4096)
        file.write(os.urandom(path.stat().st_size - 4096))
    with ReplyLog.open(path) as log:
        with pytest.raises(StoreError, match=r"replies\.sqlite.*damaged; restore a backup"):
            log.get(one().key)
        for draw in (5_000, 5_001):  # the first failure leaves no transaction open for the second
            with pytest.raises(StoreError, match=r"replies\.sqlite.*damaged; restore a backup"):
                asyncio.run(log.add([one(draw)]))


def test_damaged_reply_is_named_by_its_key(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    with ReplyLog.open(path) as log:
        asyncio.run(log.add([one(0), one(1)]))
    db = sqlite3.connect(path)
    db.execute("UPDATE replies SET value = x'00ff' WHERE draw = 1")
    db.commit()
    db.close()
    with ReplyLog.open(path) as log:
        assert log.get(one(0).key) == one(0)
        with pytest.raises(StoreError, match=rf"replies\.sqlite.*{one(1).key}.*damaged"):
            log.get(one(1).key)


def test_log_locked_by_another_process_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"

    async def main(log: ReplyLog, other: sqlite3.Connection) -> None:
        adding = asyncio.create_task(log.add([one()]))
        await asyncio.sleep(0.2)
        assert not adding.done()
        other.execute("COMMIT")
        assert await adding == 1

    with ReplyLog.open(path) as log:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        try:
            asyncio.run(main(log, other))
        finally:
            other.close()
