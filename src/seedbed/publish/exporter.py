"""What an exporter is, and what every exported row has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from pydantic import BaseModel, ConfigDict

from seedbed.core.errors import InputError, SeedbedError
from seedbed.core.protocols import Task
from seedbed.core.record import EXPORT_ID_COLUMN, Record, exported_as
from seedbed.publish.whole_file import whole_file

ORIGIN_COLUMN = "origin"
REHEARSAL_COLUMN = "rehearsal"
RESERVED_COLUMNS = (EXPORT_ID_COLUMN, ORIGIN_COLUMN, REHEARSAL_COLUMN)

SURROGATES = "lone surrogates replaced by U+FFFD"


class NoOptions(BaseModel):
    """An exporter without settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(slots=True)
class Changes:
    """How many values an export had to change for its format, by what was done to them."""

    counts: Counter[str] = field(default_factory=Counter)

    def notes(self) -> list[str]:
        """One line a kind of change, such as `3 values: NUL removed`."""
        return [f"{count:,} value{'s' * (count > 1)}: {what}" for what, count in sorted(self.counts.items())]

    def without_surrogates(self, value: Any) -> Any:
        """The value with every lone surrogate replaced, counted: UTF-8 cannot carry one."""
        if isinstance(value, str):
            try:
                value.encode()
            except UnicodeEncodeError:
                self.counts[SURROGATES] += 1
                return "".join("\ufffd" if "\ud800" <= char <= "\udfff" else char for char in value)
            return value
        if isinstance(value, Mapping):
            return {
                self.without_surrogates(key): self.without_surrogates(item) for key, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self.without_surrogates(item) for item in value]
        return value


class Exporter(Protocol):
    """Writes records as one training file. Built with its validated `Options`.

    `kinds` are the task kinds that fit the format; None where all do.

    Each row carries the record's id as `seedbed_id: sbd-<id>`, by which `show` finds the record
    and by which the program's own output is known, with its depth, where it comes back as a source.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    suffix: ClassVar[str]
    kinds: ClassVar[tuple[str, ...] | None]
    Options: ClassVar[type[BaseModel]]

    def __init__(self, options: Any) -> None: ...

    def write(
        self,
        rows: Iterable[Record],
        task: Task,
        out: Path,
        *,
        rehearsal: bool = False,
        changes: Changes | None = None,
    ) -> int:
        """Stream the records into `out`, which appears whole or not at all; returns how many rows.

        `rehearsal` stamps every row; values that the format cannot hold are counted in `changes`.
        Raises InputError where a field has the name of a column that the format adds, SeedbedError
        for a record without readable fields, StoreError where the file cannot be written.
        """
        ...


class RowByRow(ABC):
    """An exporter without options whose file is a head and then the text of one record after the other.

    A subclass says both, and its name, version and suffix.
    """

    Options: ClassVar[type[BaseModel]] = NoOptions
    kinds: ClassVar[tuple[str, ...] | None] = None

    def __init__(self, options: NoOptions) -> None:
        self._options = options

    @abstractmethod
    def head(self, task: Task, *, rehearsal: bool) -> str:
        """What stands before the first row. Raises InputError where the task does not fit the format."""

    @abstractmethod
    def row(self, record: Record, task: Task, changes: Changes, *, rehearsal: bool) -> str:
        """One record with its line end; what the format cannot hold is counted in `changes`."""

    def write(
        self,
        rows: Iterable[Record],
        task: Task,
        out: Path,
        *,
        rehearsal: bool = False,
        changes: Changes | None = None,
    ) -> int:
        changes = changes or Changes()
        head = self.head(task, rehearsal=rehearsal)
        written = 0
        with whole_file(out) as file:
            file.write(head)
            for record in rows:
                file.write(self.row(record, task, changes, rehearsal=rehearsal))
                written += 1
        return written


def export_id(record: Record) -> str:
    return exported_as(record.id, record.provenance.depth)


def columns(task: Task, *, rehearsal: bool) -> list[str]:
    """The columns of a flat row: the task's fields, then the id, the origin and the stamp."""
    taken = [name for name in task.fields if name in RESERVED_COLUMNS]
    if taken:
        names = ", ".join(repr(name) for name in RESERVED_COLUMNS)
        raise InputError(
            f"task field {taken[0]!r} has the name of a column that an export adds ({names}); "
            "rename the field in the recipe's task section"
        )
    return [*task.fields, EXPORT_ID_COLUMN, ORIGIN_COLUMN, *([REHEARSAL_COLUMN] if rehearsal else [])]


def flat_row(record: Record, task: Task, *, rehearsal: bool) -> dict[str, Any]:
    """The row under `columns`."""
    return readable_fields(record, task) | added_columns(record, rehearsal=rehearsal)


def added_columns(record: Record, *, rehearsal: bool) -> dict[str, Any]:
    """What every format adds to a record's own: its id, its origin (`real` or `generated`) and the stamp."""
    added = {EXPORT_ID_COLUMN: export_id(record), ORIGIN_COLUMN: record.provenance.origin}
    return added | {REHEARSAL_COLUMN: True} if rehearsal else added


def readable_fields(record: Record, task: Task) -> dict[str, Any]:
    """The record's fields in the task's order, an absent optional one as empty text.

    Raises SeedbedError where a field is missing that is not optional.
    """
    missing = [name for name in task.fields if name not in {*record.fields, *task.optional_fields}]
    if missing:
        why = f" ({record.unreadable.cause})" if record.unreadable else ""
        raise SeedbedError(
            f"record {record.id} has no field {missing[0]!r}{why}; only accepted records can be exported"
        )
    return {name: record.fields.get(name, "") for name in task.fields}
