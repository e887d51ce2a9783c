"""Any source as a stream of rows with stable keys, and all problems of its file in one error."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedbed.core.errors import SourceError
from seedbed.core.field_text import asked_in, texts_in
from seedbed.core.hashing import digest
from seedbed.sources.csv_file import parse_csv
from seedbed.sources.jsonl_file import parse_jsonl
from seedbed.sources.marks import CANARY_COLUMN
from seedbed.sources.parquet_file import parse_parquet
from seedbed.sources.parsed import ParsedRow
from seedbed.sources.problems import FileProblems, type_name
from seedbed.sources.redaction import Redactor
from seedbed.sources.spec import Format, SourceSpec
from seedbed.sources.structured import StructuredColumn
from seedbed.sources.text_folder import parse_texts, text_files

_Parser = Callable[[Path, Sequence[str], FileProblems], Iterator[ParsedRow]]

# Texts are no table: each file of theirs is a row.
_PARSERS: Mapping[Format, _Parser] = {"csv": parse_csv, "jsonl": parse_jsonl, "parquet": parse_parquet}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a source. `index` counts rows from 0; `key` is stable when other rows come or go.

    The key is the text of the `id` column where the source names one, else the hash of the row's
    content and how often that content came before, so that it does not depend on the position, nor on
    the other files of a glob: rows of equal content share a set of keys, whichever of them has which.
    `file` is the row's own where a source has several. `values` are as they stand in the file,
    `structured` what those of the structured columns mean.
    """

    index: int
    key: str
    values: Mapping[str, Any]
    line: int | None = None
    file: Path | None = None
    structured: Mapping[str, Any] = field(default_factory=dict)

    @property
    def meant(self) -> Mapping[str, Any]:
        """The values, those of structured columns read by their schema."""
        return {**self.values, **self.structured} if self.structured else self.values


def read_rows(
    spec: SourceSpec,
    *,
    text_columns: Sequence[str] = (),
    may_be_empty: Collection[str] = (),
    redacted: Counter[str] | None = None,
) -> Iterator[Row]:
    """Stream the rows of a source, redacted where the source says so; `redacted` counts what was replaced.

    `text_columns` must be there and hold text in every row, and more than white space unless in
    `may_be_empty`; one that is structured must keep its schema instead. Raises SourceError with up to 20
    problems, each with file and line, *after* the last good row (a wrong header or no such file: at once),
    so use no row before the end.
    """
    redactor = Redactor(spec.redaction) if spec.redaction else None
    sensitive = spec.redaction.columns if spec.redaction else ()
    wanted = list(dict.fromkeys([*text_columns, *filter(None, (spec.id, spec.group)), *sensitive]))
    problems = FileProblems(spec.path)
    keys = _Keys(spec.id)
    structured = {
        name: StructuredColumn(spec.structured[name]) for name in text_columns if name in spec.structured
    }
    texts = [name for name in text_columns if name not in structured]
    index = -1
    for parsed, here in _parse(spec, wanted, problems):
        index += 1
        if redactor is not None:
            # Before anything else, so that not even a row's key comes from what it said.
            parsed = replace(parsed, values=redactor.row(parsed.values))
        _check_text(parsed, texts, may_be_empty, here)
        meant = _read_structured(parsed, structured, here)
        key = keys.of(parsed, here)
        if not problems:
            yield Row(index, key, parsed.values, parsed.line, parsed.file or here.path, meant)
    problems.raise_if_any()
    if redactor is not None and redacted is not None:
        redacted.update(redactor.counts)
    if index < 0:
        raise SourceError(f"{spec.path}: no rows; {_WHAT_ROWS_ARE[spec.resolved_format()]}")


_WHAT_ROWS_ARE: Mapping[Format, str] = {
    "csv": "a CSV file needs a header line and a line for each row",
    "jsonl": "a JSONL file needs a JSON object on a line for each row",
    "parquet": "this Parquet file is empty",
    "text": "the folder needs a text file for each row",
}


