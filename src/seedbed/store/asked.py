"""Which contents a filter has asked a model about in a run: its share of replies of a whole workspace.

Such replies stand in the log under what they look at, whichever run asked, so that the log
alone cannot say whose they are. A run notes a content here before its first question about it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path

from seedbed.core.errors import StoreError
from seedbed.core.hashing import DIGEST_BYTES


class AskedContents:
    """A file of scopes, 16 bytes each, that only grows; a torn end is taken for not written."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._known: set[bytes] | None = None

    def read(self) -> set[bytes]:
        """The scopes noted so far. Raises StoreError where the file cannot be read."""
        try:
            data = self._path.read_bytes()
        except FileNotFoundError:
            return set()
        except OSError as error:
            raise StoreError(f"{self._path}: cannot be read: {error.strerror}") from error
        whole = len(data) - len(data) % DIGEST_BYTES
        return {data[at : at + DIGEST_BYTES] for at in range(0, whole, DIGEST_BYTES)}

    def note(self, scopes: Iterable[bytes]) -> None:
        """Add those that are new; on disk when this returns. The file has one writer."""
        if self._known is None:
            self._known = self.read()
        new = [scope for scope in dict.fromkeys(scopes) if scope not in self._known]
        if not new:
            return
        try:
            self._path.parent.mkdir(exist_ok=True)
            with self._path.open("ab") as file:
                file.truncate(file.tell() - file.tell() % DIGEST_BYTES)
                file.write(b"".join(new))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise StoreError(
                f"{self._path}: cannot be written: {error.strerror}; free space or fix permissions"
            ) from error
        self._known.update(new)
