"""HTTP by libcurl, and what goes wrong below HTTP told apart.

All requests of a run share one core with everything else that it does; of the clients for asyncio that
are mature this one takes the least of it (docs/architecture.md, "The HTTP client").
"""

from __future__ import annotations

import math
import os
import socket
import ssl
import sys
import zlib
from collections.abc import Iterator, Mapping, Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pycurl

from seedbed.models.transfers import Transfers

CONNECT_SECONDS = 7.0
"""For the name's lookup, the connection and the handshake of TLS."""

# Bytes of a body once unpacked. The longest replies are far below the first; errors and lists of
# models, which are only quoted from, below the second.
LARGEST_REPLY = 64 << 20
LARGEST_NOTICE = 1 << 20

# Connections that are kept for the next request, of any number in use, and for how long.
_MOST_IDLE = 4096
_IDLE_SECONDS = 15
# libcurl does not see that a connection has ended which was used within the latest second. From so many
# requests lost in that way on, and one in ten of all, each has a connection of its own.
_LOST_REQUESTS = 3

_UNTRUSTED = frozenset(
    {
        pycurl.E_SSL_CONNECT_ERROR,
        pycurl.E_PEER_FAILED_VERIFICATION,
        pycurl.E_SSL_CACERT_BADFILE,
        pycurl.E_SSL_CERTPROBLEM,
        pycurl.E_SSL_CIPHER,
        pycurl.E_SSL_ISSUER_ERROR,
        pycurl.E_SSL_INVALIDCERTSTATUS,
    }
)
_NOT_HTTP = frozenset({pycurl.E_UNSUPPORTED_PROTOCOL, pycurl.E_FTP_WEIRD_SERVER_REPLY})
_UNREACHABLE = frozenset({pycurl.E_COULDNT_CONNECT, pycurl.E_COULDNT_RESOLVE_HOST})

Kind = Literal[
    "no_address", "unreachable", "untrusted", "timeout", "reset", "cut_short", "not_http", "too_large"
]


class HttpFailure(Exception):
    """There is no whole response. The text says why, in the words of the system or of libcurl.

    `no_address`: nothing that could be asked. `unreachable`: no connection, for as long as may be waited for
    one, and nothing was sent. `untrusted`: no TLS connection that could be trusted. `timeout`: no whole
    response in time. `reset`: the connection ended without a
    response, `cut_short`: in the middle of one. `not_http`: what came is none. `too_large`: a body is
    longer than what is taken; `status` is that of its response.
    """

    def __init__(self, kind: Kind, detail: str, status: int | None = None) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status = status


class Headers(Mapping[str, str]):
    """The header of a response, by names in any case. It is read only where it is asked for anything."""

    def __init__(self, lines: Sequence[bytes]) -> None:
        self._lines = lines
        self._read: dict[str, str] | None = None

    def _fields(self) -> dict[str, str]:
        if self._read is None:
            self._read = {}
            for line in self._lines:
                if _is_status(line):  # what came before it was an interim response
                    self._read = {}
                name, colon, value = line.decode("latin-1").partition(":")
                if colon:
                    self._read.setdefault(name.strip().lower(), value.strip())
        return self._read

    def __getitem__(self, name: str) -> str:
        return self._fields()[name.lower()]

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields())

    def __len__(self) -> int:
        return len(self._fields())


class Response(NamedTuple):
    """`body` is unpacked."""

    status: int
    headers: Headers
    body: bytes


