"""Rows of a Parquet file, streamed by batches, and a file written without some of its rows.

Text, whole numbers, numbers and truth values come as they are, and a number that is not finite as null.
Dates, times, durations and decimals come as text, as Arrow writes them. Nested and binary columns are
refused by name: a row of such a file could neither be keyed nor written into a prompt.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core.errors import StoreError
from seedbed.sources.parsed import ParsedRow
from seedbed.sources.problems import FileProblems, missing_column
from seedbed.store.atomic import sync_file, sync_folder

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_A_BATCH = 1024


def parse_parquet(path: Path, columns: Sequence[str], problems: FileProblems) -> Iterator[ParsedRow]:
    """Yield rows; note every problem. Stops at once where the file lacks one of `columns`, has a column that
    cannot be used, or is no Parquet."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    number = 0
    try:
        with pq.ParquetFile(path, memory_map=False) as file:
            schema = file.schema_arrow
            if not _is_usable(schema, columns, problems):
                return
            readable = pa.schema([pa.field(field.name, _read_as(field.type)) for field in schema])
            for batch in file.iter_batches(batch_size=_ROWS_A_BATCH, use_threads=False):
                yield from _rows(batch.cast(readable), number, problems)
                number += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise
        # Arrow's own message may quote what it could not read.
        where = f"after {number} rows" if number else "from its first byte"
        problems.add(f"not readable as Parquet {where}: is it whole, and is it Parquet?")


def _is_usable(schema: pa.Schema, columns: Sequence[str], problems: FileProblems) -> bool:
    names = list(schema.names)
    wrong = [
        *(f"columns have the same name {name!r}; rename all but one" for name in sorted(_twice(names))),
        *(f"column {field.name!r} {why}" for field in schema if (why := _refused(field.type))),
        *(missing_column(name, names) for name in columns if name not in names),
    ]
    for message in wrong:
        problems.add(message)
    return not wrong


def _twice(names: Sequence[str]) -> set[str]:
    return {name for name in names if names.count(name) > 1}


def _refused(kind: pa.DataType) -> str | None:
    """Why a column of this type cannot be read, or None where it can."""
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    if types.is_nested(kind):
        return f"is nested ({kind}): flatten it into columns of text, or leave it out of the file"
    if (
        types.is_binary(kind)
        or types.is_large_binary(kind)
        or types.is_fixed_size_binary(kind)
        or types.is_binary_view(kind)
    ):
        return f"holds bytes ({kind}): write it as text, or leave it out of the file"
    return None


def _read_as(kind: pa.DataType) -> pa.DataType:
    """The type a column is read as: its own where JSON has it too, else text."""
    import pyarrow as pa
    import pyarrow.types as types

    if types.is_dictionary(kind):
        kind = kind.value_type
    as_it_is = types.is_integer(kind) or types.is_floating(kind) or types.is_boolean(kind)
    return kind if as_it_is or types.is_null(kind) else pa.string()


def _rows(batch: pa.RecordBatch, first: int, problems: FileProblems) -> Iterator[ParsedRow]:
    cells = [
        _values(column, name, first, problems)
        for name, column in zip(batch.schema.names, batch.columns, strict=True)
    ]
    for at in range(batch.num_rows):
        yield ParsedRow(
            {name: column[at] for name, column in zip(batch.schema.names, cells, strict=True)},
            number=first + at,
        )


def _values(column: pa.Array, name: str, first: int, problems: FileProblems) -> list[Any]:
    try:
        values = column.to_pylist()
    except UnicodeDecodeError:
        values = [_text(cell, name, first + at, problems) for at, cell in enumerate(column)]
    return [None if isinstance(value, float) and not math.isfinite(value) else value for value in values]


def _text(cell: pa.Scalar, name: str, number: int, problems: FileProblems) -> Any:
    try:
        return cell.as_py()
    except UnicodeDecodeError:
        problems.add(f"{name!r} is not UTF-8; save the column as text", number=number)
        return ""


def write_parquet_rows(source: Path, stay: Collection[int], out: Path) -> None:
    """Write the rows of `source` whose number (from 0) is in `stay`, each column with its own type.

    Through a temporary file beside `out`, which is whole or absent. Raises StoreError naming the path.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    temporary = out.with_name(out.name + ".tmp")
    number = 0
    try:
        temporary.unlink(missing_ok=True)
        with pq.ParquetFile(source) as file, pq.ParquetWriter(temporary, file.schema_arrow) as writer:
            for batch in file.iter_batches(batch_size=_ROWS_A_BATCH, use_threads=False):
                kept = [at for at in range(batch.num_rows) if number + at in stay]
                writer.write_batch(batch.take(pa.array(kept, pa.int64())))
                number += batch.num_rows
        sync_file(temporary)
        temporary.replace(out)
        sync_folder(out.parent)
    except OSError as error:
        reason = error.strerror or str(error)
        raise StoreError(f"{out}: cannot be written: {reason}; free space or fix permissions") from error
