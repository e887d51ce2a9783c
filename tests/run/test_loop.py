"""The loop of a run writes a request's body at once, as aiohttp has it from Python 3.12 on."""

from __future__ import annotations

import asyncio
import sys

import aiohttp
import pytest

from seedbed.run import loop as run_loop
from seedbed.run.loop import run_in_loop

only_before_3_12 = pytest.mark.skipif(
    sys.version_info >= (3, 12) or sys.platform == "win32",
    reason="aiohttp does it there, or there is no uvloop",
)
LARGE = b"x" * 900_000  # the transport holds 65,536 of them back
LARGER = b"x" * 20_000_000  # the sockets hold less; aiohttp warns past a million


class ClientRequest:
    """Has a coroutine that is called as aiohttp's is."""

    def __init__(self, waits: float = 0.0) -> None:
        self.steps: list[str] = []
        self._waits = waits

    async def write_bytes(self) -> str:
        self.steps.append("begun")
        try:
            if self._waits:
                await asyncio.sleep(self._waits)
        except asyncio.CancelledError:
            self.steps.append("cancelled")
            raise
        self.steps.append("written")
        return "sent"


def test_the_name_is_the_one_that_aiohttp_has() -> None:
    assert aiohttp.ClientRequest.write_bytes.__qualname__ == ClientRequest.write_bytes.__qualname__
    assert ClientRequest.write_bytes.__qualname__ == run_loop._WRITES


@only_before_3_12
def test_what_waits_for_nothing_is_done_before_the_next_turn() -> None:
    async def main() -> tuple[list[str], bool, str]:
        request = ClientRequest()
        task = asyncio.create_task(request.write_bytes())
        return request.steps, task.done(), await task

    assert run_in_loop(main()) == (["begun", "written"], True, "sent")


@only_before_3_12
def test_what_waits_goes_on_as_a_task() -> None:
    async def main() -> tuple[list[str], str]:
        request = ClientRequest(waits=0.01)
        task = asyncio.create_task(request.write_bytes())
        begun = [*request.steps]
        return begun, await task

    assert run_in_loop(main()) == (["begun"], "sent")


@only_before_3_12
def test_a_cancellation_reaches_what_waits() -> None:
    async def main() -> list[str]:
        request = ClientRequest(waits=60)
        task = asyncio.create_task(request.write_bytes())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return request.steps

    assert run_in_loop(main()) == ["begun", "cancelled"]


def test_other_tasks_begin_in_the_next_turn() -> None:
    async def main() -> list[str]:
        steps: list[str] = []

        async def other() -> None:
            steps.append("begun")

        task = asyncio.create_task(other())
        before = [*steps]
        await task
        return before

    assert run_in_loop(main()) == []


def test_a_body_that_no_socket_holds_arrives_whole() -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        missing = int(head.lower().split(b"content-length:")[1].split()[0])
        parts = []
        while missing:
            part = await reader.read(min(missing, 1_000_000))
            parts.append(part)
            missing -= len(part)
            await asyncio.sleep(0.001)
        body = str(b"".join(parts) == LARGE).encode()
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
        await writer.drain()
        writer.close()

    async def main() -> bytes:
        async with await asyncio.start_server(slowly, "127.0.0.1") as server:
            port = server.sockets[0].getsockname()[1]
            async with (
                aiohttp.ClientSession() as session,
                session.post(f"http://127.0.0.1:{port}/", data=aiohttp.BytesPayload(LARGE)) as response,
            ):
                return await response.read()

    assert run_in_loop(main()) == b"True"


@pytest.mark.filterwarnings("ignore:Sending a large body:ResourceWarning")
def test_a_server_that_reads_nothing_costs_the_timeout_and_no_more() -> None:
    async def main() -> None:
        never = asyncio.Event()

        async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await never.wait()
            writer.close()

        async with await asyncio.start_server(deaf, "127.0.0.1", limit=1024) as server:
            port = server.sockets[0].getsockname()[1]
            timeout = aiohttp.ClientTimeout(total=0.2)
            async with aiohttp.ClientSession(timeout=timeout) as session:
                with pytest.raises(TimeoutError):
                    await session.post(f"http://127.0.0.1:{port}/", data=aiohttp.BytesPayload(LARGER))
            never.set()

    run_in_loop(asyncio.wait_for(main(), 10))
