"""Questions over the shards of a run: fates, accounts, accepted records, the way of one record.

DuckDB reads the committed Parquet files under a memory limit; nothing derived is kept on disk.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path
from types import TracebackType
from typing import Any

import duckdb

from seedbed.core.cell import Cell
from seedbed.core.fate import Fate
from seedbed.core.record import Record
from seedbed.core.verdict import OVER_TARGET, Verdict
from seedbed.store.rounds import CommittedRound, Rounds
from seedbed.store.shards import read_plan, read_records, read_verdicts, record_from_row

MEMORY_LIMIT = "96MB"

_RECORD_COLUMNS = "id, fields, slots, provenance, unreadable"


def connect() -> duckdb.DuckDBPyConnection:
    """An in-memory DuckDB that stays small and off the network."""
    connection = duckdb.connect(":memory:")
    connection.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    # Where a query does not fit it spills here, and not into the user's working folder.
    spill = Path(tempfile.gettempdir()) / f"seedbed-spill-{os.getpid()}"
    connection.execute("SET temp_directory = ?", [str(spill)])
    connection.execute("SET threads = 1")
    connection.execute("SET autoinstall_known_extensions = false")
    connection.execute("SET enable_progress_bar = false")
    return connection


class Ledger:
    """A read-only view of a run's committed rounds, partial views included unless told otherwise.

    It goes through the rounds one at a time: what it holds does not grow with the run.
    """

    def __init__(self, rounds: Rounds, *, partial: bool = True) -> None:
        self.rounds: list[CommittedRound] = rounds.committed(partial=partial)
        self._db = connect()

    def __enter__(self) -> Ledger:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._db.close()

    def _files(self, name: str) -> list[str]:
        return [str(entry.file(name)) for entry in self.rounds]

    def _fates(self, entry: CommittedRound) -> dict[str, Fate]:
        """Fates of the drafts of one round: its own verdicts, then those that later rounds without
        cells passed on them. Of two by one filter the later holds; see core.fate.fate_of."""
        later = [
            str(other.file("verdicts"))
            for other in self.rounds
            if other.number > entry.number and not other.measures["cells"]["planned"]
        ]
        sql = """
            WITH passed AS (
                SELECT record, filter, keep, reason, 0 AS file, file_row_number AS row
                FROM read_parquet(?, file_row_number = true)
        """
        parameters: list[Any] = [str(entry.file("verdicts"))]
        if later:
            sql += """
                UNION ALL
                SELECT v.record, v.filter, v.keep, v.reason, list_position(?, v.filename), v.file_row_number
                FROM read_parquet(?, file_row_number = true, filename = true) v
                SEMI JOIN read_parquet(?) r ON r.id = v.record
            """
            parameters += [later, later, str(entry.file("records"))]
        sql += """
            ), placed AS (
                SELECT *, split_part(filter, '@', 1) AS name, file::BIGINT * 1000000000 + row AS place
                FROM passed
            ), standing AS (
                SELECT record, name, max_by(keep, place) AS keep, max_by(reason, place) AS reason,
                       max_by(filter, place) AS filter, min(place) AS first
                FROM placed GROUP BY record, name
            )
            SELECT record, bool_and(keep),
                   coalesce(min_by(reason, first) FILTER (WHERE NOT keep), ''),
                   coalesce(min_by(filter, first) FILTER (WHERE NOT keep), '')
            FROM standing GROUP BY record
        """
        rows = self._db.execute(sql, parameters).fetchall()
        return {record: Fate(accepted, reason, filter_) for record, accepted, reason, filter_ in rows}

    def reasons(self) -> tuple[int, Counter[str]]:
        """(accepted, rejected by reason), folded from the verdicts themselves."""
        accepted, rejected = 0, Counter[str]()
        for entry in self.rounds:
            if not entry.measures["drafts"]:
                continue  # its verdicts are on drafts of earlier rounds, and counted there
            fates = self._fates(entry)
            records = [str(entry.file("records"))]
            ((drafts,),) = self._db.execute("SELECT count(*) FROM read_parquet(?)", records).fetchall()
            accepted += drafts - len(fates)  # those that no filter looked at
            for fate in fates.values():
                if fate.accepted:
                    accepted += 1
                else:
                    rejected[fate.reason] += 1
        return accepted, rejected

    def with_fates(self) -> Iterator[tuple[Record, Fate]]:
        """Every draft with its fate, by rank: round, plan position, draft.

        A draft that no filter looked at (a recipe may have none) is accepted.
        """
        for entry in self.rounds:
            if not entry.measures["drafts"]:
                continue
            fates = self._fates(entry)
            for record in read_records(entry.file("records")):
                yield record, fates.get(record.id, Fate(True))

    def accepted(self) -> Iterator[Record]:
        """Accepted records by rank."""
        return (record for record, fate in self.with_fates() if fate.accepted)

    def good(self) -> Iterator[tuple[Record, bool]]:
        """(record, accepted) of every record that only the target may have turned away, by rank."""
        for record, fate in self.with_fates():
            if fate.accepted or fate.reason == OVER_TARGET:
                yield record, fate.accepted

    def find(self, prefix: str, most: int = 5) -> list[Record]:
        """Records whose id starts with `prefix`, at most `most`."""
        return list(islice(self._records("starts_with(id, ?)", prefix), most))

    def records(self, ids: Iterable[str]) -> dict[str, Record]:
        """Records by id; unknown ids are left out."""
        return {record.id: record for record in self._records("id IN (SELECT unnest(?))", list(ids))}

    def _records(self, condition: str, value: Any) -> Iterator[Record]:
        if not self.rounds:
            return
        sql = f"SELECT {_RECORD_COLUMNS} FROM read_parquet(?) WHERE {condition}"
        cursor = self._db.execute(sql, [self._files("records"), value])
        names = [column[0] for column in cursor.description or ()]
        for row in cursor.fetchall():
            yield record_from_row(dict(zip(names, row, strict=True)))

    def verdicts(self, record: str) -> list[Verdict]:
        """All verdicts on a record in the order they were passed."""
        return [
            verdict
            for entry in self.rounds
            for verdict in read_verdicts(entry.file("verdicts"))
            if verdict.record == record
        ]

    def cell(self, cell_id: str) -> Cell | None:
        """The planned cell of that id."""
        for entry in self.rounds:
            plan = entry.folder.with_suffix("") / "plan.parquet"
            for cell in read_plan(plan):
                if cell.id == cell_id:
                    return cell
        return None
