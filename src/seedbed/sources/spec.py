"""What the recipe says about one source, as plain values that cross a process border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from seedbed.core.errors import SourceError

Format = Literal["csv", "jsonl", "text"]

_SUFFIXES: Mapping[str, Format] = {".csv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One named file (or folder of texts) and how to read it.

    `columns` maps a task's field to the file's column where the two names differ. `compare` names
    the columns (or task fields) whose text is held against the eval set and against near twins;
    that text ends where `ignore_after` first occurs. `group` and `id` are columns of the file.
    """

    name: str
    path: Path
    format: Format | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    compare: tuple[str, ...] = ()
    ignore_after: str | None = None
    group: str | None = None
    id: str | None = None
    licence: str | None = None

    def column(self, name: str) -> str:
        """The file's column for a task field; a name that is not mapped is a column already."""
        return self.columns.get(name, name)

    @property
    def compared_columns(self) -> tuple[str, ...]:
        return tuple(self.column(name) for name in self.compare)

    def resolved_format(self) -> Format:
        """The declared format, or the one that the path's suffix tells. SourceError if neither does."""
        if self.format is not None:
            return self.format
        if self.path.is_dir():
            return "text"
        try:
            return _SUFFIXES[self.path.suffix.lower()]
        except KeyError:
            raise SourceError(
                f"{self.path}: cannot tell the format from the name of the file; "
                "say `format: csv`, `format: jsonl` or `format: text` (a folder of texts)"
            ) from None

    def to_json(self) -> dict[str, Any]:
        values = {known.name: getattr(self, known.name) for known in fields(self)}
        return {**values, "path": str(self.path), "columns": dict(self.columns)}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SourceSpec:
        return cls(**{**value, "path": Path(value["path"]), "compare": tuple(value["compare"])})


def compared_text(values: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    """The text of a row that is compared: its columns, joined by newlines. `values` must have them."""
    return "\n".join(values[column] for column in columns)


def cut(text: str, marker: str | None) -> str:
    """`text` up to the first occurrence of `marker`; whole where there is none."""
    return text if marker is None else text.partition(marker)[0]