def _parse(
    spec: SourceSpec, wanted: Sequence[str], problems: FileProblems
) -> Iterator[tuple[ParsedRow, FileProblems]]:
    """Each row with the problems of the file that it stands in; the files of a glob in the order of paths."""
    kind, found = spec.resolved_format(), spec.matches()
    if kind == "text" and found is None and not spec.path.is_dir():
        raise SourceError(
            f"{spec.path}: `format: text` reads a folder with a file for each row; name a folder"
        )
    try:
        if kind == "text":
            base, files = (found.base, found.files) if found else (spec.path, text_files(spec.path))
            for row in parse_texts(files, base, wanted, problems):
                yield row, problems
            return
        for file in found.files if found else (spec.path,):
            here = problems.of(file)
            for row in _PARSERS[kind](file, wanted, here):
                yield row, here
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise SourceError(
            f"{error.filename or spec.path}: cannot be read: {reason}; check the source's path and rights"
        ) from None


def _check_text(
    row: ParsedRow, columns: Sequence[str], may_be_empty: Collection[str], problems: FileProblems
) -> None:
    for name in columns:
        value = row.values[name]
        if not isinstance(value, str):
            what = f"{name!r} is {type_name(value)}, expected text; write it in quotes"
            _add(problems, what, row)
        elif not value.strip() and name not in may_be_empty:
            _add(problems, f"{name!r} is empty; fill it in or delete the row", row)


def _read_structured(
    row: ParsedRow, columns: Mapping[str, StructuredColumn], problems: FileProblems
) -> dict[str, Any]:
    meant = {}
    for name, column in columns.items():
        try:
            meant[name] = column.read(row.values[name])
        except ValueError as error:
            _add(problems, f"{name!r} {error}", row)
    return meant


def _add(problems: FileProblems, message: str, row: ParsedRow) -> None:
    problems.add(message, line=row.line, file=row.file, number=row.number)


class _Keys:
    """Gives each row its key and refuses an id that came before."""

    def __init__(self, id_column: str | None) -> None:
        self._id_column = id_column
        self._places: dict[str, tuple[Path, str]] = {}
        self._copies: Counter[bytes] = Counter()

    def of(self, row: ParsedRow, problems: FileProblems) -> str:
        if self._id_column is None:
            try:
                return self._from_content(row)
            except RecursionError:
                _add(problems, "lists or objects nested too deeply; flatten the row", row)
                return ""
        value = row.values[self._id_column]
        if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
            what = "empty" if value == "" else type_name(value)
            _add(problems, f"id {self._id_column!r} is {what}, expected text or a whole number", row)
            return ""
        key, file = str(value), row.file or problems.path
        if key in self._places:
            first, place = self._places[key]
            where = place if first == file else f"{first}, {place}"
            _add(problems, f"id {self._id_column!r} is the same as in {where}; ids must differ", row)
        place = f"line {row.line}" if row.number is None else f"row {row.number} (from 0)"
        self._places.setdefault(key, (file, place))
        return key

    def _from_content(self, row: ParsedRow) -> str:
        content = digest("row", {name: value for name, value in row.values.items() if name != CANARY_COLUMN})
        self._copies[content] += 1
        return f"{content.hex()}#{self._copies[content]}"


class TextColumns:
    """How much text each column has, of those that hold text or conversations in every row so far."""

    def __init__(self) -> None:
        self._totals: dict[str, int] | None = None

    def add(self, row: Mapping[str, Any]) -> None:
        if self._totals is None:
            self._totals = dict.fromkeys(row, 0)
        for name in list(self._totals):
            if texts_in(value := row.get(name)):
                self._totals[name] += len(asked_in(value))
            else:
                del self._totals[name]

    def __contains__(self, name: str) -> bool:
        return name in (self._totals or {})

    def longest(self) -> str:
        """The one with the most text; ties go to the one that stands first. Raises ValueError without one."""
        if not self._totals:
            raise ValueError("no column holds text in every row")
        return max(self._totals, key=self._totals.__getitem__)


def longest_text_column(rows: Iterable[Mapping[str, Any]]) -> str:
    """The column with the most text on average. Raises ValueError where none holds text throughout."""
    columns = TextColumns()
    for row in rows:
        columns.add(row)
    return columns.longest()
