"""Rows of a JSONL file (one JSON object a line, UTF-8), streamed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import orjson

from seedbed.sources.parsed import ParsedRow
from seedbed.sources.problems import FileProblems, missing_column, type_name, undecodable


def parse_jsonl(path: Path, columns: Sequence[str], problems: FileProblems) -> Iterator[ParsedRow]:
    """Yield rows; note every problem. Stops at once where the first row lacks one of `columns`."""
    first = True
    with path.open("rb") as file:
        for line, raw in enumerate(file, start=1):
            if line == 1:
                raw = raw.removeprefix(b"\xef\xbb\xbf")
            if not raw.strip():
                continue
            try:
                value = orjson.loads(raw)
            except orjson.JSONDecodeError as error:
                problems.add(_unreadable(raw, error), line=line)
                continue
            if not isinstance(value, dict):
                problems.add(f"{type_name(value)}, expected a JSON object; write one {{…}} a line", line=line)
                continue
            missing = [name for name in columns if name not in value]
            for name in missing:
                problems.add(missing_column(name, value), line=line)
            if missing and first:
                return
            first = False
            if not missing:
                yield ParsedRow(value, line=line)


def _unreadable(raw: bytes, error: orjson.JSONDecodeError) -> str:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as decoding:
        return undecodable(decoding)
    return f"not JSON at character {error.pos + 1} ({error.msg}); write one {{…}} a line"
