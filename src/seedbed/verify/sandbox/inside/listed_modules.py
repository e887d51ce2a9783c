"""Imports from outside the standard library: what is listed is found, by its file, and nothing else.

No folder of packages is on the path, where there would be more than what was asked for.
"""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType


class ListedModules(MetaPathFinder):
    """`modules` are files of top-level modules by name; what is within them Python finds by itself."""

    def __init__(self, modules: Mapping[str, str]) -> None:
        self.modules = modules

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self.modules:
            return None
        return importlib.util.spec_from_file_location(fullname, self.modules[fullname])


def is_listed(name: str) -> bool:
    return any(isinstance(finder, ListedModules) and name in finder.modules for finder in sys.meta_path)
