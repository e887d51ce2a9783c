"""Candidates for kinship: which records share a key, within a round and with all that stayed before."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa

from seedbed.store.ledger import connect

# A record is compared with the first of its key group, not with every other: the group's
# lowest-ranked members are the ones that can survive, and a thousand equal texts stay linear.
GROUP_FIRST = 8
MOST_EARLIER = 64


class KeyJoin:
    """Joins a round's keys with those of the files given, under DuckDB's memory limit."""

    def __init__(self, earlier: Sequence[Path]) -> None:
        self._earlier = [str(path) for path in earlier]
        self._db = connect()

    def close(self) -> None:
        self._db.close()

    def candidates(
        self, filter_name: str, ranks: Sequence[int], keys: Sequence[int]
    ) -> tuple[list[tuple[int, int]], list[tuple[int, str]]]:
        """Pairs that share a key: (rank, lower rank) within the round, (rank, record id) before it.

        `ranks` and `keys` run in parallel: one entry for each key of each record of the round.
        """
        fresh = pa.table({"rank": pa.array(ranks, pa.int32()), "key": pa.array(keys, pa.int64())})
        self._db.register("fresh", fresh)
        try:
            inside = self._db.execute(
                f"""
                WITH ordered AS (
                    SELECT key, rank, row_number() OVER (PARTITION BY key ORDER BY rank) AS place FROM fresh
                )
                SELECT DISTINCT b.rank, a.rank FROM ordered a JOIN ordered b USING (key)
                WHERE a.place <= {GROUP_FIRST} AND a.rank < b.rank ORDER BY ALL
                """
            ).fetchall()
            before: list[tuple[int, str]] = []
            if self._earlier:
                before = self._db.execute(
                    f"""
                    WITH met AS (
                        SELECT rank, record, count(*) AS shared
                        FROM fresh JOIN read_parquet(?) old USING (key) WHERE old.filter = ?
                        GROUP BY rank, record
                    )
                    SELECT rank, record FROM met
                    QUALIFY row_number() OVER (PARTITION BY rank ORDER BY shared DESC, record)
                        <= {MOST_EARLIER}
                    ORDER BY ALL
                    """,
                    [self._earlier, filter_name],
                ).fetchall()
        finally:
            self._db.unregister("fresh")
        return inside, before
