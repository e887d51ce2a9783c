"""Tables of plug-ins: what is built in, plus what installed packages offer as entry points."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import entry_points
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class UnknownPlugin(KeyError):
    """No plug-in of that name; the message lists what there is."""

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(word: str, known: Mapping[str, Any] | list[str]) -> str | None:
    """The known word that a typo most likely meant, if any is close."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else None


@dataclass
class Table(Generic[T]):
    """One kind of plug-in. `built_in` maps a name to a loader, so that nothing is imported unused."""

    kind: str
    group: str
    built_in: Mapping[str, Callable[[], T]]
    _loaded: dict[str, T] = field(default_factory=dict)

    def names(self) -> list[str]:
        outside = {point.name for point in entry_points(group=self.group)}
        return [*self.built_in, *sorted(outside - set(self.built_in))]

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: str) -> bool:
        return name in self.names()

    def get(self, name: str) -> T:
        """The plug-in of that name. Raises UnknownPlugin with the nearest known name."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> T:
        if name in self.built_in:
            return self.built_in[name]()
        for point in entry_points(group=self.group):
            if point.name == name:
                plugin: T = point.load()
                return plugin
        close = nearest(name, self.names())
        hint = f"did you mean {close!r}?" if close else "there are: " + ", ".join(self.names())
        raise UnknownPlugin(f"no {self.kind} is called {name!r}; {hint}")


@dataclass(frozen=True)
class Registry:
    """The tables that a recipe is validated against."""

    methods: Table[Any]
    filters: Table[Any]
    tasks: Table[Any]
    students: Table[Any]
    exporters: Table[Any]
    models: Table[Any]
