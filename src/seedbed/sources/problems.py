"""Problems of one data file, gathered so that a user sees them together and not one a run."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from seedbed.core.errors import Problem, SourceError
from seedbed.core.registry import nearest

MOST_PROBLEMS = 20
MOST_COLUMNS_SHOWN = 12

_PLAIN_NAME = re.compile(r"[A-Za-z_][\w.-]{0,31}")


class FileProblems:
    """Collects up to 20 problems of a file, then raises them as one SourceError.

    No message quotes a value: the same readers read eval files, whose text must not reach a log.
    """

    def __init__(self, path: Path, found: list[Problem] | None = None) -> None:
        self.path = path
        self._found: list[Problem] = [] if found is None else found

    def of(self, file: Path) -> FileProblems:
        """The same collection, for one of several files."""
        return FileProblems(file, self._found)

    def __bool__(self) -> bool:
        return bool(self._found)

    def add(
        self, message: str, *, line: int | None = None, file: Path | None = None, number: int | None = None
    ) -> None:
        """Note a problem at a 1-based line, or in row `number` (from 0). Raises SourceError after 20."""
        if number is not None:
            message = f"row {number} (from 0): {message}"
        self._found.append(Problem(message, file=str(file or self.path), line=line))
        if len(self._found) >= MOST_PROBLEMS:
            self._found.append(Problem("and perhaps more: reading stopped here", file=str(self.path)))
            self.raise_if_any()

    def raise_if_any(self) -> None:
        if self._found:
            raise SourceError(self._found)


def missing_column(wanted: str, there_are: Collection[str]) -> str:
    """Says which column is missing, what there is, and the nearest of them.

    A file without a header line has data in its place, so only names that look like names are shown.
    """
    names = [name for name in there_are if _PLAIN_NAME.fullmatch(name)]
    close = nearest(wanted, names)
    shown = ", ".join(names[:MOST_COLUMNS_SHOWN])
    if len(names) > MOST_COLUMNS_SHOWN:
        shown += f" and {len(names) - MOST_COLUMNS_SHOWN} more"
    if hidden := len(there_are) - len(names):
        shown += f"{' and ' if shown else ''}{hidden} not shown, unlike a name: has the file a header line?"
    hint = f"; did you mean {close!r}?" if close else ""
    return f"no column {wanted!r}; there are: {shown}{hint}"


def undecodable(error: UnicodeDecodeError) -> str:
    """Names the byte that is not UTF-8, counted from 1 within its line or file."""
    byte = error.object[error.start]
    return f"byte {error.start + 1} (0x{byte:02X}) is not UTF-8; save the file as UTF-8"


def type_name(value: object) -> str:
    """What JSON calls the type of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "a truth value"
        case int() | float():
            return "a number"
        case str():
            return "text"
        case list():
            return "a list"
        case _:
            return "an object"
