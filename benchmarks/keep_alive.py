"""The least of HTTP/1.1 that the fake endpoints of the benchmarks need."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod


class KeepAlive(asyncio.Protocol, ABC):
    """A connection that stays open, one request at a time."""

    def __init__(self) -> None:
        self._buffer = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            at = head.find(b"content-length:")
            stop = head.find(b"\r\n", at)
            size = int(head[at + 15 : stop if stop > 0 else None]) if at >= 0 else 0
            if len(self._buffer) < end + 4 + size:
                return
            body = self._buffer[end + 4 : end + 4 + size]
            self._buffer = self._buffer[end + 4 + size :]
            self.handle(head, body)

    @abstractmethod
    def handle(self, head: bytes, body: bytes) -> None:
        """A whole request: its head in small letters, without the empty line, and its body."""

    def send(self, body: bytes, status: int = 200, reason: bytes = b"OK", headers: bytes = b"") -> None:
        """Answer with JSON; nothing where the client has gone."""
        if self._transport is not None:
            head = b"HTTP/1.1 %d %s\r\nContent-Type: application/json\r\n%sContent-Length: %d\r\n\r\n"
            self._transport.write(head % (status, reason, headers, len(body)) + body)
