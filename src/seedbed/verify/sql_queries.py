"""Queries parsed by sqlglot and run by DuckDB: only ever called in a killable process.

What runs is written anew from a parsed statement of a kind that is let through, in a database of its own, in
memory, which reaches no file, no extension and no network, and whose settings nothing can change.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import closing
from decimal import Decimal
from itertools import accumulate
from typing import Any

import duckdb
import sqlglot
from sqlglot import exp
from sqlglot.errors import ErrorLevel, SqlglotError, UnsupportedError

from seedbed.verify.outcome import PASSED, Outcome, failed, undecided

LOCKED_DOWN: dict[str, str | bool | int | float | list[str]] = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "temp_directory": "",
    "threads": "1",
    "memory_limit": "256MB",
    "lock_configuration": "true",
}
MOST_ROWS = 10_000
_DEEPEST = 100  # brackets within one another, before the parser runs out of stack
_DIGITS = 9  # of a number with a fraction, within which two are the same
_CHANGES = (exp.Insert, exp.Update, exp.Delete, exp.Merge, exp.Into, exp.Command)

# What sqlglot cannot translate it says by an error, too.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL)


class _Told(Exception):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


def check_query(asked: Mapping[str, Any]) -> list[Any]:
    """[finding, reason, evidence] of a query. `asked` has the `query`, the `expected` one or None, `setups`
    (scripts that make tables and rows) and the `dialect` of them all."""
    try:
        with closing(open_database()) as database:
            outcome = _checked(database, asked)
    except _Told as told:
        outcome = told.outcome
    except RecursionError:
        outcome = undecided("too_deep")
    return [outcome.finding, outcome.reason, dict(outcome.evidence)]


def open_database() -> duckdb.DuckDBPyConnection:
    return duckdb.connect(":memory:", config=LOCKED_DOWN)


def _checked(database: duckdb.DuckDBPyConnection, asked: Mapping[str, Any]) -> Outcome:
    dialect = asked["dialect"]
    try:
        sqlglot.Dialect.get_or_raise(dialect)
    except ValueError as error:
        raise _Told(failed("unknown_dialect", message=str(error))) from None
    for script in asked["setups"]:
        try:
            for statement in _parsed(script, dialect):
                if not isinstance(statement, exp.Insert) and not _makes_table(statement):
                    raise _Told(failed("setup_does_more", statement=statement.sql(dialect)))
                database.execute(_written(_without_storage(statement)))
        except duckdb.Error as error:
            raise _Told(failed("setup_does_not_run", message=_first_line(error))) from None
    query = _query(asked["query"], dialect)
    found = _rows(database, query, dialect)
    if asked["expected"] is None:
        return PASSED
    try:
        expected = _query(asked["expected"], dialect)
        wanted = _rows(database, expected, dialect)
    except _Told as told:
        raise _Told(undecided("expected_does_not_run", **told.outcome.evidence)) from None
    return _compared(found, wanted, is_ordered=_has_order(query), wants_order=_has_order(expected))


def _parsed(text: str, dialect: str) -> list[exp.Expr]:
    depths = accumulate({"(": 1, ")": -1}.get(character, 0) for character in text)
    if max(depths, default=0) > _DEEPEST:
        raise _Told(undecided("too_deep"))
    try:
        return [statement for statement in sqlglot.parse(text, read=dialect) if statement is not None]
    except SqlglotError as error:
        raise _Told(failed("invalid_sql", message=_first_line(error))) from None


def _query(text: str, dialect: str) -> exp.Query:
    """The one query that a text is, which changes nothing."""
    statements = _parsed(text, dialect)
    if len(statements) != 1 or not isinstance(statements[0], exp.Query) or statements[0].find(*_CHANGES):
        raise _Told(failed("not_a_query", statements=[type(each).__name__ for each in statements]))
    return statements[0]


def _makes_table(statement: exp.Expr) -> bool:
    return isinstance(statement, exp.Create) and statement.args.get("kind") in ("TABLE", "VIEW")


def _without_storage(statement: exp.Expr) -> exp.Expr:
    """How another database would store a table (`ENGINE=InnoDB`, numbers that count up) is of no matter."""
    statement.set("properties", None)
    for constraint in [*statement.find_all(exp.ColumnConstraint)]:
        if isinstance(constraint.kind, exp.AutoIncrementColumnConstraint):
            constraint.pop()
    return statement


def _written(statement: exp.Expr) -> str:
    """The statement in the words of DuckDB."""
    try:
        return statement.sql("duckdb", unsupported_level=ErrorLevel.RAISE)
    except UnsupportedError as error:
        raise _Told(undecided("not_translated", message=_first_line(error))) from None


def _rows(database: duckdb.DuckDBPyConnection, query: exp.Query, dialect: str) -> list[str]:
    """The rows of a query, each as a text that equal rows share."""
    try:
        rows = database.execute(_written(query)).fetchmany(MOST_ROWS + 1)
    except duckdb.OutOfMemoryException:
        raise _Told(undecided("out_of_memory")) from None
    except duckdb.PermissionException as error:
        raise _Told(failed("reaches_outside", message=_first_line(error))) from None
    except duckdb.Error as error:
        said = {"message": _first_line(error)}
        # In another dialect it may be the translation that does not run.
        names_nothing = isinstance(error, duckdb.BinderException) or "Table with name" in str(error)
        if dialect == "duckdb" or names_nothing:
            raise _Told(failed("does_not_run", **said)) from None
        raise _Told(undecided("does_not_run_here", **said)) from None
    if len(rows) > MOST_ROWS:
        raise _Told(undecided("too_many_rows", most=MOST_ROWS))
    return [json.dumps([_plain(value) for value in row], default=str, sort_keys=True) for row in rows]


def _plain(value: Any) -> Any:
    """Numbers of one value as one number, whatever the column's type."""
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        return value
    if value == value and abs(value) != float("inf") and value == int(value):
        return int(value)
    return float(f"{value:.{_DIGITS}g}")


def _has_order(query: exp.Query) -> bool:
    return bool(query.args.get("order"))


def _compared(found: Sequence[str], wanted: Sequence[str], *, is_ordered: bool, wants_order: bool) -> Outcome:
    ours, theirs = Counter(found), Counter(wanted)
    if ours != theirs:
        return failed(
            "wrong_rows",
            rows=len(found),
            expected_rows=len(wanted),
            missing=sorted(theirs - ours)[:3],
            too_many=sorted(ours - theirs)[:3],
        )
    if not wanted:
        return undecided("no_rows")  # the tables have none that would tell queries apart
    if wants_order and list(found) != list(wanted):
        # Rows that are equal in what they are ordered by may stand in any order.
        return undecided("other_order") if is_ordered else failed("wrong_order")
    return PASSED


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
