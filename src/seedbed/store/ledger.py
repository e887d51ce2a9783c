"""Questions over the shards of a run: fates, accounts, accepted records, the way of one record.

DuckDB reads the committed Parquet files under a memory limit; nothing derived is kept on disk.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from types import TracebackType
from typing import Any

import duckdb

from seedbed.core.cell import Cell
from seedbed.core.fate import Fate
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.store.rounds import CommittedRound, Rounds
from seedbed.store.shards import read_plan, record_from_row, verdict_from_row

MEMORY_LIMIT = "128MB"

_RECORD_COLUMNS = "id, fields, slots, provenance, unreadable"


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that stays small and off the network."""
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    connection.execute("SET threads = 1")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET enable_progress_bar = false")
    return connection


class Ledger:
    """A read-only view of a run's committed rounds, partial views included unless told otherwise."""

    def __init__(self, rounds: Rounds, *, partial: bool = True) -> None:
        self.rounds: list[CommittedRound] = rounds.committed(partial=partial)
        self._db = connect()
        self._make_views()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _union(self, name: str) -> str:
        """SQL of all rounds' rows of one file, with round and row number; in round order."""
        parts = []
        for entry in self.rounds:
            path = str(entry.file(name)).replace("'", "''")
            parts.append(
                f"SELECT *, {entry.number}::BIGINT AS round, file_row_number AS row "
                f"FROM read_parquet('{path}', file_row_number = true)"
            )
        return " UNION ALL ".join(parts)

    def _make_views(self) -> None:
        if not self.rounds:
            return
        self._db.execute(f"CREATE VIEW records AS {self._union('records')}")
        self._db.execute(f"CREATE VIEW verdicts AS {self._union('verdicts')}")
        # The later verdict of a filter holds, in the place of its first; see core.fate.fate_of.
        self._db.execute(
            """
            CREATE VIEW fates AS
            WITH placed AS (
                SELECT *, split_part(filter, '@', 1) AS name, round * 1000000000 + row AS place FROM verdicts
            ), standing AS (
                SELECT record, name, max_by(keep, place) AS keep, max_by(reason, place) AS reason,
                       max_by(filter, place) AS filter, min(place) AS first
                FROM placed GROUP BY record, name
            )
            SELECT record, bool_and(keep) AS accepted,
                   coalesce(min_by(reason, first) FILTER (WHERE NOT keep), '') AS reason,
                   coalesce(min_by(filter, first) FILTER (WHERE NOT keep), '') AS filter
            FROM standing GROUP BY record
            """
        )

    def _rows(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[dict[str, Any]]:
        if not self.rounds:
            return
        cursor = self._db.cursor()
        try:
            cursor.execute(sql, list(parameters))
            names = [column[0] for column in cursor.description or ()]
            while batch := cursor.fetchmany(512):
                for row in batch:
                    yield dict(zip(names, row, strict=True))
        finally:
            cursor.close()

    def reasons(self) -> tuple[int, Counter[str]]:
        """(accepted, rejected by reason), folded from the verdicts themselves."""
        accepted, rejected = 0, Counter[str]()
        for row in self._rows("SELECT accepted, reason, count(*) AS n FROM fates GROUP BY accepted, reason"):
            if row["accepted"]:
                accepted += row["n"]
            else:
                rejected[row["reason"]] += row["n"]
        return accepted, rejected

    def accepted(self) -> Iterator[Record]:
        """Accepted records by rank: round, plan position, draft."""
        sql = f"""
            SELECT {_RECORD_COLUMNS} FROM records JOIN fates ON record = id
            WHERE accepted ORDER BY round, row
        """
        return (record_from_row(row) for row in self._rows(sql))

    def good(self) -> Iterator[tuple[Record, bool]]:
        """(record, accepted) of every record that only the target may have turned away, by rank."""
        sql = f"""
            SELECT {_RECORD_COLUMNS}, accepted FROM records JOIN fates ON record = id
            WHERE accepted OR reason = 'over_target' ORDER BY round, row
        """
        return ((record_from_row(row), row["accepted"]) for row in self._rows(sql))

    def with_fates(self) -> Iterator[tuple[Record, Fate]]:
        """Every draft with its fate, by rank."""
        sql = f"""
            SELECT {_RECORD_COLUMNS}, accepted, reason, filter FROM records JOIN fates ON record = id
            ORDER BY round, row
        """
        for row in self._rows(sql):
            yield record_from_row(row), Fate(row["accepted"], row["reason"], row["filter"])

    def find(self, prefix: str, most: int = 5) -> list[Record]:
        """Records whose id starts with `prefix`, at most `most`."""
        sql = f"""
            SELECT {_RECORD_COLUMNS} FROM records WHERE starts_with(id, ?) ORDER BY round, row LIMIT {most}
        """
        return [record_from_row(row) for row in self._rows(sql, [prefix])]

    def records(self, ids: Iterable[str]) -> dict[str, Record]:
        """Records by id; unknown ids are left out."""
        sql = f"SELECT {_RECORD_COLUMNS} FROM records WHERE id IN (SELECT unnest(?::VARCHAR[]))"
        return {row["id"]: record_from_row(row) for row in self._rows(sql, [list(ids)])}

    def verdicts(self, record: str) -> list[Verdict]:
        """All verdicts on a record in the order they were passed."""
        sql = """
            SELECT record, filter, keep, reason, score, evidence, survivor
            FROM verdicts WHERE record = ? ORDER BY round, row
        """
        return [verdict_from_row(row) for row in self._rows(sql, [record])]

    def cell(self, cell_id: str) -> Cell | None:
        """The planned cell of that id."""
        for entry in self.rounds:
            plan = entry.folder.with_suffix("") / "plan.parquet"
            if plan.is_file():
                for cell in read_plan(plan):
                    if cell.id == cell_id:
                        return cell
        return None

    def listing(self, most: int, reason: str | None = None) -> list[dict[str, Any]]:
        """The first `most` drafts as plain rows: id, fate, reason, fields; or those of one reason."""
        clause = "" if reason is None else "WHERE reason = ?"
        sql = f"""
            SELECT id, accepted, reason, filter, fields FROM records JOIN fates ON record = id
            {clause} ORDER BY round, row LIMIT {most}
        """
        return list(self._rows(sql, [] if reason is None else [reason]))
