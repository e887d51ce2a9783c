"""A source's rows written back in its own format, for what an audit leaves of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import orjson

from seedbed.core.errors import InputError, Problem
from seedbed.sources.parquet_file import write_parquet_rows
from seedbed.sources.readers import Row
from seedbed.sources.spec import Format, SourceSpec
from seedbed.store.atomic import write_parts

_SUFFIXES: Mapping[Format, tuple[str, ...]] = {
    "csv": (".csv",),
    "jsonl": (".jsonl", ".ndjson"),
    "parquet": (".parquet",),
}


def write_without(
    spec: SourceSpec, columns: Sequence[str], rows: Iterable[Row], out: Path, *, keep: Sequence[Path] = ()
) -> None:
    """Write the rows that stay, which may be read anew each time, to `out`.

    A CSV file gets the header `columns` even where no row is left; each of `rows` must have these
    columns. A JSONL row keeps the keys of its own, a Parquet file the types of its columns. Raises
    InputError for a folder of texts and for a glob, where `out` is the audited file or one of `keep` under
    any name, or lies in a folder among them, and where its suffix is not that of the format: no reader
    would take it for what it is.
    """
    kind = spec.resolved_format()
    if kind == "text":
        raise InputError(
            [
                Problem(
                    "a folder of texts cannot be written as one file; delete the files named", str(spec.path)
                )
            ]
        )
    if spec.matches() is not None:
        message = "several files cannot be written as one; audit each of them by itself"
        raise InputError([Problem(message, str(spec.path))])
    _refuse_to_replace(out, spec.path, keep)
    _refuse_another_format(out, kind)
    if kind == "jsonl":
        write_parts(out, (orjson.dumps(dict(row.values)) + b"\n" for row in rows))
        return
    if kind == "parquet":
        write_parquet_rows(spec.path, {row.index for row in rows}, out)
        return
    # Left to itself, Python before 3.13 puts no quotes round a bare carriage return, which ends a row.
    bare = any("\r" in cell for cells in _lines(columns, rows) for cell in cells)
    write_parts(out, _as_csv(_lines(columns, rows), csv.QUOTE_ALL if bare else csv.QUOTE_MINIMAL))


def _lines(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[list[str]]:
    yield list(columns)
    for row in rows:
        yield [row.values[name] for name in columns]


def _as_csv(lines: Iterable[Sequence[str]], quoting: Literal[0, 1]) -> Iterator[bytes]:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n", quoting=quoting)
    for line in lines:
        writer.writerow(line)
        yield buffer.getvalue().encode("utf-8")
        buffer.seek(0)
        buffer.truncate()


def _refuse_to_replace(out: Path, audited: Path, keep: Sequence[Path]) -> None:
    if _is_or_lies_in(out, audited):
        raise InputError([Problem("is the audited file itself; name another file to write", str(out))])
    for kept in keep:
        if _is_or_lies_in(out, kept):
            raise InputError(
                [Problem(f"is or lies in {kept}, which is only read; name another file to write", str(out))]
            )


def _refuse_another_format(out: Path, kind: Format) -> None:
    suffixes = _SUFFIXES[kind]
    if out.suffix.lower() not in suffixes:
        named = " or ".join(suffixes)
        message = (
            f"the rows are written as {kind.upper()}, like the source's; name a file that ends in {named}"
        )
        raise InputError([Problem(message, str(out))])


def _is_or_lies_in(path: Path, place: Path) -> bool:
    """Whether a file is the same as `place`, or stands anywhere below it, whatever link leads there."""
    whole = path.resolve()
    return any(step.exists() and place.exists() and step.samefile(place) for step in (whole, *whole.parents))
