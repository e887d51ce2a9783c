"""A source's rows written back in its own format, for what an audit leaves of a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from pathlib import Path

import orjson

from seedbed.core.errors import InputError, Problem
from seedbed.sources.readers import Row
from seedbed.sources.spec import SourceSpec
from seedbed.store.atomic import write_bytes


def write_without(spec: SourceSpec, rows: Sequence[Row], out: Path) -> None:
    """Write the rows that stay to `out`, with all their columns. Raises InputError for a folder of texts."""
    kind = spec.resolved_format()
    if kind == "text":
        raise InputError(
            [
                Problem(
                    "a folder of texts cannot be written as one file; delete the files named", str(spec.path)
                )
            ]
        )
    if out.exists() and out.resolve() == spec.path.resolve():
        raise InputError([Problem("is the audited file itself; name another file to write", str(out))])
    if kind == "jsonl":
        lines = (orjson.dumps(dict(row.values)) + b"\n" for row in rows)
        write_bytes(out, b"".join(lines))
        return
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    if rows:
        writer.writerow(list(rows[0].values))
    for row in rows:
        writer.writerow(list(row.values.values()))
    write_bytes(out, buffer.getvalue().encode("utf-8"))
