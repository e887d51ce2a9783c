"""Frames between the eval lock and its clients: four bytes of length (big-endian), then JSON."""

from __future__ import annotations

import socket
import struct
from typing import Any

import orjson

_LENGTH = struct.Struct(">I")
LARGEST_FRAME = 1 << 30


class BrokenFrame(ConnectionError):
    """The other side ended within a frame, or announced one that is too large."""


def send(connection: socket.socket, value: Any) -> None:
    data = _to_json(value)
    connection.sendall(_LENGTH.pack(len(data)) + data)


def receive(connection: socket.socket, largest: int = LARGEST_FRAME) -> Any:
    """The next value; None where the other side closed between two frames. Raises BrokenFrame."""
    head = _read(connection, _LENGTH.size)
    if not head:
        return None
    if len(head) < _LENGTH.size:
        raise BrokenFrame("ended within a frame")
    (length,) = _LENGTH.unpack(head)
    if length > largest:
        raise BrokenFrame("frame too large")
    data = _read(connection, length)
    if len(data) < length:
        raise BrokenFrame("ended within a frame")
    return orjson.loads(data)


def _read(connection: socket.socket, length: int) -> bytes:
    """`length` bytes, or fewer where the other side closed."""
    data = bytearray()
    while len(data) < length:
        part = connection.recv(min(length - len(data), 1 << 20))
        if not part:
            break
        data += part
    return bytes(data)


def _to_json(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:
        # Model output may hold lone surrogates, which JSON in UTF-8 cannot. Normalising turns them
        # and the question mark alike into a space, so that the answer is the same.
        return orjson.dumps(_without_surrogates(value))


def _without_surrogates(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, list | tuple):
        return [_without_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {key: _without_surrogates(item) for key, item in value.items()}
    return value
