"""A log that grows no further than its bound, and keeps its beginning and its end."""

from __future__ import annotations

from pathlib import Path


class BoundedLog:
    """Writes to `path`, which never has more than `most` bytes.

    Where it is full, half of what stands behind the first quarter is left out, the older half, with a line
    that says how much is missing. It can be read while it is written.
    """

    def __init__(self, path: Path, most: int) -> None:
        self._file = path.open("w+b", buffering=0)
        self._most, self._head = most, most // 4
        self._size = 0
        self._marker = b""
        self._left_out = 0

    def write(self, data: bytes) -> None:
        while data:
            room = self._most - self._size
            self._size += self._file.write(data[:room])
            data = data[room:]
            if self._size == self._most:
                self._leave_out()

    def close(self) -> None:
        self._file.close()

    def _leave_out(self) -> None:
        start = self._head + len(self._marker)
        half = (self._size - start) // 2
        self._file.seek(start + half)
        kept = self._file.read()
        self._left_out += half
        self._marker = f"\n[... {self._left_out:,} bytes left out ...]\n".encode()
        self._file.seek(self._head)
        self._size = self._head + self._file.write(self._marker + kept)
        self._file.truncate()
