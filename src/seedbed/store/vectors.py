"""Vectors of texts, kept by the workspace so that no text is embedded, and paid for, twice.

A SQLite file beside the reply log and apart from it: it can be deleted at any time and only costs asking
again. One row a text, keyed by (model, revision) and the hash of the text, which is itself not kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from seedbed.core.errors import StoreError
from seedbed.core.hashing import digest
from seedbed.store.reply_file import BUSY_SECONDS, store_error, use_write_ahead_log
from seedbed.store.shared_file import SharedFile

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

WHAT = "vector cache"
APPLICATION = 0x53656576  # "Seev"
VERSION = 1
_SCHEMA = f"""
BEGIN IMMEDIATE;
CREATE TABLE IF NOT EXISTS vectors (
  id INTEGER PRIMARY KEY,
  model BLOB NOT NULL,
  text BLOB NOT NULL,
  vector BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS vectors_key ON vectors (model, text);
PRAGMA application_id = {APPLICATION};
PRAGMA user_version = {VERSION};
COMMIT;
"""
_ADD = "INSERT INTO vectors (model, text, vector) VALUES (?, ?, ?) ON CONFLICT (model, text) DO NOTHING"
_TEXTS_A_QUERY = 10_000  # SQLite takes 32,766 variables


def text_key(text: str) -> bytes:
    return digest("embedded text", text)


def model_key(model: str, revision: str | None) -> bytes:
    return digest("embedder", [model, revision])


class VectorCache(SharedFile):
    """The cache of one workspace, for any number of processes at a time.

    Writes are awaited and return when their rows are on disk. Raises StoreError naming the file.
    """

    what = WHAT

    @staticmethod
    def connect(path: Path) -> sqlite3.Connection:
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            db = sqlite3.connect(path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        except OSError as error:
            raise StoreError(f"{path}: {WHAT}: its folder cannot be made: {error.strerror}") from error
        except sqlite3.Error as error:
            raise store_error(path, error, WHAT) from error
        try:
            version = db.execute("PRAGMA user_version").fetchone()[0]
            application = db.execute("PRAGMA application_id").fetchone()[0]
            if version > VERSION or (version and application != APPLICATION):
                raise StoreError(
                    f"{path}: no {WHAT} that this Seedbed reads; delete it: its texts are then embedded again"
                )
            use_write_ahead_log(db, path, WHAT)
            db.execute("PRAGMA synchronous = FULL")
            if version < VERSION:
                db.executescript(_SCHEMA)
        except sqlite3.Error as error:
            db.close()
            raise store_error(path, error, WHAT) from error
        except StoreError:
            db.close()
            raise
        return db

    def get(self, model: bytes, texts: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """The vectors there are, by the key of their text."""
        import numpy as np

        found: dict[bytes, NDArray[np.float32]] = {}
        with self._lock:
            for start in range(0, len(texts), _TEXTS_A_QUERY):
                portion = texts[start : start + _TEXTS_A_QUERY]
                query = f"SELECT text, vector FROM vectors WHERE model = ? AND text IN ({_marks(portion)})"
                try:
                    rows = self._reader.execute(query, (model, *portion)).fetchall()
                except sqlite3.Error as error:
                    raise store_error(self.path, error, WHAT) from error
                found.update((text, np.frombuffer(vector, dtype="<f4")) for text, vector in rows)
        return found

    async def add(self, model: bytes, vectors: Mapping[bytes, NDArray[np.float32]]) -> None:
        """Keep these; what is there already stays. On disk when this returns."""
        rows = [(model, text, vector.astype("<f4").tobytes()) for text, vector in vectors.items()]
        await self._commits.submit(_ADD, rows)


def _marks(values: Sequence[object]) -> str:
    return ",".join("?" * len(values))
