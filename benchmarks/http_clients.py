"""What does an HTTP client take of a core? `python -m benchmarks.http_clients [--rows 8000] [--turns 3]`.

64 at a time ask a fake endpoint on loopback, which answers at once, from a process of their own on
uvloop: by `aiohttp`, and by `libcurl` as runs ask (`models/http.py`), in turns. Prints one JSON line a turn
and one with the medians: CPU milliseconds an answer (user and system), and answers a second.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import orjson

from benchmarks.endpoint import serving
from seedbed.models.http import HttpClient
from seedbed.run.loop import run_in_loop

AT_ONCE = 64
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer none"}

Post = Callable[[bytes], Awaitable[bytes]]


@asynccontextmanager
async def by_aiohttp(url: str) -> AsyncIterator[Post]:
    import aiohttp

    async with aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar(), headers=HEADERS
    ) as session:

        async def post(data: bytes) -> bytes:
            async with session.post(url, data=data) as response:
                return await response.read()

        yield post


@asynccontextmanager
async def by_libcurl(url: str) -> AsyncIterator[Post]:
    client = HttpClient(HEADERS, 120.0)

    async def post(data: bytes) -> bytes:
        return (await client.post(url, data)).body

    try:
        yield post
    finally:
        await client.close()


CLIENTS = {"aiohttp": by_aiohttp, "libcurl": by_libcurl}


async def ask(name: str, url: str, rows: int) -> None:
    todo = iter(range(rows))
    async with CLIENTS[name](url) as post:

        async def work() -> None:
            for at in todo:
                prompt = f"Write one short text for a support team. Variation {at}. " + "x" * 600
                body = {"model": "fake", "messages": [{"role": "user", "content": prompt}]}
                reply = orjson.loads(await post(orjson.dumps(body)))
                assert reply["choices"][0]["message"]["content"]

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))


def measured(name: str, url: str, rows: int) -> dict[str, float]:
    """In a process of its own, its start included."""
    before, begun = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    command = [sys.executable, "-m", "benchmarks.http_clients", "--ask", name, url, "--rows", str(rows)]
    subprocess.run(command, check=True, env={**os.environ, "PYTHONDONTWRITEBYTECODE": ""})
    after, seconds = resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic() - begun
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu_ms": round(1000 * cpu / rows, 3), "rate": round(rows / seconds, 1)}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, default=8_000)
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--ask", nargs=2, metavar=("CLIENT", "URL"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.ask:
        name, url = given.ask
        run_in_loop(ask(name, url, given.rows))
        return
    turns: list[dict[str, dict[str, float]]] = []
    with serving(0) as endpoint:
        url = f"{endpoint.url}/chat/completions"
        for turn in range(given.turns):
            names = list(CLIENTS) if turn % 2 == 0 else list(reversed(CLIENTS))
            turns.append({name: measured(name, url, given.rows) for name in names})
            print(json.dumps(turns[-1]), flush=True)
    medians = {
        name: {what: statistics.median(turn[name][what] for turn in turns) for what in ("cpu_ms", "rate")}
        for name in CLIENTS
    }
    print(json.dumps({"median": medians}))


if __name__ == "__main__":
    main()
