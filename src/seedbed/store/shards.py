"""Plans, records, verdicts and keys as zstd Parquet with explicit schemas that any tool reads.

Free-form values are JSON text in normal order, so that equal rows are equal bytes.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.background import give_way
from seedbed.core.cell import Cell
from seedbed.core.record import ModelRef, Provenance, Record, Rejection, Unreadable
from seedbed.core.verdict import Verdict
from seedbed.store.atomic import sync_file

# Arrow's own pools keep what they freed; the system's hands it back between rounds.
pa.set_memory_pool(pa.system_memory_pool())

PLAN = pa.schema(
    [
        ("position", pa.int32()),
        ("id", pa.string()),
        ("method", pa.string()),
        ("template", pa.string()),
        ("axes", pa.string()),
        ("parents", pa.list_(pa.string())),
        ("draw", pa.int32()),
        ("source", pa.string()),
    ]
)
RECORDS = pa.schema(
    [
        ("position", pa.int32()),
        ("draft", pa.int32()),
        ("id", pa.string()),
        ("fields", pa.string()),
        ("slots", pa.string()),
        ("provenance", pa.string()),
        ("unreadable", pa.string()),
        ("notes", pa.string()),
        ("rejected", pa.string()),
    ]
)
VERDICTS = pa.schema(
    [
        ("record", pa.string()),
        ("filter", pa.string()),
        ("keep", pa.bool_()),
        ("reason", pa.string()),
        ("score", pa.float64()),
        ("evidence", pa.string()),
        ("survivor", pa.string()),
    ]
)
KEYS = pa.schema([("filter", pa.string()), ("key", pa.int64()), ("record", pa.string())])
CELLS = pa.schema(
    [("position", pa.int32()), ("cell", pa.string()), ("state", pa.string()), ("cause", pa.string())]
)


# The keys of one record by one filter: `array("q")`, or any list of 63-bit numbers.
KeyNumbers: TypeAlias = Sequence[int]


def to_json(value: Any) -> str:
    """JSON text, keys sorted. What orjson cannot hold (a lone surrogate, a huge integer) is escaped."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=True, sort_keys=True, separators=(",", ":"))


def from_json(text: str) -> Any:
    """The value that `to_json` wrote."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def write_table(path: Path, schema: pa.Schema, columns: Iterable[tuple[str, Sequence[Any]]]) -> None:
    """Write one shard and fsync it. Bytes depend on the rows alone.

    Each column, by name, is in Arrow before the next is made.
    """
    arrays = {}
    for name, column in columns:
        arrays[name] = pa.array(column, schema.field(name).type)
        give_way()
    table = pa.table(arrays, schema=schema)
    pq.write_table(table, path, compression="zstd", store_schema=False, use_dictionary=True)
    sync_file(path)


def write_plan(path: Path, cells: Sequence[Cell]) -> None:
    write_table(path, PLAN, _plan_columns(cells))


def _plan_columns(cells: Sequence[Cell]) -> Iterator[tuple[str, Sequence[Any]]]:
    yield "position", range(len(cells))
    yield "id", [c.id for c in cells]
    yield "method", [c.method for c in cells]
    yield "template", [c.template for c in cells]
    yield "axes", [to_json(dict(c.axes)) for c in cells]
    yield "parents", [list(c.parents) for c in cells]
    yield "draw", [c.draw for c in cells]
    yield "source", [c.source or None for c in cells]


def read_plan(path: Path) -> list[Cell]:
    # A plan of an earlier version has no column `source`.
    return [
        Cell(
            row["method"],
            row["template"],
            from_json(row["axes"]),
            tuple(row["parents"]),
            row["draw"],
            row.get("source") or "",
        )
        for row in read_columns(path).to_pylist()
    ]


def read_plan_ids(path: Path) -> list[str]:
    """The ids alone of a plan's cells, as they were written."""
    ids: list[str] = read_columns(path, ["id"])["id"].to_pylist()
    return ids


def write_records(path: Path, records: Sequence[tuple[int, Record]]) -> None:
    """Records with their plan position, in rank order."""
    write_table(path, RECORDS, _record_columns(records))


def _record_columns(records: Sequence[tuple[int, Record]]) -> Iterator[tuple[str, Sequence[Any]]]:
    yield "position", [position for position, _ in records]
    yield "draft", [r.provenance.draft for _, r in records]
    yield "id", [r.id for _, r in records]
    yield "fields", [to_json(dict(r.fields)) for _, r in records]
    yield "slots", [to_json(dict(r.slots)) for _, r in records]
    yield "provenance", [provenance_json(r.provenance) for _, r in records]
    yield "unreadable", [to_json(asdict(r.unreadable)) if r.unreadable else None for _, r in records]
    yield "notes", [to_json(dict(r.notes)) if r.notes else None for _, r in records]
    yield "rejected", [to_json(asdict(r.rejected)) if r.rejected else None for _, r in records]


