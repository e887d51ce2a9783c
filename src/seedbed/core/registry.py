"""Tables of plug-ins: what is built in, plus what installed packages offer as entry points."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pkgutil import resolve_name
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from importlib.metadata import EntryPoints

T = TypeVar("T")


class UnknownPlugin(KeyError):
    """No plug-in of that name; the message lists what there is."""

    def __str__(self) -> str:
        return str(self.args[0])


def nearest(word: str, known: Mapping[str, Any] | list[str]) -> str | None:
    """The known word that a typo most likely meant, if any is close.

    Close is one edit, or one for every four letters: a wrong hint is worse than none, and a measure of
    common letters takes `defualt` for `refusal` and `intent` for `text`. Plurals count as their singular.
    """
    one = _singular(word)
    found: tuple[int, str] | None = None
    for candidate in known:
        other = _singular(candidate)
        longer = max(len(one), len(other))
        most = min(max(1, longer // 4), longer // 2)
        if abs(len(one) - len(other)) > most or (found is not None and found[0] == 0):
            continue
        edits = _edits(one, other)
        if edits <= most and (found is None or edits < found[0]):
            found = edits, candidate
    return found[1] if found is not None else None


def _singular(word: str) -> str:
    return word.removesuffix("ies") + "y" if word.endswith("ies") else word.removesuffix("s")


def _edits(one: str, other: str) -> int:
    """Optimal string alignment distance: letters put in, left out, replaced, or swapped with the next."""
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, a in enumerate(one, start=1):
        before, last, row = row, before, [i]
        for j, b in enumerate(other, start=1):
            fewest = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == other[j - 2] and b == one[i - 2]:
                fewest = min(fewest, last[j - 2] + 1)
            row.append(fewest)
    return row[-1]


def loaders(package: str, places: Mapping[str, str]) -> dict[str, Callable[[], Any]]:
    """For each plug-in, which stands at `module:Class` in the package, what imports it at its first use."""
    return {name: partial(resolve_name, f"{package}.{place}") for name, place in places.items()}


@dataclass
class Table(Generic[T]):
    """One kind of plug-in. `built_in` maps a name to a loader, so that nothing is imported unused."""

    kind: str
    group: str
    built_in: Mapping[str, Callable[[], T]]
    _loaded: dict[str, T] = field(default_factory=dict)

    def names(self) -> list[str]:
        outside = {point.name for point in self._installed()}
        return [*self.built_in, *sorted(outside - set(self.built_in))]

    def _installed(self) -> EntryPoints:
        """What other packages offer of this kind, read from disk."""
        # It imports a library for mail and one for archives, which a worker process has no use for.
        from importlib.metadata import entry_points

        return entry_points(group=self.group)

    def __iter__(self) -> Iterator[str]:
        return iter(self.names())

    def __contains__(self, name: str) -> bool:
        return name in self.built_in or name in self.names()  # what is installed is read from disk

    def get(self, name: str) -> T:
        """The plug-in of that name. Raises UnknownPlugin with the nearest known name."""
        if name not in self._loaded:
            self._loaded[name] = self._load(name)
        return self._loaded[name]

    def _load(self, name: str) -> T:
        if name in self.built_in:
            return self.built_in[name]()
        for point in self._installed():
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
