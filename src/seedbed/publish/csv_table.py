"""CSV: for spreadsheets and everything else that reads a table.

RFC 4180 in UTF-8. A spreadsheet runs a cell that begins like a formula, so such text gets a leading
apostrophe, as OWASP advises ("CSV Injection"); numbers stay numbers. CSV knows neither NUL nor the
difference between an empty text and none: use JSONL where values must come back exactly.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.publish.exporter import Changes, NoOptions, columns, flat_row
from seedbed.publish.whole_file import whole_file

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ESCAPED = "a leading ' added, as the text began like a formula"
NUL_REMOVED = "NUL removed, which CSV cannot hold"


class CsvTable:
    """The task's fields, `seedbed_id` and `origin`; lists and maps as JSON text."""

    name: ClassVar[str] = "csv"
    version: ClassVar[int] = 1
    suffix: ClassVar[str] = ".csv"
    Options: ClassVar[type[BaseModel]] = NoOptions

    def __init__(self, options: NoOptions) -> None:
        self._options = options

    def write(
        self,
        rows: Iterable[Record],
        task: Task,
        out: Path,
        *,
        rehearsal: bool = False,
        changes: Changes | None = None,
    ) -> int:
        header = columns(task, rehearsal=rehearsal)
        changes = changes or Changes()
        # The header's own names are escaped too, but are no values: their changes are not counted.
        names = [_cell(name, Changes()) for name in header]
        written = 0
        with whole_file(out) as file:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(names)
            for record in rows:
                row = flat_row(record, task, rehearsal=rehearsal)
                writer.writerow([_cell(row[name], changes) for name in header])
                written += 1
        return written


def _cell(value: Any, changes: Changes) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        clean = changes.without_surrogates(value)
        return json.dumps(clean, ensure_ascii=False, allow_nan=False)
    text: str = changes.without_surrogates(value)
    if "\0" in text:
        changes.counts[NUL_REMOVED] += 1
        text = text.replace("\0", "")
    if text.startswith(FORMULA_STARTS):
        changes.counts[ESCAPED] += 1
        text = "'" + text
    return text
