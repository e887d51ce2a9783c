"""HTTP by libcurl: what it does by itself, and must not, where requests are counted and paid for."""

from __future__ import annotations

import asyncio
import gc
import gzip
import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pycurl
import pytest

from seedbed.models.http import HttpClient, HttpFailure

Serve = Callable[["Connection"], Awaitable[None]]


class Connection:
    """A connection as the server has it; `number` counts them."""

    def __init__(self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.number = number
        self._reader = reader
        self._writer = writer

    async def request(self) -> tuple[str, bytes]:
        """Its head, in lower case, and its body. Raises IncompleteReadError where the client has gone."""
        head = (await self._reader.readuntil(b"\r\n\r\n")).decode().lower()
        lengths = [int(line.split(":")[1]) for line in head.splitlines() if line.startswith("content-length")]
        return head, await self._reader.readexactly(sum(lengths))

    async def hello(self) -> None:
        """The beginning of TLS."""
        await self._reader.read(1 << 16)

    async def say(self, text: bytes) -> None:
        self._writer.write(text)
        await self._writer.drain()

    async def answer(self, body: bytes = b"yes", head: str = "") -> None:
        await self.say(f"HTTP/1.1 200 OK\r\n{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)


async def answers(here: Connection) -> None:
    """Answers one request, and ends the connection."""
    await here.request()
    await here.answer()


@asynccontextmanager
async def serving(serve: Serve, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    connections = 0

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        try:
            await serve(Connection(connections, reader, writer))
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            writer.close()

    async with await asyncio.start_server(handle, "127.0.0.1", ssl=tls) as server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


@asynccontextmanager
async def client(timeout: float = 5.0) -> AsyncIterator[HttpClient]:
    made = HttpClient({}, timeout)
    try:
        yield made
    finally:
        await made.close()


def test_a_connection_serves_again_and_what_it_swallows_is_sent_once() -> None:
    """libcurl would ask a second time where a connection that was used before ends without an answer."""
    asked: list[tuple[int, bytes]] = []

    async def serve(here: Connection) -> None:
        while True:
            _, body = await here.request()
            asked.append((here.number, body))
            if body == b"2":
                return
            await here.answer()

    async def main() -> None:
        async with serving(serve) as place, client() as http:
            assert (await http.post(f"http://{place}", b"1")).body == b"yes"
            with pytest.raises(HttpFailure) as caught:
                await http.post(f"http://{place}", b"2")
            assert caught.value.kind == "reset"
            assert (await http.post(f"http://{place}", b"3")).body == b"yes"

    asyncio.run(main())
    assert asked == [(1, b"1"), (1, b"2"), (2, b"3")]


def test_a_connection_that_ended_while_it_was_idle_is_not_asked() -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.answer(str(here.number).encode())

    async def main() -> list[bytes]:
        async with serving(serve) as place, client() as http:
            bodies = []
            for _ in range(2):
                bodies.append((await http.post(f"http://{place}", b"1")).body)
                await asyncio.sleep(1.2)  # within a second libcurl does not look
            return bodies

    assert asyncio.run(main()) == [b"1", b"2"]


def test_a_server_that_ends_every_connection_is_soon_asked_by_new_ones() -> None:
    async def main() -> list[str]:
        async with serving(answers) as place, client() as http:
            lost: list[str] = []
            for _ in range(40):
                try:
                    await http.post(f"http://{place}", b"1")
                except HttpFailure as failure:
                    lost.append(failure.kind)
                await asyncio.sleep(0.01)
            return lost

    assert asyncio.run(main()) == ["reset"] * 3


@pytest.mark.parametrize("head", ["200 OK", "400 Bad Request", "404 Not Found", "429 Slow Down"])
def test_a_head_without_its_end_is_no_response(head: str) -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.say(f"HTTP/1.1 {head}\r\nContent-Type: app".encode())

    async def main() -> str:
        async with serving(serve) as place, client() as http:
            with pytest.raises(HttpFailure) as caught:
                await http.post(f"http://{place}", b"1")
            return caught.value.kind

    assert asyncio.run(main()) == "cut_short"


TWICE = gzip.compress(b"one, ") + gzip.compress(b"two")


@pytest.mark.parametrize(
    ("coding", "sent", "read"),
    [
        ("gzip", TWICE, b"one, two"),
        ("GZIP", TWICE[:-3], None),
        ("gzip", b"plain", None),
        ("deflate", zlib.compress(b"packed"), b"packed"),
        ("utf-8", b"plain", b"plain"),
        ("identity", b"plain", b"plain"),
    ],
)
def test_bodies_are_unpacked(coding: str, sent: bytes, read: bytes | None) -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.answer(sent, f"Content-Encoding: {coding}\r\n")

    async def main() -> bytes:
        async with serving(serve) as place, client() as http:
            return (await http.post(f"http://{place}", b"1")).body

    if read is not None:
        assert asyncio.run(main()) == read
        return
    with pytest.raises(HttpFailure) as caught:
        asyncio.run(main())
    assert caught.value.kind == "cut_short"


def test_trailers_are_no_second_head() -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.say(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nyes\r\n0\r\nX: y\r\n\r\n")

    async def main() -> bytes:
        async with serving(serve) as place, client() as http:
            return (await http.post(f"http://{place}", b"1")).body

    assert asyncio.run(main()) == b"yes"


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere a full queue refuses")
def test_who_takes_no_connection_is_unreachable() -> None:
    """Nothing was sent, and nothing can have been paid for."""
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen(0)
        waiting = [socket.socket() for _ in range(4)]
        for each in waiting:
            each.setblocking(False)
            each.connect_ex(busy.getsockname())

        async def main() -> HttpFailure:
            async with client(timeout=0.5) as http:
                with pytest.raises(HttpFailure) as caught:
                    await http.post(f"http://127.0.0.1:{busy.getsockname()[1]}", b"1")
                return caught.value

        failure = asyncio.run(main())
        for each in waiting:
            each.close()
    assert (failure.kind, str(failure)) == ("unreachable", "no connection within 0.5 s")


def test_who_waits_shortly_does_so_beside_one_who_waits_long() -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.request()  # which never comes

    async def main() -> tuple[str, bool, str]:
        async with serving(serve) as place, client(2.0) as http:
            long = asyncio.ensure_future(http.post(f"http://{place}", b"1"))
            await asyncio.sleep(0.1)
            with pytest.raises(HttpFailure) as first:
                await http.get(f"http://{place}", 0.2)
            waits = not long.done()
            with pytest.raises(HttpFailure) as second:
                await long
            return str(first.value), waits, str(second.value)

    whole = "no whole answer within {} s"
    assert asyncio.run(main()) == (whole.format(0.2), True, whole.format(2))


def test_what_is_no_address_is_told() -> None:
    async def main() -> str:
        async with client() as http:
            with pytest.raises(HttpFailure) as caught:
                await http.post("http://{host}:8000/v1", b"1")
            return caught.value.kind

    assert asyncio.run(main()) == "no_address"


@pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
def test_programs_inherit_no_connection() -> None:
    async def main() -> list[bool]:
        mine = Path("/proc/self/fd")
        before = set(mine.iterdir())
        async with serving(answers) as place, client() as http:
            await http.post(f"http://{place}", b"1")
            new = [each for each in set(mine.iterdir()) - before if each.exists()]
            return [os.get_inheritable(int(each.name)) for each in new]

    inherited = asyncio.run(main())
    assert inherited
    assert not any(inherited)


def test_a_large_body_waits_for_no_leave() -> None:
    async def serve(here: Connection) -> None:
        head, body = await here.request()
        await here.answer(json.dumps(["expect" in head, len(body)]).encode())

    async def main() -> bytes:
        async with serving(serve) as place, client() as http:
            return (await http.post(f"http://{place}", bytes(3_000_000))).body

    assert json.loads(asyncio.run(main())) == [False, 3_000_000]


def test_the_head_is_that_of_the_response_and_of_no_interim_one() -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.say(b"HTTP/1.1 103 Early Hints\r\nRetry-After: 9\r\nLink: </a>\r\n\r\n")
        await here.answer(head="RETRY-after:  3 \r\nX-Name: \xe9\r\n")

    async def main() -> None:
        async with serving(serve) as place, client() as http:
            response = await http.post(f"http://{place}", b"")
            assert response.status == 200
            assert response.headers["Retry-After"] == "3"
            assert sorted(response.headers) == ["content-length", "retry-after", "x-name"]

    asyncio.run(main())


def test_who_is_cancelled_ends_its_request_alone() -> None:
    ended: list[int] = []

    async def serve(here: Connection) -> None:
        _, body = await here.request()
        if body == b"hang":
            try:
                await here.request()
            except asyncio.IncompleteReadError:
                ended.append(here.number)
                raise
        await asyncio.sleep(0.2)
        await here.answer()

    async def main() -> bytes:
        async with serving(serve) as place, client() as http:
            hangs = asyncio.create_task(http.post(f"http://{place}", b"hang"))
            works = asyncio.create_task(http.post(f"http://{place}", b"work"))
            await asyncio.sleep(0.1)
            hangs.cancel()
            with pytest.raises(asyncio.CancelledError):
                await hangs
            return (await works).body

    assert asyncio.run(main()) == b"yes"
    assert len(ended) == 1


def test_closing_gives_up_what_is_under_way() -> None:
    async def serve(here: Connection) -> None:
        await here.request()
        await here.request()

    async def main() -> None:
        async with serving(serve) as place:
            http = HttpClient({}, 5.0)
            asked = asyncio.create_task(http.post(f"http://{place}", b""))
            await asyncio.sleep(0.1)
            await http.close()
            with pytest.raises(asyncio.CancelledError):
                await asked

    asyncio.run(main())


def test_a_client_is_of_one_loop_and_takes_nothing_once_it_is_closed() -> None:
    async def ask(http: HttpClient, close: bool = False) -> None:
        async with serving(answers) as place:
            await http.post(f"http://{place}", b"1")
            if close:
                await http.close()
                await http.post(f"http://{place}", b"2")

    http = HttpClient({}, 5.0)
    asyncio.run(ask(http))
    with pytest.raises(RuntimeError, match="another event loop"):
        asyncio.run(ask(http))
    with pytest.raises(RuntimeError, match="libcurl takes no request"):
        asyncio.run(ask(HttpClient({}, 5.0), close=True))


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async def main() -> bytes:
        async with serving(answers) as place, client() as http:
            return (await http.get(f"http://{place}/v1")).body

    assert asyncio.run(main()) == b"yes"


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/"])
def test_nothing_but_http_is_spoken(url: str) -> None:
    async def main() -> None:
        async with client() as http:
            with pytest.raises(HttpFailure):
                await http.get(url)

    asyncio.run(main())


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for 127.0.0.1 that nobody else has signed, with its key."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is missing, which makes the certificate")
    file = tmp_path / "certificate.pem"
    named = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *named]
    subprocess.run(
        [*command, "-keyout", str(file), "-out", str(file) + ".crt"], check=True, capture_output=True
    )
    with file.open("ab") as whole:
        whole.write(Path(str(file) + ".crt").read_bytes())
    return file


ASKS = """
import asyncio, sys
from seedbed.models.http import HttpClient, HttpFailure

async def main():
    http = HttpClient({}, 5.0)
    try:
        print((await http.get(sys.argv[1])).body.decode())
    except HttpFailure as failure:
        print(failure.kind, failure)
    finally:
        await http.close()

asyncio.run(main())
"""


def asked_by_another(url: str, **environment: str) -> str:
    """What a process with these variables gets from the URL."""
    command = [sys.executable, "-c", ASKS, url]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, check=True, timeout=60
    )
    return done.stdout


def test_a_certificate_is_trusted_where_the_environment_names_it(certificate: Path) -> None:
    async def main() -> tuple[str, str]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        async with serving(answers, context) as place:
            unknown = await asyncio.to_thread(asked_by_another, f"https://{place}")
            named = await asyncio.to_thread(
                asked_by_another, f"https://{place}", SSL_CERT_FILE=str(certificate)
            )
            return unknown, named

    unknown, named = asyncio.run(main())
    assert unknown.startswith("untrusted SSL certificate")
    assert named == "yes\n"


def test_folders_of_certificates_may_be_several(certificate: Path, tmp_path: Path) -> None:
    folders = [tmp_path / "none", tmp_path / "some"]
    for folder in folders:
        folder.mkdir()
    shutil.copy(str(certificate) + ".crt", folders[1] / "own.pem")
    subprocess.run(["openssl", "rehash", str(folders[1])], check=True, capture_output=True)

    async def main() -> str:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        async with serving(answers, context) as place:
            several = os.pathsep.join(map(str, folders))
            return await asyncio.to_thread(asked_by_another, f"https://{place}", SSL_CERT_DIR=several)

    assert asyncio.run(main()) == "yes\n"


def test_what_speaks_no_tls_is_not_trusted_and_a_handshake_cut_short_may_heal() -> None:
    async def plain(here: Connection) -> None:
        await here.say(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    async def ends(here: Connection) -> None:
        await here.hello()

    async def main(serve: Serve) -> str:
        async with serving(serve) as place, client() as http:
            with pytest.raises(HttpFailure) as caught:
                await http.get(f"https://{place}")
            return caught.value.kind

    assert asyncio.run(main(plain)) == "untrusted"
    assert asyncio.run(main(ends)) == "unreachable"


def test_failures_and_cancellations_leave_nothing_behind() -> None:
    """Python looks for circles seldom in a run, and each handle of libcurl has buffers of its own."""

    async def serve(here: Connection) -> None:
        _, body = await here.request()
        if body == b"hang":
            await here.request()

    async def main() -> int:
        async with serving(serve) as place, client() as http:
            for _ in range(20):
                with pytest.raises(HttpFailure):
                    await http.post(f"http://{place}", b"")
                asked = asyncio.create_task(http.post(f"http://{place}", b"hang"))
                await asyncio.sleep(0.01)
                asked.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await asked
            await asyncio.sleep(0.01)
            return sum(isinstance(each, pycurl.Curl) for each in gc.get_objects())

    gc.collect()
    gc.disable()
    try:
        assert asyncio.run(main()) <= 1
    finally:
        gc.enable()
