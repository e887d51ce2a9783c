"""What the recipe says about one source, as plain values that cross a process border."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal

from seedbed.core.errors import Problem, SourceError
from seedbed.core.field_text import asked_in
from seedbed.core.globs import Matches, matches
from seedbed.sources.redaction import Redaction

Format = Literal["csv", "jsonl", "parquet", "text"]

_SUFFIXES: Mapping[str, Format] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
}
# Only among the files of a glob: a text alone is no set of rows.
_TEXT_SUFFIXES = (".md", ".markdown", ".rst", ".txt")


@dataclass(frozen=True, slots=True)
class SourceSpec:
    """One named file (or folder of texts, or glob of files) and how to read it.

    `columns` maps a task's field to the file's column where the two names differ. `compare` names
    the columns (or task fields) whose text is held against the eval set and against near twins;
    that text ends where `ignore_after` first occurs. `group` and `id` are columns of the file.
    `structured` are the columns whose value is no text, each with the JSON Schema of an object that has
    the value as its one field. `redaction` is what is replaced in its rows as they are read.
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
    structured: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    redaction: Redaction | None = None

    def column(self, name: str) -> str:
        """The file's column for a task field; a name that is not mapped is a column already."""
        return self.columns.get(name, name)

    @property
    def compared_columns(self) -> tuple[str, ...]:
        return tuple(self.column(name) for name in self.compare)

    def matches(self) -> Matches | None:
        """The files of a glob; None for a file or a folder. SourceError where there is not one file."""
        found = matches(self.path)
        if found is not None and not found.files:
            raise SourceError([Problem(no_match(found), str(self.path))])
        return found

    def resolved_format(self) -> Format:
        """The declared format, or the one that the path's suffix tells. SourceError if neither does."""
        if self.format is not None:
            return self.format
        if self.path.is_dir():
            return "text"
        if found := self.matches():
            try:
                return common_format(found)
            except ValueError as error:
                raise SourceError([Problem(str(error), str(self.path))]) from None
        try:
            return _SUFFIXES[self.path.suffix.lower()]
        except KeyError:
            raise SourceError(
                f"{self.path}: cannot tell the format from the name of the file; "
                "say `format: csv`, `format: jsonl`, `format: parquet` or `format: text` (a folder of texts)"
            ) from None

    def to_json(self) -> dict[str, Any]:
        values = {known.name: getattr(self, known.name) for known in fields(self)}
        return {
            **values,
            "path": str(self.path),
            "columns": dict(self.columns),
            "structured": dict(self.structured),
            "redaction": self.redaction.to_json() if self.redaction else None,
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> SourceSpec:
        redaction = Redaction.from_json(value["redaction"]) if value["redaction"] else None
        own = {"path": Path(value["path"]), "compare": tuple(value["compare"]), "redaction": redaction}
        return cls(**{**value, **own})


def no_match(found: Matches) -> str:
    """What to say of a glob that names no file."""
    return f"no file matches {found.pattern} in {found.base}; hidden files and folders do not count"


def common_format(found: Matches) -> Format:
    """The one format that the suffixes of a glob's files tell. ValueError says why there is none."""
    first: dict[Format, Path] = {}
    for file in found.files:
        suffix = file.suffix.lower()
        kind = "text" if suffix in _TEXT_SUFFIXES else _SUFFIXES.get(suffix)
        if kind is None:
            raise ValueError(f"cannot tell the format of {file} from its name; write format")
        first.setdefault(kind, file)
    if len(first) > 1:
        (one, file), (other, another) = list(first.items())[:2]
        raise ValueError(
            f"the files are of several formats: {file} is {one}, {another} is {other}; name each in a source "
            "of its own"
        )
    return next(iter(first))


def documents_format(path: Path) -> Format | None:
    """`text` for a glob of documents with no table among them: code, for one, whatever its names end in."""
    found = matches(path)
    if found is None or any(file.suffix.lower() in _SUFFIXES for file in found.files):
        return None
    return "text"


def compared_text(values: Mapping[str, Any], columns: tuple[str, ...]) -> str:
    """The text of a row that is compared: its columns, joined by newlines. `values` must have them."""
    return "\n".join(asked_in(values[column]) for column in columns)


def cut(text: str, marker: str | None) -> str:
    """`text` up to the first occurrence of `marker`; whole where there is none."""
    return text if marker is None else text.partition(marker)[0]
