"""JSONL: one JSON object a line, the exact values of every field."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.publish.exporter import Changes, RowByRow, columns, flat_row


class Jsonl(RowByRow):
    """The task's fields, `seedbed_id` and `origin` (`real` or `generated`)."""

    name: ClassVar[str] = "jsonl"
    version: ClassVar[int] = 1
    suffix: ClassVar[str] = ".jsonl"

    def head(self, task: Task, *, rehearsal: bool) -> str:
        columns(task, rehearsal=rehearsal)  # JSONL has no header, but the columns must not collide
        return ""

    def row(self, record: Record, task: Task, changes: Changes, *, rehearsal: bool) -> str:
        return json_line(flat_row(record, task, rehearsal=rehearsal), changes)


def json_line(row: Mapping[str, Any], changes: Changes) -> str:
    """One line. Lone surrogates, which UTF-8 cannot carry, are replaced and counted."""
    # NaN is no JSON; records hold plain JSON values, so that one here is a defect to see.
    return json.dumps(changes.without_surrogates(row), ensure_ascii=False, allow_nan=False) + "\n"
