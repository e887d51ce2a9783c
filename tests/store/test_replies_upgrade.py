"""A reply log of version 1 goes on as one of version 2, with nothing lost and nothing made up."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from pathlib import Path

import pytest
import zstandard

from seedbed.core.chat import Choice, LoggedReply, ReplyKey, Usage
from seedbed.core.money import Charge
from seedbed.store.replies import LoggedRefusal, ReplyLog
from seedbed.store.reply_file import APPLICATION, REFUSAL, REPLY, pack
from seedbed.store.tally import Spent

REQUEST, SCOPE = b"r" * 16, b"s" * 16

# As version 1 wrote it: kept here, for the program no longer has it.
VERSION_1 = f"""
BEGIN IMMEDIATE;
CREATE TABLE replies (
  id INTEGER PRIMARY KEY, request BLOB NOT NULL, scope BLOB NOT NULL, draw INTEGER NOT NULL,
  kind INTEGER NOT NULL, first_of_call INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL, value BLOB NOT NULL
);
CREATE UNIQUE INDEX replies_key ON replies (scope, request, draw);
CREATE TABLE attempts (
  id INTEGER PRIMARY KEY, request BLOB NOT NULL, scope BLOB NOT NULL, draw INTEGER NOT NULL,
  cause TEXT NOT NULL, status INTEGER, detail TEXT NOT NULL, endpoint TEXT NOT NULL,
  prompt_tokens INTEGER, completion_tokens INTEGER
);
CREATE INDEX attempts_scope ON attempts (scope);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = 1;
COMMIT;
"""
OLD_INSERT = (
    "INSERT INTO replies (request, scope, draw, kind, first_of_call, prompt_tokens, completion_tokens, value)"
    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)"
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    path = tmp_path / "replies.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.executescript(VERSION_1)
    answer = zstandard.compress(pack(["an answer", "stop", None, False, "m", "http://e/v1"]))
    refusal = zstandard.compress(pack(["context_length", "too long", 400]))
    db.execute(OLD_INSERT, (REQUEST, SCOPE, 0, REPLY, 1, 10, 3, answer))
    db.execute(OLD_INSERT, (REQUEST, SCOPE, 1, REFUSAL, 1, 0, 0, refusal))
    db.execute(
        "INSERT INTO attempts (request, scope, draw, cause, status, detail, endpoint) VALUES (?,?,?,?,?,?,?)",
        (REQUEST, SCOPE, 2, "timeout", None, "120 s", "http://e/v1"),
    )
    db.close()
    return path


def key(draw: int) -> ReplyKey:
    return ReplyKey(REQUEST, SCOPE, draw)


def test_old_rows_stand_and_have_no_price(old: Path) -> None:
    with ReplyLog.open(old) as log:
        assert log.get(key(0)) == LoggedReply(key(0), Choice("an answer"), "m", "http://e/v1", Usage(10, 3))
        assert log.get(key(1)) == LoggedRefusal(key(1), "context_length", "too long", 400)
        assert (log.tally().calls, log.tally().attempts) == (3, {"timeout": 1})
        assert log.tally().spent == Spent(13, 0, 0, 0, 3, Usage(10, 3), 0)


def test_new_rows_are_charged_beside_old_ones(old: Path) -> None:
    new = LoggedReply(key(5), Choice("new"), "m", "http://e/v1", Usage(20, 5))

    async def write(log: ReplyLog) -> None:
        await log.add([new], [Charge(25, 7_000, told=True)])
        await log.add_attempt(key(6), "timeout", None, "", "http://e/v1", charge=Charge(400, 9_000))

    for _ in range(2):  # and a second opening upgrades nothing again
        with ReplyLog.open(old) as log:
            if log.get(key(5)) is None:
                asyncio.run(write(log))
            assert log.get(key(5)) == new
            assert log.tally([SCOPE]).spent == Spent(13 + 25 + 400, 16_000, 9_000, 2, 3, Usage(10, 3), 0)
            assert log.tally([b"other"]).spent == Spent(0, 0, 0, 0, 0, Usage(), 0)
    db = sqlite3.connect(old)
    assert db.execute("PRAGMA user_version").fetchone() == (2,)
    # Costs add up by SQL alone.
    total = "SELECT (SELECT sum(cost) FROM replies) + (SELECT sum(cost) FROM attempts)"
    assert db.execute(total).fetchone() == (16_000,)
    db.close()


def test_many_may_upgrade_at_once_and_an_older_program_may_go_on_writing(old: Path) -> None:
    writer = sqlite3.connect(old, isolation_level=None)
    ended: list[int] = []

    def open_it() -> None:
        with ReplyLog.open(old) as log:
            ended.append(log.tally().calls)

    threads = [threading.Thread(target=open_it) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended == [3] * 6
    value = zstandard.compress(pack(["late", "stop", None, False, "m", "http://e/v1"]))
    writer.execute(OLD_INSERT, (REQUEST, SCOPE, 9, REPLY, 1, 1, 1, value))
    writer.close()
    with ReplyLog.open(old) as log:
        assert log.tally().spent.unpriced == Usage(11, 4)
