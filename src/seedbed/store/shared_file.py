"""An SQLite file that any number of processes read and write: one connection writes in groups, one reads."""

from __future__ import annotations

import sqlite3
import threading
from abc import ABC, abstractmethod
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from seedbed.core.errors import StoreError
from seedbed.store.group_commit import GroupCommit


class SharedFile(ABC):
    """A subclass says what the file is called in errors, and how it is opened. Use as a context manager."""

    what: ClassVar[str]

    def __init__(self, path: Path, writer: sqlite3.Connection, reader: sqlite3.Connection) -> None:
        self.path = path
        self._commits = GroupCommit(writer, path, self.what)
        self._reader = reader
        self._lock = threading.Lock()  # for whatever may not serve two threads at once, the reader first

    @staticmethod
    @abstractmethod
    def connect(path: Path) -> sqlite3.Connection:
        """A connection to the file, which is made where there is none. Raises StoreError."""

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open the file, or begin one. Raises StoreError, also where a newer version wrote it."""
        writer = cls.connect(path)
        try:
            reader = cls.connect(path)
        except StoreError:
            writer.close()
            raise
        return cls(path, writer, reader)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Commit what is under way and let go of the file. May be called again."""
        self._commits.close()
        with self._lock:
            self._reader.close()
