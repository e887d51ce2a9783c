"""JSONL: one JSON object a line, the exact values of every field."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, ClassVar

from pydantic import BaseModel

from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.publish.exporter import Changes, NoOptions, columns, flat_row
from seedbed.publish.whole_file import whole_file


class Jsonl:
    """The task's fields, `seedbed_id` and `origin` (`real` or `generated`)."""

    name: ClassVar[str] = "jsonl"
    version: ClassVar[int] = 1
    suffix: ClassVar[str] = ".jsonl"
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
        columns(task, rehearsal=rehearsal)
        return write_json_lines(
            (flat_row(record, task, rehearsal=rehearsal) for record in rows), out, changes or Changes()
        )


def write_json_lines(rows: Iterable[Mapping[str, Any]], out: Path, changes: Changes) -> int:
    """UTF-8, one line a row. Lone surrogates, which UTF-8 cannot carry, are replaced and counted."""
    written = 0
    with whole_file(out) as file:
        for row in rows:
            # NaN is no JSON; records hold plain JSON values, so that one here is a defect to see.
            line = json.dumps(changes.without_surrogates(row), ensure_ascii=False, allow_nan=False)
            file.write(line + "\n")
            written += 1
    return written
