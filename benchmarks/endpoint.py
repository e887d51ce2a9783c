"""A chat endpoint that costs next to nothing: what a client takes is then the client's own.

`python -m benchmarks.endpoint --latency-ms 200` prints `listening PORT` and serves until it is
terminated. A prompt has one reply, some 280 characters of invented words that depend on the prompt
alone; where a schema is sent, they stand in its texts. `GET /stats` tells what came and when,
`POST /reset` begins anew.

A protocol of its own, since a web framework would take more of the machine than the client under
measurement.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import orjson

from benchmarks.keep_alive import KeepAlive

WORDS_A_REPLY = 42
_SYLLABLES = [consonant + vowel for consonant in "bcdfghjklmnprstvz" for vowel in "aeiou"]


@cache
def vocabulary() -> tuple[str, ...]:
    """2,000 words of two or three syllables: about as many as short texts on one subject use."""
    dice = random.Random(7)
    words: dict[str, None] = {}
    while len(words) < 2000:
        words["".join(dice.choices(_SYLLABLES, k=dice.choice((2, 2, 3))))] = None
    return tuple(words)


def text_for(key: bytes) -> str:
    """A text that depends on the key alone and has hardly a run of words in common with any other."""
    words, number = vocabulary(), int.from_bytes(hashlib.blake2b(key, digest_size=64).digest(), "big")
    chosen = []
    for _ in range(WORDS_A_REPLY):
        number, at = divmod(number, len(words))
        chosen.append(words[at])
    return " ".join(chosen)


def filled(schema: dict[str, Any], definitions: dict[str, Any], text: str) -> Any:
    """A value that the schema takes: the text wherever it can be."""
    if "$ref" in schema:
        schema = definitions[schema["$ref"].rpartition("/")[2]]
    if "enum" in schema:
        # Of the roles of a message: conversations begin with the user.
        return "user" if "user" in schema["enum"] else schema["enum"][0]
    if "anyOf" in schema:
        nothing = {"type": "null"}
        return None if nothing in schema["anyOf"] else filled(schema["anyOf"][0], definitions, text)
    kind = schema.get("type")
    if kind == "object":
        return {name: filled(one, definitions, text) for name, one in schema.get("properties", {}).items()}
    if kind == "array":
        return [filled(schema["items"], definitions, text)] * max(1, schema.get("minItems", 1))
    return {"integer": 1, "number": 1.0, "boolean": True, "null": None}.get(kind, text)  # type: ignore[arg-type]


def answer(data: bytes) -> bytes:
    """The response to a request's body."""
    body = orjson.loads(data)
    key = hashlib.blake2b(orjson.dumps(body["messages"]), digest_size=16).digest()
    text = text_for(key)
    if form := body.get("response_format"):
        schema = form["json_schema"]["schema"]
        text = orjson.dumps(filled(schema, schema.get("$defs", {}), text)).decode()
    choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    asked, told = len(data) // 4, len(text) // 4
    usage = {"prompt_tokens": asked, "completion_tokens": told, "total_tokens": asked + told}
    kind = {"id": "chatcmpl-0", "object": "chat.completion", "created": 0}
    return orjson.dumps({**kind, "model": body["model"], "choices": [choice], "usage": usage})


class Tally:
    """What came and when, in seconds of this machine's monotonic clock."""

    def __init__(self) -> None:
        self.in_flight = 0
        self.peak = 0
        self.first = 0.0
        self.full_at = 0.0
        self.answers: list[float] = []

    def came(self) -> None:
        now = time.monotonic()
        self.first = self.first or now
        self.in_flight += 1
        if self.in_flight > self.peak:
            self.peak, self.full_at = self.in_flight, now

    def answered(self) -> None:
        self.in_flight -= 1
        self.answers.append(time.monotonic())


class Connection(KeepAlive):
    """Tells the tally what comes, and answers after the latency."""

    tally = Tally()
    latency = 0.0

    def handle(self, head: bytes, body: bytes) -> None:
        tally = Connection.tally
        if head.startswith(b"get"):
            self.send(orjson.dumps({**vars(tally)}))
        elif head.startswith(b"post /reset"):
            Connection.tally = Tally()
            self.send(b"{}")
        else:
            tally.came()
            if self.latency:
                asyncio.get_running_loop().call_later(self.latency, self._finish, tally, body)
            else:
                self._finish(tally, body)

    def _finish(self, tally: Tally, body: bytes) -> None:
        self.send(answer(body))
        tally.answered()


class Endpoint:
    """A server process as the benchmarks see it."""

    def __init__(self, port: int) -> None:
        self._base = f"http://127.0.0.1:{port}"
        self.url = f"{self._base}/v1"

    def reset(self) -> None:
        request = urllib.request.Request(f"{self._base}/reset", data=b"", method="POST")
        with urllib.request.urlopen(request) as response:
            response.read()

    def stats(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self._base}/stats") as response:
            found: dict[str, Any] = json.load(response)
        return found


@contextmanager
def serving(latency_ms: float) -> Iterator[Endpoint]:
    command = [sys.executable, "-m", "benchmarks.endpoint", "--latency-ms", str(latency_ms)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield Endpoint(int(process.stdout.readline().split()[1]))
        finally:
            process.terminate()


async def serve(port: int, latency: float) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    Connection.latency = latency
    listener = await loop.create_server(Connection, "127.0.0.1", port, backlog=4096)
    print("listening", listener.sockets[0].getsockname()[1], flush=True)
    await stop.wait()
    listener.close()


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat endpoint that costs next to nothing.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    options = parser.parse_args()
    asyncio.run(serve(options.port, options.latency_ms / 1000))


if __name__ == "__main__":
    main()