class HttpClient:
    """Requests with the same `headers`, from the event loop of the first of them.

    A whole request may take `timeout` seconds. Redirects are not followed, and neither proxies nor
    anything else is taken from the environment but where trusted certificates stand (SSL_CERT_FILE,
    SSL_CERT_DIR). Credentials in a URL are sent as basic authentication.
    """

    def __init__(self, headers: Mapping[str, str], timeout: float) -> None:
        # libcurl asks leave for a large body unless told otherwise, and waits a second for it.
        sent = {"User-Agent": "seedbed", "Accept-Encoding": "gzip", **headers}
        self._headers = [f"{name}: {value}" for name, value in sent.items()] + ["Expect:"]
        self._timeout = timeout
        self._idle: list[_Handle] = []
        self._requests = self._lost = 0
        self._transfers: Transfers | None = None

    async def post(self, url: str, data: bytes) -> Response:
        """Raises HttpFailure."""
        handle = self._idle.pop() if self._idle else self._new_post()
        handle.curl.setopt(pycurl.POSTFIELDSIZE_LARGE, len(data))
        self._requests += 1
        if self._lost >= max(_LOST_REQUESTS, self._requests // 10):
            handle.curl.setopt(pycurl.FRESH_CONNECT, 1)
            handle.curl.setopt(pycurl.FORBID_REUSE, 1)
        response = await self._perform(handle, url, self._timeout, LARGEST_REPLY, data)
        self._idle.append(handle)
        return response

    async def get(self, url: str, timeout: float | None = None) -> Response:
        """The response, whose body may have LARGEST_NOTICE bytes. Raises HttpFailure."""
        seconds = self._timeout if timeout is None else timeout
        return await self._perform(self._new(seconds), url, seconds, LARGEST_NOTICE)

    async def close(self) -> None:
        """Cancels what is under way."""
        if self._transfers is not None:
            self._transfers.close()
        for handle in self._idle:
            handle.curl.close()
        self._idle.clear()

    def _new_post(self) -> _Handle:
        handle = self._new(self._timeout)
        handle.curl.setopt(pycurl.POST, 1)
        # Read from, where bytes could be set: those libcurl sends a second time by itself, uncounted and
        # perhaps paid for twice, where a connection that was used before ends without an answer.
        handle.curl.setopt(pycurl.READFUNCTION, handle.exchange.read)
        return handle

    def _new(self, timeout: float) -> _Handle:
        handle = _Handle(pycurl.Curl(), _Exchange())
        for option, value in (
            (pycurl.HTTPHEADER, self._headers),
            (pycurl.HTTP_VERSION, pycurl.CURL_HTTP_VERSION_1_1),
            (pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS),
            (pycurl.PROXY, ""),
            (pycurl.PATH_AS_IS, 1),
            (pycurl.CONNECTTIMEOUT_MS, round(1000 * CONNECT_SECONDS)),
            (pycurl.TIMEOUT_MS, math.ceil(1000 * timeout)),
            (pycurl.MAXAGE_CONN, _IDLE_SECONDS),
            (pycurl.TCP_KEEPALIVE, 1),
            (pycurl.NOSIGNAL, 1),
            (pycurl.OPENSOCKETFUNCTION, _open_socket),
            (pycurl.SOCKOPTFUNCTION, _keep_from_programs),
            (pycurl.WRITEFUNCTION, handle.exchange.take),
            *_trust(),
        ):
            handle.curl.setopt(option, value)
        return handle

    async def _perform(
        self, handle: _Handle, url: str, timeout: float, largest: int, data: bytes = b""
    ) -> Response:
        if self._transfers is None:
            self._transfers = Transfers(_MOST_IDLE)
        curl, exchange = handle
        head = exchange.begin(data, largest)
        curl.setopt(pycurl.URL, url)
        curl.setopt(pycurl.HEADERFUNCTION, head.append)
        try:
            await self._transfers.perform(curl)
        except pycurl.error as error:
            self._lost += error.args[0] == pycurl.E_SEND_FAIL_REWIND
            raise _failure(handle, error, timeout) from None
        if not exchange.whole():
            raise HttpFailure("cut_short", "the connection ended")
        status: int = curl.getinfo(pycurl.RESPONSE_CODE)
        return Response(status, Headers(head), exchange.end())


class _Handle(NamedTuple):
    """What libcurl knows a request by, and what it calls. They make no circle, so that they are gone as soon
    as nobody holds them."""

    curl: Any
    exchange: _Exchange


class _Exchange:
    """What libcurl reads of a request, and what it tells of the response: its head by lines, and its body.

    The body is unpacked here, as it comes, for a small one may hold gigabytes: libcurl gives up an answer
    whose coding it does not know, while some servers name one there that is none.
    """

    def __init__(self) -> None:
        self.too_large = False
        self.broken = False
        self.head: list[bytes] = []
        self._body = BytesIO()
        self._parts: list[bytes] = []
        self._size = 0
        self._largest = 0
        self._begun = False
        self._unpack: Any = None

    def begin(self, data: bytes, largest: int) -> list[bytes]:
        """For a request of this body; the list takes up the lines of the response's head."""
        self._body, self._largest, self._size, self.head = BytesIO(data), largest, 0, []
        self._begun, self._unpack = False, None
        return self.head

    def read(self, size: int) -> bytes:
        return self._body.read(size)

    def take(self, part: bytes) -> int | None:
        """libcurl gives up where not the whole part is taken; None takes it."""
        if not self._begun:
            self._begun = True
            if b"content-encoding:" in b"".join(self.head).lower():
                coding = Headers(self.head).get("content-encoding", "").lower()
                self._unpack = zlib.decompressobj(_ANY_HEADER) if coding in _CODINGS else None
        try:
            return self._keep(part) if self._unpack is None else self._unpacked(part)
        except zlib.error:
            self.broken = True
            return 0

    def _unpacked(self, part: bytes) -> int | None:
        while part:
            if self._unpack.eof:  # a packed body may be several, one after the other
                self._unpack = zlib.decompressobj(_ANY_HEADER)
            if self._keep(self._unpack.decompress(part, LARGEST_NOTICE)) is not None:
                return 0
            part = self._unpack.unconsumed_tail or self._unpack.unused_data
        return None

    def _keep(self, part: bytes) -> int | None:
        self._size += len(part)
        if self._size > LARGEST_NOTICE and self._size > self.most:
            self.too_large = True
            return 0
        self._parts.append(part)
        return None

    def whole(self) -> bool:
        """Whether the head has its end, and a packed body too."""
        if self._unpack is not None and not self._unpack.eof:
            return False
        if self.head[-1] == b"\r\n":
            return True
        last = max(at for at, line in enumerate(self.head) if _is_status(line))
        return any(not line.strip() for line in self.head[last:])  # behind it a body may have trailers

    def end(self) -> bytes:
        """The body of the response; what there was of either is held no longer."""
        body = b"".join(self._parts)
        self._body, self._parts, self.head = BytesIO(), [], []
        return body

    @property
    def status(self) -> int:
        """The response's, from its head: libcurl tells it only when it is done."""
        return int(next(line for line in reversed(self.head) if _is_status(line)).split()[1])

    @property
    def most(self) -> int:
        """Bytes that may be taken of a body."""
        return self._largest if self.status < 300 else LARGEST_NOTICE


_CODINGS = ("gzip", "x-gzip", "deflate")
_ANY_HEADER = zlib.MAX_WBITS | 32  # of gzip or zlib


def _is_status(line: bytes) -> bool:
    return line[:5].upper() == b"HTTP/"


class _Socket(socket.socket):
    """libcurl works on a copy of it; this one is closed with the object."""

    def __del__(self) -> None:
        self.close()


def _open_socket(purpose: int, address: Any) -> socket.socket:
    """A socket, of whose connecting Python's audit hooks are told as of that of any other."""
    opened = _Socket(address.family, address.socktype, address.protocol)
    sys.audit("socket.connect", opened, address.addr)
    return opened


def _keep_from_programs(descriptor: int, purpose: int) -> int:
    """A program that this process starts gets no connection of ours."""
    os.set_inheritable(descriptor, False)
    return pycurl.SOCKOPT_OK  # type: ignore[no-any-return]


def _trust() -> list[tuple[int, Any]]:
    """Where certificates are that Python trusts; libcurl's own idea of it is that of who built it."""
    paths = ssl.get_default_verify_paths()
    file = os.environ.get(paths.openssl_cafile_env) or paths.openssl_cafile
    folders = os.environ.get(paths.openssl_capath_env) or paths.openssl_capath
    trusted: list[tuple[int, Any]] = []
    if Path(file).exists():
        trusted.append((pycurl.CAINFO, file))
    if any(Path(folder).is_dir() for folder in folders.split(os.pathsep)):
        trusted.append((pycurl.CAPATH, folders))
    if sys.platform in ("win32", "darwin"):  # what the system's own store holds, too
        trusted.append((pycurl.SSL_OPTIONS, pycurl.SSLOPT_NATIVE_CA))
    return trusted


def _failure(handle: _Handle, error: pycurl.error, timeout: float) -> HttpFailure:
    (curl, exchange), (code, said) = handle, error.args
    if exchange.too_large:
        return HttpFailure("too_large", f"more than {exchange.most >> 20} MiB", exchange.status)
    if exchange.broken:
        return HttpFailure("cut_short", "its body cannot be unpacked", exchange.status)
    if code == pycurl.E_URL_MALFORMAT:
        return HttpFailure("no_address", said)
    if code in _UNREACHABLE:
        number = curl.getinfo(pycurl.OS_ERRNO) if code == pycurl.E_COULDNT_CONNECT else 0
        return HttpFailure("unreachable", os.strerror(number) if number else said)
    if code == pycurl.E_OPERATION_TIMEDOUT:
        if curl.getinfo(pycurl.REQUEST_SIZE):
            return HttpFailure("timeout", f"no whole answer within {timeout:g} s")
        return HttpFailure("unreachable", f"no connection within {min(timeout, CONNECT_SECONDS):g} s")
    if code in _UNTRUSTED:
        # A connection that ends in the middle of the handshake says nothing about trust.
        ended = code == pycurl.E_SSL_CONNECT_ERROR and (
            "unexpected eof" in said or curl.getinfo(pycurl.OS_ERRNO)
        )
        return HttpFailure("unreachable" if ended else "untrusted", said)
    if code in _NOT_HTTP:
        return HttpFailure("not_http", said)
    if exchange.head:
        return HttpFailure("cut_short", said)
    return HttpFailure("reset", said)
