"""Paths with wildcards: which files they name. Names are listed, no file is opened.

It stands here because the recipe checks such a path and the sources read it, and the eval's own
process does so without loading the recipe's models.
"""

from __future__ import annotations

import glob
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_MAGIC = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Matches:
    """`files`, in the order of their paths, that a pattern names below `base`, its part without wildcards."""

    base: Path
    pattern: str
    files: tuple[Path, ...]


def matches(path: Path) -> Matches | None:
    """The files that a path with `*`, `?`, `[…]` or `**` names; None where it is a plain path.

    What is there under its very name is no pattern, whatever characters it has. Hidden files and folders
    (a name that begins with a dot) match only where the pattern writes the dot.
    """
    if path.exists() or _MAGIC.isdisjoint(str(path)):
        return None
    base, rest = _fixed_part(path)
    pattern = Path(*rest).as_posix()
    if _MAGIC.isdisjoint(pattern):
        return None
    # Unlike Path.glob it leaves out what is hidden, `.seedbed` among it.
    names = glob.iglob(pattern, root_dir=base, recursive=True)  # noqa: PTH207
    found = {Path(name).as_posix() for name in names}
    return Matches(base, pattern, tuple(base / name for name in sorted(found) if (base / name).is_file()))


def files_below(path: Path) -> Iterator[Path]:
    """Every file that is not hidden which reading `path` (a file, a folder or a pattern) may open."""
    if found := matches(path):
        yield from found.files
    elif path.is_dir():
        for file in path.rglob("*"):
            if file.is_file() and not any(part.startswith(".") for part in file.relative_to(path).parts):
                yield file
    elif path.exists():
        yield path


def _fixed_part(path: Path) -> tuple[Path, tuple[str, ...]]:
    """The longest folder above that is there, and the parts after it: a folder may be called `[1]`."""
    for folder in path.parents:
        if folder.is_dir():
            return folder, path.parts[len(folder.parts) :]
    return Path(), path.parts
