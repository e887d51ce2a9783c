"""Replies that shall be asked for again: they answer nothing from now on, and stay in the log.

A forgotten row keeps its place in `replies`, with its tokens and its reply, so that what a run has
sent and spent adds up as before. Only its draw changes, to the negative of its row number, which no
question asks for. The table `forgotten` remembers the draw that it had, when it went, and why.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from pathlib import Path

from seedbed.store.reply_file import connect, store_error

_TABLE = (
    "CREATE TABLE IF NOT EXISTS forgotten"
    " (id INTEGER PRIMARY KEY, draw INTEGER NOT NULL, at TEXT NOT NULL, why TEXT NOT NULL)"
)
_REMEMBER = (
    "INSERT OR IGNORE INTO forgotten (id, draw, at, why)"
    " SELECT id, draw, ?, ? FROM replies WHERE id = ? AND draw >= 0"
)
_FORGET = "UPDATE replies SET draw = -id WHERE id = ? AND draw >= 0"

# The newest forgotten reply that stood under a key, for records that were made from it.
FIND = (
    "SELECT r.kind, r.prompt_tokens, r.completion_tokens, r.value"
    " FROM replies r JOIN forgotten f ON f.id = r.id"
    " WHERE r.scope = ? AND r.request = ? AND f.draw = ? AND r.draw < 0 ORDER BY r.id DESC LIMIT 1"
)
HAS_TABLE = "SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'forgotten'"


def forget_rows(path: Path, rows: Sequence[int], at: str, why: str) -> int:
    """Forget these rows of the log in one transaction; returns how many still stood.

    Rows that are forgotten already stay as they are: it may be called again. Raises StoreError.
    """
    db = connect(path)
    try:
        db.execute("BEGIN IMMEDIATE")
        db.execute(_TABLE)
        db.executemany(_REMEMBER, [(at, why, row) for row in rows])
        done = db.executemany(_FORGET, [(row,) for row in rows]).rowcount if rows else 0
        db.execute("COMMIT")
    except sqlite3.Error as error:
        raise store_error(path, error) from error
    finally:
        db.close()  # what was not committed is rolled back
    return done
