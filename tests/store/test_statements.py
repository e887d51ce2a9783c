"""Rows that go many to a statement, into a real table."""

from __future__ import annotations

import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.store.statements import MOST_TOGETHER, insert, insert_all

ADD = "INSERT INTO kept (key, said) VALUES (?, ?) ON CONFLICT (key) DO NOTHING"


@settings(max_examples=30, deadline=None)
@given(
    st.sampled_from((0, 1, 2, MOST_TOGETHER - 1, MOST_TOGETHER, MOST_TOGETHER + 1, 1000)), st.integers(1, 900)
)
def test_however_many_there_are_each_is_written_once_and_the_new_ones_are_counted(
    count: int, distinct: int
) -> None:
    rows = [(at % distinct, f"said {at}") for at in range(count)]
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE kept (key INTEGER PRIMARY KEY, said TEXT)")

    first, again = insert(db, ADD, rows), insert(db, ADD, rows)

    assert (first, again) == (min(count, distinct), 0)
    assert db.execute("SELECT * FROM kept ORDER BY key").fetchall() == rows[:distinct]
    db.close()


@pytest.mark.parametrize("count", [1, 2, MOST_TOGETHER])
def test_all_rows_are_inserted_at_once_or_none_is(count: int) -> None:
    db = sqlite3.connect(":memory:", isolation_level=None)
    db.execute("CREATE TABLE kept (key INTEGER PRIMARY KEY, said TEXT)")
    rows = [(at, f"said {at}") for at in range(count)]

    insert_all(db, ADD, rows)
    with pytest.raises(sqlite3.IntegrityError):
        insert_all(db, ADD, [*((at + count, "new") for at in range(count - 1)), rows[-1]])

    assert db.execute("SELECT * FROM kept ORDER BY key").fetchall() == rows
    assert not db.in_transaction
    db.close()