def provenance_json(provenance: Provenance) -> str:
    value = provenance._asdict()
    value["models"] = {role: model._asdict() for role, model in provenance.models.items()}
    value["sampling"] = dict(provenance.sampling)
    for name in ("steps", "carried"):
        if not value[name]:
            del value[name]
    return to_json(value)


def record_from_row(row: dict[str, Any]) -> Record:
    """A record from a row of a record shard."""
    value = from_json(row["provenance"])
    for name in ("parents", "reply_keys", "steps", "carried"):
        value[name] = tuple(value.get(name, ()))
    value["models"] = {role: ModelRef(**model) for role, model in value["models"].items()}
    unreadable, notes, rejected = (row.get(name) for name in ("unreadable", "notes", "rejected"))
    return Record(
        id=row["id"],
        fields=from_json(row["fields"]),
        provenance=Provenance(**value),
        slots=from_json(row["slots"]),
        unreadable=Unreadable(**from_json(unreadable)) if unreadable else None,
        notes=from_json(notes) if notes else {},
        rejected=Rejection(**from_json(rejected)) if rejected else None,
    )


def read_columns(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """These columns of a shard, or all, in memory.

    `pq.read_table` takes twice as long for a file of this size, and imports Arrow's datasets first.
    """
    with pq.ParquetFile(path) as file:
        return file.read(list(columns) if columns else None, use_threads=False)


def read_rows(path: Path, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
    """Rows of a shard, a few hundred in memory at a time."""
    with pq.ParquetFile(path) as file:
        for batch in file.iter_batches(512, columns=list(columns) if columns else None, use_threads=False):
            yield from batch.to_pylist()


def read_records(path: Path) -> Iterator[Record]:
    return (record_from_row(row) for row in read_rows(path))


def write_verdicts(path: Path, verdicts: Sequence[Verdict]) -> None:
    write_table(path, VERDICTS, _verdict_columns(verdicts))


def _verdict_columns(verdicts: Sequence[Verdict]) -> Iterator[tuple[str, Sequence[Any]]]:
    yield "record", [v.record for v in verdicts]
    yield "filter", [v.filter for v in verdicts]
    yield "keep", [v.keep for v in verdicts]
    yield "reason", [v.reason for v in verdicts]
    yield "score", [v.score for v in verdicts]
    yield "evidence", [to_json(dict(v.evidence)) if v.evidence else "{}" for v in verdicts]
    yield "survivor", [v.survivor for v in verdicts]


def verdict_from_row(row: dict[str, Any]) -> Verdict:
    return Verdict(
        record=row["record"],
        filter=row["filter"],
        keep=row["keep"],
        reason=row["reason"],
        score=row["score"],
        evidence=from_json(row["evidence"]),
        survivor=row["survivor"],
    )


def read_verdicts(path: Path) -> Iterator[Verdict]:
    return (verdict_from_row(row) for row in read_rows(path))


def write_keys(path: Path, keys: Sequence[tuple[str, str, KeyNumbers]]) -> None:
    """(filter, record id, its keys) of the records that stay in the corpus; one row a key.

    The keys of a filter stand together, in row groups of their own, in ascending order; records
    behind the same key in the order given. Shards written before are by record, all filters mixed.
    """
    of_words = pa.dictionary(pa.int32(), pa.string())
    coded = pa.schema([(field.name, of_words if field.type == pa.string() else field.type) for field in KEYS])
    by_filter: dict[str, list[tuple[str, KeyNumbers]]] = {}
    for name, record, numbers in keys:
        by_filter.setdefault(name, []).append((record, numbers))
    # Hash keys are all distinct: a dictionary of them would be their list once more.
    with pq.ParquetWriter(
        path, coded, compression="zstd", store_schema=False, use_dictionary=["filter", "record"]
    ) as writer:
        for name, entries in sorted(by_filter.items()):
            found = np.concatenate([np.asarray(numbers, np.int64) for _, numbers in entries])
            row = np.repeat(np.arange(len(entries)), [len(numbers) for _, numbers in entries])
            order = np.argsort(found, kind="stable")
            records = [record for record, _ in entries]
            columns = [
                pa.DictionaryArray.from_arrays(np.zeros(len(found), np.int32), [name]),
                pa.array(found[order]),
                pa.DictionaryArray.from_arrays(row[order].astype(np.int32), records),
            ]
            writer.write_table(pa.table(columns, schema=coded))
            give_way()
    sync_file(path)


def write_cells(path: Path, cells: Sequence[tuple[int, str, str, str]]) -> None:
    """(position, cell id, state `done`|`failed`|`pending`, cause) of a round's cells."""
    write_table(
        path, CELLS, zip(CELLS.names, zip(*cells, strict=True) if cells else [()] * len(CELLS), strict=True)
    )
