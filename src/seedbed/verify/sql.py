"""Queries that are run, on tables and rows that go with them, and compared with queries that are right."""

from __future__ import annotations

from typing import Any

from seedbed.core.field_text import as_string
from seedbed.verify.killable import KillableProcess, Killed
from seedbed.verify.outcome import Outcome, undecided

SECONDS = 5.0
_MEGABYTES = 1024


class Database:
    """Checks queries of one dialect, each in a database of its own that is made by `setup`.

    It stands in a process that can be killed; see `verify.sql_queries` for what it is kept from.
    """

    def __init__(self, dialect: str, setup: str = "", seconds: float = SECONDS) -> None:
        self._dialect = dialect
        self._setup = setup
        self._process = KillableProcess(
            "seedbed.verify.sql_queries:check_query", seconds=seconds, megabytes=_MEGABYTES
        )

    def check(self, query: Any, expected: Any = None, setup: Any = "") -> Outcome:
        """Whether a query runs, after the record's own `setup` too, and gives the rows of the expected one.

        In their order where that one has an order, in any where it has none. Two times no row says nothing.
        """
        asked = {
            "query": as_string(query),
            "expected": None if expected is None else as_string(expected),
            "setups": [self._setup, as_string(setup)],
            "dialect": self._dialect,
        }
        try:
            finding, reason, evidence = self._process(asked)
        except Killed as killed:
            return undecided(killed.reason, **({"detail": killed.detail} if killed.detail else {}))
        return Outcome(finding, reason, evidence)

    def close(self) -> None:
        """End the process; it ends by itself with the program."""
        self._process.close()
