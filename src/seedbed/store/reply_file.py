"""The SQLite file under the reply log: how it is opened, what its rows are, what its errors mean."""

from __future__ import annotations

import json
import sqlite3
import time
from pathlib import Path
from typing import Any

import orjson

from seedbed.core.errors import StoreError

VERSION = 2
APPLICATION = 0x53656564  # "Seed": tells a reply log from any other SQLite file
BUSY_SECONDS = 30.0

REPLY, REFUSAL = 0, 1

# The key's index leads with the scope: it finds one reply and counts a cell's replies alike.
# `first_of_call` is 1 on the first choice of each call, so that calls can be counted as well.
# `cost` is what the budget charged for the row, in nano-dollars (NULL: no price was known), and `charged`
# the tokens that it counted where no reply told them. A row of version 1 has neither.
_TABLES = (
    """CREATE TABLE IF NOT EXISTS replies (
  id INTEGER PRIMARY KEY,
  request BLOB NOT NULL,
  scope BLOB NOT NULL,
  draw INTEGER NOT NULL,
  kind INTEGER NOT NULL,
  first_of_call INTEGER NOT NULL,
  prompt_tokens INTEGER NOT NULL,
  completion_tokens INTEGER NOT NULL,
  value BLOB NOT NULL,
  cost INTEGER,
  charged INTEGER
)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS replies_key ON replies (scope, request, draw)",
    """CREATE TABLE IF NOT EXISTS attempts (
  id INTEGER PRIMARY KEY,
  request BLOB NOT NULL,
  scope BLOB NOT NULL,
  draw INTEGER NOT NULL,
  cause TEXT NOT NULL,
  status INTEGER,
  detail TEXT NOT NULL,
  endpoint TEXT NOT NULL,
  prompt_tokens INTEGER,
  completion_tokens INTEGER,
  cost INTEGER,
  charged INTEGER
)""",
    "CREATE INDEX IF NOT EXISTS attempts_scope ON attempts (scope)",
    f"PRAGMA application_id = {APPLICATION}",
)
# From the version before to this one. A new column without a default rewrites no row.
_UPGRADES = {
    2: (
        "ALTER TABLE replies ADD COLUMN cost INTEGER",
        "ALTER TABLE replies ADD COLUMN charged INTEGER",
        "ALTER TABLE attempts ADD COLUMN cost INTEGER",
        "ALTER TABLE attempts ADD COLUMN charged INTEGER",
    )
}

_REMEDIES = (
    ("SQLITE_FULL", "the disk is full; free space and run the same command again: what was committed stays"),
    ("SQLITE_READONLY", "it cannot be written; make the file and its folder writable for this user"),
    ("SQLITE_CANTOPEN", "it cannot be opened; check that its folder exists and that this user may write it"),
    ("SQLITE_PERM", "it cannot be opened; check that this user may read and write it"),
    ("SQLITE_NOTADB", "it is not a {what}; move it away, or name another workspace"),
    (
        "SQLITE_CORRUPT",
        "it is damaged; restore a backup, or save what is readable with `sqlite3 FILE .recover`",
    ),
    ("SQLITE_BUSY", f"another process has kept it locked for {BUSY_SECONDS:.0f} s; end that process"),
    ("SQLITE_LOCKED", f"another process has kept it locked for {BUSY_SECONDS:.0f} s; end that process"),
    ("SQLITE_IOERR", "the disk failed to read or write it; check the disk, its free space and any quota"),
)


def store_error(path: Path, error: sqlite3.Error, what: str = "reply log") -> StoreError:
    """What an SQLite error means to the user: the path, what is wrong, what to do."""
    code = getattr(error, "sqlite_errorname", "") or ""
    for name, meaning in _REMEDIES:
        if code.startswith(name):
            return StoreError(f"{path}: {what}: {meaning.replace('{what}', what)} ({error})")
    return StoreError(f"{path}: {what}: {error} ({code or type(error).__name__})")


def connect(path: Path) -> sqlite3.Connection:
    """Open the file, and make it if there is none. Raises StoreError.

    The connection is in autocommit mode: every read sees what is committed by then. It may be used
    by any thread, by one at a time.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StoreError(
            f"{path}: reply log: its folder cannot be made: {error.strerror}; name another workspace"
        ) from error
    try:
        db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    try:
        _prepare(db, path)
    except sqlite3.Error as error:
        db.close()
        raise store_error(path, error) from error
    except StoreError:
        db.close()
        raise
    return db


def _prepare(db: sqlite3.Connection, path: Path) -> None:
    db.execute("BEGIN")  # one view for all three: another process may be making the file just now
    version = _pragma(db, "user_version")
    application = _pragma(db, "application_id")
    tables = db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    db.execute("COMMIT")
    if application != APPLICATION and tables:
        raise StoreError(
            f"{path}: this SQLite file is not a reply log; move it away, or name another workspace"
        )
    if version > VERSION:
        raise StoreError(
            f"{path}: written by a newer Seedbed (reply log version {version}, this one reads up to "
            f"{VERSION}); update Seedbed, or name another workspace"
        )
    use_write_ahead_log(db, path)
    db.execute("PRAGMA synchronous = FULL")  # in WAL mode only FULL outlives a power cut at each commit
    if version < VERSION:
        _bring_up_to_date(db)


def _bring_up_to_date(db: sqlite3.Connection) -> None:
    """Make the tables, or give those of an older version what this one has more; all or nothing."""
    db.execute("BEGIN IMMEDIATE")
    try:
        version = _pragma(db, "user_version")  # again: another process may have been first
        steps = [_TABLES] if version == 0 else [_UPGRADES[at] for at in range(version + 1, VERSION + 1)]
        statements = [statement for step in steps for statement in step]
        for statement in statements:
            db.execute(statement)
        db.execute(f"PRAGMA user_version = {VERSION}")
        db.execute("COMMIT")
    except sqlite3.Error:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise


def use_write_ahead_log(db: sqlite3.Connection, path: Path, what: str = "reply log") -> None:
    """SQLite's busy timeout does not cover this switch, so two processes that start at once retry here."""
    deadline = time.monotonic() + BUSY_SECONDS
    while True:
        try:
            mode = _pragma(db, "journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    if mode != "wal":
        raise StoreError(
            f"{path}: {what}: this file system keeps no write-ahead log (a network share?); "
            "put the workspace on a local disk"
        )


def _pragma(db: sqlite3.Connection, text: str) -> Any:
    return db.execute(f"PRAGMA {text}").fetchone()[0]


def pack(value: Any) -> bytes:
    """JSON bytes of a plain value. Text may hold lone surrogates, which orjson alone refuses."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value).encode("ascii")


def unpack(data: bytes) -> Any:
    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError:
        return json.loads(data)
