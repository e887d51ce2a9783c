"""Rows of a folder of texts: each file is a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seedbed.sources.parsed import ParsedRow
from seedbed.sources.problems import FileProblems, missing_column, undecodable

TEXT, FILE, LABEL = "text", "file", "label"


def parse_text_folder(path: Path, columns: Sequence[str], problems: FileProblems) -> Iterator[ParsedRow]:
    """Yield a row `text`, `file` (path within the folder) for each file, in the order of paths.

    A file in a subfolder has that folder's name as its `label`. Hidden files are skipped.
    """
    for name in columns:
        if name not in (TEXT, FILE, LABEL):
            problems.add(missing_column(name, (TEXT, FILE, LABEL)))
    problems.raise_if_any()
    for file in text_files(path):
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            problems.add(undecodable(error), file=file)
            continue
        if "\0" in text:
            problems.add("a NUL character: not a text file; take it out of the folder", file=file)
            continue
        inside = file.relative_to(path)
        if not inside.as_posix().isprintable():
            problems.add("a file's name in this folder is not printable UTF-8; rename it", file=file.parent)
            continue
        values = {TEXT: text, FILE: inside.as_posix()}
        if inside.parent.name:
            values[LABEL] = inside.parent.name
        elif LABEL in columns:
            problems.add("no label: move the file into a folder that is named for its label", file=file)
            continue
        yield ParsedRow(values, file=file)


def text_files(path: Path) -> list[Path]:
    """Every file below a folder that is not hidden, in the order of paths."""
    found = [
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())
