"""Rows written many to a statement.

SQLite leaves the interpreter to other threads some four times a statement, and a thread that has it asks
long to have it back: rows written one by one cost more in the handing over than in the writing.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any

MOST_TOGETHER = 256


def insert(db: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> int:
    """How many of the rows are new. The statement inserts one of them, ` VALUES (?, …)`."""
    new = 0
    for start in range(0, len(rows), MOST_TOGETHER):
        together = rows[start : start + MOST_TOGETHER]
        values = list(chain.from_iterable(together))
        new += db.execute(_of_rows(statement, len(together)), values).rowcount
    return new


def insert_all(db: sqlite3.Connection, statement: str, rows: Sequence[Sequence[Any]]) -> None:
    """Insert all of the rows, at most `MOST_TOGETHER`, or none, whatever the statement says of conflicts.

    A single statement of SQLite, and so a transaction by itself. Raises sqlite3.IntegrityError where one of
    the rows stands already.
    """
    db.execute(_of_rows(statement, len(rows), on_conflict=False), list(chain.from_iterable(rows)))


@lru_cache(2 * MOST_TOGETHER)
def _of_rows(statement: str, count: int, *, on_conflict: bool = True) -> str:
    """The statement for so many rows in place of one, with what it says of conflicts or without."""
    head, values, rest = statement.partition(" VALUES (")
    row, end, tail = rest.partition(")")
    return head + values + f"{end}, (".join([row] * count) + end + (tail if on_conflict else "")
