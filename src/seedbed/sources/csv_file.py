"""Rows of a CSV file (RFC 4180, UTF-8, a header line), streamed."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from seedbed.sources.parsed import ParsedRow
from seedbed.sources.problems import FileProblems, missing_column, undecodable

_MOST_CHARACTERS_A_FIELD = 1 << 27
_OTHER_SEPARATORS = {";": "';'", "\t": "a tab"}
_HEADING = re.compile(r"[^\W\d][\w .()/-]{0,39}")


def parse_csv(path: Path, columns: Sequence[str], problems: FileProblems) -> Iterator[ParsedRow]:
    """Yield rows; note every problem. Stops at once where the header lacks one of `columns`, or is
    separated by something else than commas.

    Fields may hold newlines; blank lines between rows are skipped.
    """
    csv.field_size_limit(_MOST_CHARACTERS_A_FIELD)
    with path.open("rb") as file:
        if found := _other_separator(file, columns):
            line, separator = found
            problems.add(f"separated by {_OTHER_SEPARATORS[separator]}: save it with commas", line=line)
            return
        file.seek(0)
        reader = csv.reader(_lines(file, problems), strict=True)
        header: list[str] | None = None
        while True:
            line = reader.line_num + 1
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                problems.add(_unreadable(error), line=line)
                if header is None:
                    return
                continue
            if not cells:
                continue
            if header is None:
                header = cells
                if not _header_is_usable(header, columns, line, problems):
                    return
            elif len(cells) != len(header):
                problems.add(
                    f"this row has {len(cells)} fields, the header has {len(header)}; "
                    "put quotes round a field that holds a comma or a newline",
                    line=line,
                )
            else:
                yield ParsedRow(dict(zip(header, cells, strict=True)), line=line)


def _other_separator(file: Iterable[bytes], columns: Sequence[str]) -> tuple[int, str] | None:
    """The header's line and separator, where it is one cell to a comma and several headings to another."""
    for line, raw in enumerate(file, start=1):
        header = raw.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "replace").rstrip("\r\n")
        if not header:
            continue
        if "," in header or header in columns:
            return None
        for separator in _OTHER_SEPARATORS:
            headings = [heading.strip().strip('"') for heading in header.split(separator)]
            if len(headings) > 1 and all(map(_HEADING.fullmatch, headings)):
                return line, separator
        return None
    return None


def _lines(file: Iterable[bytes], problems: FileProblems) -> Iterator[str]:
    """Decode line by line, so that a bad byte is found by its line and reading goes on after it."""
    for number, raw in enumerate(file, start=1):
        if number == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        try:
            text = raw.decode("utf-8")
        except UnicodeDecodeError as error:
            problems.add(undecodable(error), line=number)
            text = raw.decode("utf-8", "replace")
        if "\0" in text:
            problems.add("a NUL character; save the file as plain UTF-8 text", line=number)
        yield text


def _header_is_usable(
    header: Sequence[str], columns: Sequence[str], line: int, problems: FileProblems
) -> bool:
    usable = True
    empty = [place for place, name in enumerate(header, start=1) if not name.strip()]
    if empty:
        places = ", ".join(map(str, empty))
        problems.add(f"the header has no name for column {places}; name it or delete it", line=line)
        usable = False
    twice = [name for name, count in Counter(header).items() if count > 1 and name.strip()]
    for name in twice:
        places = ", ".join(str(place) for place, other in enumerate(header, start=1) if other == name)
        problems.add(f"columns {places} have the same name; rename all but one", line=line)
        usable = False
    for name in columns:
        if name not in header:
            problems.add(missing_column(name, header), line=line)
            usable = False
    return usable


def _unreadable(error: csv.Error) -> str:
    """Python's messages, each turned into what to do. None of them quotes the file."""
    said = str(error)
    if "unexpected end of data" in said:
        return "a quote opened in this row is never closed; close it, or double a quote inside a field"
    if "expected after" in said:
        return "text after a closing quote; double each quote that stands inside a quoted field"
    if "new-line character" in said:
        return "a carriage return inside a row; save the file with Unix or Windows line ends"
    return f"not readable as CSV: {said}"
