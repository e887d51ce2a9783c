"""CSV: for spreadsheets and everything else that reads a table.

RFC 4180 in UTF-8. A spreadsheet runs a cell that begins like a formula, so such text gets a leading
apostrophe, as OWASP advises ("CSV Injection"); numbers stay numbers. CSV knows neither NUL nor the
difference between an empty text and none: use JSONL where values must come back exactly.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from typing import Any, ClassVar

from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.publish.exporter import Changes, RowByRow, columns, flat_row

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
ESCAPED = "a leading ' added, as the text began like a formula"
NUL_REMOVED = "NUL removed, which CSV cannot hold"


class CsvTable(RowByRow):
    """The task's fields, `seedbed_id` and `origin`; lists and maps as JSON text."""

    name: ClassVar[str] = "csv"
    version: ClassVar[int] = 1
    suffix: ClassVar[str] = ".csv"

    def head(self, task: Task, *, rehearsal: bool) -> str:
        # The names are escaped like values, but are none: their changes are not counted.
        return _line(columns(task, rehearsal=rehearsal), Changes())

    def row(self, record: Record, task: Task, changes: Changes, *, rehearsal: bool) -> str:
        return _line(flat_row(record, task, rehearsal=rehearsal).values(), changes)


def _line(values: Iterable[Any], changes: Changes) -> str:
    buffer = io.StringIO(newline="")
    csv.writer(buffer, lineterminator="\r\n").writerow([_cell(value, changes) for value in values])
    return buffer.getvalue()


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
