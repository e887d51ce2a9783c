"""A row as a file format gives it, before it has a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class ParsedRow:
    """Values by column. `line` (1-based) is where the row starts; a text's row is its whole `file`.

    Where a format has no lines, `number` counts the rows of the file from 0.
    """

    values: Mapping[str, Any]
    line: int | None = None
    file: Path | None = None
    number: int | None = None
