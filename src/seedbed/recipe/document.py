"""A YAML file as plain values that know where they stand.

The tree is built from the composed nodes rather than from loaded values, for three reasons: a
duplicate key is one finding among others and not the end of reading, a key is always text, and
a scalar keeps its own spelling (`012` or `1.10` is a label as it stands in the data).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode
from ruamel.yaml.reader import ReaderError

from seedbed.core.errors import Problem

KeyPath: TypeAlias = tuple[str | int, ...]

# In a pattern of paths: any item of a list. `*` is any key and any item.
ANY_ITEM = "[]"

_TAG = "tag:yaml.org,2002:"
_COLLECTION_TAGS = (_TAG + "map", _TAG + "seq")


@dataclass(frozen=True, slots=True)
class Place:
    """A file with a 1-based line, or the option on the command line that gave a value."""

    file: str
    line: int | None = None

    def problem(self, message: str, path: Iterable[str | int] = ()) -> Problem:
        return Problem(message, self.file, self.line, dotted(path))


@dataclass(slots=True)
class Entry:
    """One value of the tree: a map, a list or a scalar. `written` is a scalar's own spelling.

    The place of a map's entry is that of its key.
    """

    value: dict[str, Entry] | list[Entry] | str | int | float | bool | None
    place: Place
    written: str = ""

    def plain(self, as_written: Sequence[KeyPath] = (), path: KeyPath = ()) -> Any:
        """Dicts, lists and scalars. Scalars whose path matches a pattern (`*`: any key) stay text."""
        if isinstance(self.value, dict):
            return {key: entry.plain(as_written, (*path, key)) for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [entry.plain(as_written, (*path, at)) for at, entry in enumerate(self.value)]
        if self.value is not None and any(fits(pattern, path) for pattern in as_written):
            return self.written
        return self.value

    def child(self, key: str | int) -> Entry | None:
        if isinstance(self.value, dict):
            return self.value.get(str(key))
        if isinstance(self.value, list) and isinstance(key, int) and 0 <= key < len(self.value):
            return self.value[key]
        return None

    def place_of(self, path: Iterable[str | int]) -> Place:
        """Where the path stands, or its nearest ancestor that was written at all."""
        entry = self
        for key in path:
            found = entry.child(key)
            if found is None:
                break
            entry = found
        return entry.place


def dotted(path: Iterable[str | int]) -> str:
    """`('generate', 'axes', 'tone', 1)` as `generate.axes.tone[1]`."""
    text = ""
    for key in path:
        text += f"[{key}]" if isinstance(key, int) else f".{key}" if text else key
    return text


def parse(text: str, file: str, *, lines: bool = True) -> tuple[Entry, list[Problem]]:
    """The tree of one YAML 1.2 document, and everything wrong with its form.

    `lines=False` is for text that is not in a file. After a syntax error the tree is empty;
    of a duplicate key the first one stays.
    """
    builder = _Builder(file, lines)
    try:
        return builder.build(text), builder.problems
    except ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        message = f"character U+{error.character:04X} is not allowed in YAML; remove it"
        return _nothing(file, line if lines else None, message)
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        at = mark.line + 1 if mark is not None and lines else None
        why = " ".join(part for part in (error.context, error.problem) if part)
        return _nothing(file, at, f"not valid YAML: {why}")
    except YAMLError as error:
        return _nothing(file, None, f"not valid YAML: {error}")
    except RecursionError:
        return _nothing(file, None, "lists or maps are nested too deeply, or one contains itself")


def _nothing(file: str, line: int | None, message: str) -> tuple[Entry, list[Problem]]:
    return Entry(None, Place(file, line)), [Problem(message, file, line)]


def fits(pattern: KeyPath, path: KeyPath) -> bool:
    """Whether a path of keys is one of those that the pattern stands for."""
    return len(pattern) == len(path) and all(
        p in ("*", k) or (p == ANY_ITEM and isinstance(k, int)) for p, k in zip(pattern, path, strict=True)
    )


@dataclass
class _Builder:
    file: str
    lines: bool
    problems: list[Problem] = field(default_factory=list)
    _yaml: YAML = field(default_factory=lambda: YAML(typ="safe", pure=True))

    def build(self, text: str) -> Entry:
        self._yaml.composer.warn_double_anchors = False
        node = self._yaml.compose(text)
        if node is None:
            return Entry(None, Place(self.file, 1 if self.lines else None))
        return self._entry(node, self._place(node))

    def _place(self, node: Any) -> Place:
        return Place(self.file, node.start_mark.line + 1 if self.lines else None)

    def _add(self, place: Place, message: str) -> None:
        self.problems.append(place.problem(message))

    def _entry(self, node: Any, place: Place) -> Entry:
        if isinstance(node, ScalarNode):
            return Entry(self._scalar(node, place), place, node.value)
        if node.tag not in _COLLECTION_TAGS:
            self._add(place, f"the tag {node.tag} is not understood in a recipe; remove it")
        if isinstance(node, MappingNode):
            return Entry(self._map(node), place)
        assert isinstance(node, SequenceNode)
        return Entry([self._entry(item, self._place(item)) for item in node.value], place)

    def _map(self, node: Any) -> dict[str, Entry]:
        entries: dict[str, Entry] = {}
        for key_node, value_node in node.value:
            place = self._place(key_node)
            if not isinstance(key_node, ScalarNode):
                self._add(place, "a key must be a single value, not a list or a map")
                continue
            key = key_node.value
            if key_node.tag == _TAG + "merge":
                self._add(place, "merge keys (<<) are not part of YAML 1.2; write the keys out")
            elif key in entries:
                first = entries[key].place
                where = f" (first in line {first.line})" if first.line is not None else ""
                self._add(place, f"the key '{key}' stands here a second time{where}; keep one of them")
            else:
                entries[key] = self._entry(value_node, place)
        return entries

    def _scalar(self, node: Any, place: Place) -> str | int | float | bool | None:
        constructor = self._yaml.constructor
        match node.tag.removeprefix(_TAG):
            case "null":
                return None
            case "bool":
                return bool(constructor.construct_yaml_bool(node))
            case "int":
                return int(constructor.construct_yaml_int(node))
            case "float":
                return float(constructor.construct_yaml_float(node))
            case "str" | "timestamp" | "value" | "merge":
                return str(node.value)
            case _:
                self._add(place, f"the tag {node.tag} is not understood in a recipe; remove it")
                return str(node.value)
