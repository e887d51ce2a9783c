"""Messages between processes: one byte of kind, four of length, a body of JSON or of bytes to pass on."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from typing import Any

_HEAD = struct.Struct("<cI")

# Of a frame from whoever may be trusted not to send a longer one; what a program says has a limit of its own.
LARGEST = 64 << 20

# From outside to the zygote, and back. `MESSAGE` is between a child and whoever drives it.
START, KILL, MESSAGE = b"S", b"K", b"M"
READY, ENDED = b"R", b"E"


class Gone(Exception):
    """The other side is no more."""


class TooLong(Gone):
    """It may be there still, but what it says is longer than it may be."""


def frame(kind: bytes, body: bytes) -> bytes:
    return _HEAD.pack(kind, len(body)) + body


def packed(value: Any) -> bytes:
    """ASCII throughout: also what is no Unicode, as a lone surrogate, has a form in it."""
    return json.dumps(value, separators=(",", ":")).encode("ascii")


def unpacked(body: bytes) -> Any:
    return json.loads(body)


def read_frame(read: Callable[[int], bytes], largest: int) -> tuple[bytes, bytes]:
    """One frame from `read(most)`, as `os.read` or `recv`. Raises Gone, TooLong for a body over `largest`."""
    kind, length = _HEAD.unpack(_read_exactly(read, _HEAD.size))
    if length > largest:
        raise TooLong(f"a message of {length} bytes")
    return kind, _read_exactly(read, length)


def _read_exactly(read: Callable[[int], bytes], length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        part = read(min(length - len(parts), 1 << 20))
        if not part:
            raise Gone("the other side is gone")
        parts += part
    return bytes(parts)
