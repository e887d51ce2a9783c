"""Packages that programs may import: those installed beside Seedbed, with what they need, and no other."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.machinery import all_suffixes
from importlib.metadata import Distribution, PackageNotFoundError, distribution, packages_distributions
from pathlib import Path

_NAME = re.compile(r"[\w.-]+")


@dataclass(frozen=True, slots=True)
class Visible:
    """What a sandbox shows of packages: `paths` may be read, `modules` are found, by name, in these files."""

    paths: tuple[str, ...]
    modules: Mapping[str, str]


@cache
def visible(packages: tuple[str, ...]) -> Visible:
    """The files of packages and of all that they require. What is not installed is not among the modules."""
    if not packages:
        return Visible((), {})
    known = packages_distributions()
    asked = [one for name in packages for one in known.get(name, ())]
    paths = [path for found in _required(asked) for path in _top(found)]
    files = {path.name.partition(".")[0]: _file_of_module(path) for path in paths}
    modules = {name: file for name, file in files.items() if file}
    return Visible(tuple(map(str, paths)), modules)


def problem(packages: Sequence[str]) -> str:
    """Why programs cannot be given these packages; "" where they can."""
    there = visible(tuple(packages)).modules
    for name in packages:
        if name in sys.stdlib_module_names:
            return f"has {name}, which is Python's own and always there; remove it"
        if name not in there:
            return f"has {name}, which is not installed beside Seedbed; pip install it, or remove it"
    return ""


def _required(names: Sequence[str]) -> Iterator[Distribution]:
    """The distributions of these names and those that they require, as far as they are installed."""
    seen, waiting = set(), [*names]
    while waiting:
        try:
            found = distribution(waiting.pop())
        except PackageNotFoundError:  # wanted on another system alone
            continue
        if found.name not in seen:
            seen.add(found.name)
            yield found
            wanted = (line for line in found.requires or () if "extra ==" not in line)
            waiting += [name[0] for line in wanted if (name := _NAME.match(line))]


def _top(found: Distribution) -> list[Path]:
    """Files and folders of a distribution that stand beside those of others."""
    first = dict.fromkeys(file.parts[0] for file in found.files or ())
    paths = [Path(str(found.locate_file(name))) for name in first if name not in ("..", "__pycache__")]
    return [path for path in paths if path.exists() and path.suffix not in (".pth", ".dist-info")]


def _file_of_module(path: Path) -> str:
    package = path / "__init__.py"
    if package.exists():
        return str(package)
    return str(path) if path.name.endswith(tuple(all_suffixes())) else ""
