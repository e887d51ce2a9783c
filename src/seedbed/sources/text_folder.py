"""Rows of texts, in a folder or named by a glob: each file is a row."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from seedbed.sources.parsed import ParsedRow
from seedbed.sources.problems import FileProblems, missing_column, undecodable

TEXT, FILE, LABEL = _COLUMNS = "text", "file", "label"


def parse_texts(
    files: Sequence[Path], base: Path, columns: Sequence[str], problems: FileProblems
) -> Iterator[ParsedRow]:
    """Yield a row `text`, `file` (path within the folder `base`) for each file.

    A file in a subfolder has that folder's name as its `label`.
    """
    missing = [name for name in columns if name not in _COLUMNS]
    for name in missing:
        problems.add(f"{missing_column(name, _COLUMNS)}{_how_to_map(columns, missing)}")
    problems.raise_if_any()
    for file in files:
        try:
            text = file.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            problems.add(undecodable(error), file=file)
            continue
        if "\0" in text:
            problems.add("a NUL character: not a text file; take it out of the folder", file=file)
            continue
        inside = file.relative_to(base)
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


def _how_to_map(columns: Sequence[str], missing: Sequence[str]) -> str:
    """The columns of a folder cannot be renamed, so that the fields of most tasks have to be mapped."""
    free = [name for name in (TEXT, LABEL) if name not in columns]
    if not free:
        return ""
    if len(free) == len(missing) == 1:
        return f"; map the field to it: columns: {{{missing[0]}: {free[0]}}}"
    return "; map the fields to them: columns: {INPUT: text, LABEL: label}"


def text_files(path: Path) -> list[Path]:
    """Every file below a folder that is not hidden, in the order of paths."""
    found = [
        file
        for file in path.rglob("*")
        if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts)
    ]
    return sorted(found, key=lambda file: file.relative_to(path).as_posix())
