"""Everything found wrong with a recipe, gathered so that it is reported at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from seedbed.core.errors import Problem
from seedbed.core.registry import Table, UnknownPlugin, nearest
from seedbed.recipe.complaints import Complaint, complaints, keys_of
from seedbed.recipe.document import Entry, KeyPath
from seedbed.recipe.words import meant

M = TypeVar("M", bound=BaseModel)


class Findings:
    """Problems with their places, and which keys can no longer be relied on.

    A check of two keys against each other first asks `touch`: of a key that is wrong in itself
    nothing follows, and a second error about it would only mislead.
    """

    def __init__(self, root: Entry, problems: Iterable[Problem] = ()) -> None:
        self._root = root
        self._problems = list(problems)
        self._broken: set[KeyPath] = set()

    def add(self, path: KeyPath, message: str) -> None:
        """Report what is wrong with the value at `path`, at the line where it stands."""
        self._problems.append(self._root.place_of(path).problem(message, path))
        self._broken.add(path)

    def unknown_key(self, path: KeyPath, known: Iterable[str]) -> None:
        """Refuse a key, with the nearest known one or all of them."""
        key, names = str(path[-1]), list(known)
        close = nearest(key, names)
        if close is not None:
            self._broken.add((*path[:-1], close))
        self.add(path, f"unknown key '{key}'; {meant(key, names, 'nothing can be set here')}")

    def touch(self, *paths: KeyPath) -> bool:
        """Whether anything was found at, below or above one of the paths."""
        return any(broken[: len(path)] == path[: len(broken)] for path in paths for broken in self._broken)

    def mapping(self, raw: Any, path: KeyPath) -> dict[str, Any]:
        """`raw` as a map; nothing written counts as an empty one, anything else is reported."""
        if raw is None:
            return {}
        if isinstance(raw, dict):
            return raw
        self.add(path, "must be a map of keys and values")
        return {}

    def plugin(self, table: Table[Any], name: str, path: KeyPath, words: Iterable[str] = ()) -> Any | None:
        """The plug-in of that name, or None where there is none (reported).

        `words` are further ones that might have been meant, though they name no plug-in.
        """
        try:
            return table.get(name)
        except UnknownPlugin:
            hint = meant(name, [*words, *table.names()], "there is none")
            self.add(path, f"no {table.kind} is called '{name}'; {hint}")
            return None

    def model(
        self, kind: type[M], raw: Any, path: KeyPath, context: Mapping[str, Any] | None = None
    ) -> M | None:
        """`raw` as a model, or None where it cannot be one even without what is wrong in it.

        Everything wrong is reported and left out, so that the rest can still be looked at. A key
        without a value counts as not written.
        """
        if raw is not None and not isinstance(raw, dict):
            self.mapping(raw, path)
            return None
        values = {key: value for key, value in (raw or {}).items() if value is not None}
        if kind.model_config.get("extra") != "allow":
            known = keys_of(kind)
            for key in [key for key in raw or {} if key not in known]:
                self.unknown_key((*path, key), known)
                values.pop(key, None)
        try:
            return kind.model_validate(values, context=context)
        except ValidationError as error:
            spoilt = {self._report(complaint, path) for complaint in complaints(error, kind, values)}
        rest = {key: value for key, value in values.items() if key not in spoilt}
        try:
            return kind.model_validate(rest, context=context)
        except ValidationError:
            return None

    def _report(self, complaint: Complaint, path: KeyPath) -> str | int:
        where: KeyPath = (*path, *complaint.path)
        if complaint.known is not None:
            self.unknown_key(where, complaint.known)
        else:
            self.add(where, complaint.message)
        return complaint.path[0] if complaint.path else ""

    def problems(self) -> list[Problem]:
        """All of them: those of the file by line, then of its bases, then those of the command line."""
        own = self._root.place.file
        return sorted(
            self._problems,
            key=lambda p: (p.line is None, p.file != own, p.file if p.line is not None else "", p.line or 0),
        )
