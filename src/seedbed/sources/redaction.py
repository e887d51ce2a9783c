"""Real data without what is somebody's: redacted as a row is read, before anything else sees it.

Nothing but the reader ever holds the original, so that it reaches no prompt, no run folder, no log and
no message. What stands in its place is of `text.surrogates`, by a key that lies beside the recipe, in
`.seedbed/redaction/`, and is published with nothing.
"""

from __future__ import annotations

import os
import re
import secrets
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.errors import SourceError
from seedbed.core.hashing import short_id
from seedbed.sources.marks import CANARY_COLUMN
from seedbed.text.names import NAME_KINDS, find_names
from seedbed.text.personal_data import PERSONAL_KINDS, characters_of, find_personal_data
from seedbed.text.spans import Span, apart
from seedbed.text.surrogates import Surrogates

SENSITIVE = "sensitive"

_KEY_BYTES = 32
_FEWEST_CHARS_ELSEWHERE = 4
"""A sensitive value as short as `no` stands in every text, and means something else there."""


@dataclass(frozen=True, slots=True)
class Redaction:
    """What is replaced in a source: spans of `kinds` in every value, and the values of `columns` whole.

    `names` is the spaCy pipeline that tells a `person`. `key_file` holds the key of the surrogates.
    """

    kinds: tuple[str, ...]
    columns: tuple[str, ...]
    names: str | None
    key_file: Path

    def to_json(self) -> dict[str, Any]:
        return {
            "kinds": list(self.kinds),
            "columns": list(self.columns),
            "names": self.names,
            "key_file": str(self.key_file),
        }

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Redaction:
        kinds, columns = tuple(value["kinds"]), tuple(value["columns"])
        return cls(kinds, columns, value["names"], Path(value["key_file"]))

    def fingerprint(self) -> str:
        """Another one where the same rows would be redacted otherwise; it tells nothing of the key."""
        key = key_in(self.key_file)
        return short_id("redaction", [list(self.kinds), list(self.columns), self.names, key.hex()])


class Redactor:
    """Redacts the rows of a source. `counts` are the spans replaced so far, by kind."""

    def __init__(self, redaction: Redaction) -> None:
        self.counts: Counter[str] = Counter()
        self._redaction = redaction
        self._patterns = tuple(kind for kind in redaction.kinds if kind in PERSONAL_KINDS)
        self._names = tuple(kind for kind in redaction.kinds if kind in NAME_KINDS)
        self._surrogates = Surrogates(key_in(redaction.key_file))

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The row with surrogates. A sensitive value is replaced where else it stands in the row, too."""
        columns = self._redaction.columns
        known = {text for name in columns for text in _texts(values.get(name))}
        elsewhere = _any_of({text for text in known if len(text) >= _FEWEST_CHARS_ELSEWHERE})
        return {
            name: value
            if name == CANARY_COLUMN
            else _changed(value, self._whole)
            if name in columns
            else _changed(value, lambda text: self._redacted(text, elsewhere))
            for name, value in values.items()
        }

    def _redacted(self, text: str, sensitive: re.Pattern[str] | None) -> str:
        found = find_personal_data(text, self._patterns)
        if self._names:
            assert self._redaction.names is not None
            found += find_names(text, self._names, self._redaction.names)
        if sensitive is not None:
            # First: at one place the value of the column is told and not a part of it.
            found = [*(Span(SENSITIVE, *known.span()) for known in sensitive.finditer(text)), *found]
        parts, end = list[str](), 0
        for span in apart(found):
            value = text[span.start : span.end]
            parts += [text[end : span.start], self._surrogate(span.kind, value)]
            end = span.end
        return "".join([*parts, text[end:]])

    def _whole(self, text: str) -> str:
        return self._surrogate(SENSITIVE, text) if text.strip() else text

    def _surrogate(self, kind: str, text: str) -> str:
        self.counts[kind] += 1
        if kind == SENSITIVE:
            found = find_personal_data(text, PERSONAL_KINDS)
            whole = len(found) == 1 and (found[0].start, found[0].end) == (0, len(text))
            kind = found[0].kind if whole else SENSITIVE
        return self._surrogates.of(kind, text)


def key_in(path: Path) -> bytes:
    """The key of a recipe's surrogates, made at first use for its owner alone. Raises SourceError."""
    try:
        if not path.exists():
            _make_key(path)
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except OSError as error:
        raise SourceError(
            f"{path}: cannot be read or written: {error.strerror}; it holds the key of redacted data"
        ) from None
    except ValueError:
        key = b""
    if len(key) != _KEY_BYTES:
        raise SourceError(
            f"{path}: no key of {2 * _KEY_BYTES} hexadecimal digits; delete it, and the next run makes other "
            "surrogates"
        )
    return key


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Whoever has the key and the surrogates can try originals: it must not come into a repository.
    (path.parent / ".gitignore").write_text("*\n", encoding="ascii")
    handle, name = tempfile.mkstemp(dir=path.parent)  # mode 0600
    with os.fdopen(handle, "w", encoding="ascii") as file:
        file.write(secrets.token_hex(_KEY_BYTES) + "\n")
    try:
        os.link(name, path)
    except FileExistsError:
        pass  # Another process was first: its key holds.
    finally:
        Path(name).unlink()


def _changed(value: Any, change: Callable[[str], str]) -> Any:
    """A JSON value with its texts changed, and its whole numbers where they are changed as text."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, int) and not isinstance(value, bool):
        text = change(str(value))
        return value if text == str(value) else int(characters_of(text))
    if isinstance(value, Mapping):
        return {name: _changed(inner, change) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_changed(inner, change) for inner in value]
    return value


def _texts(value: Any) -> list[str]:
    """The texts and whole numbers within a JSON value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [text for inner in value for text in _texts(inner)]
    return [str(value)] if isinstance(value, str | int) and not isinstance(value, bool) else []


def _any_of(values: set[str]) -> re.Pattern[str] | None:
    """Matches one of these values as whole words, whatever their case."""
    if not values:
        return None
    longest_first = sorted(values, key=lambda value: (-len(value), value))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)", re.IGNORECASE)
