"""Recorded replies behind a small OpenAI-compatible server, for tests, demos and air-gapped trials.

    python -m seedbed.models.recorded_server REPLIES --by label --match REGEX

prints `listening http://127.0.0.1:PORT/v1` and answers `/v1/chat/completions` and `/v1/models`;
`/stats` counts what was asked, and how often something was asked again that had been answered.
It listens on 127.0.0.1 only.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any, Self, get_args

import orjson
from aiohttp import web

from seedbed.core.chat import ChatReply, ChatRequest, Message, Sampling
from seedbed.core.errors import InputError, RequestRefused, SeedbedError
from seedbed.core.hashing import digest
from seedbed.models.recorded import By, RecordedReplies, RecordedTeacher

HOST = "127.0.0.1"
_LARGEST_BODY = 64 * 1024 * 1024
_START_SECONDS = 20.0


def request_key(messages: Sequence[Mapping[str, Any]], seed: int | None, n: int) -> str:
    """What makes two requests the same one to the server's counts: hexadecimal digits."""
    plain = [[str(message["role"]), message["content"]] for message in messages]
    return digest("served request", [plain, seed, n]).hex()


@dataclass
class Ledger:
    """Counts requests, and appends each one's key to a log file, if there is one.

    `requests = answered + refused + dropped + in_flight`: refused ones got an error from the
    server, of dropped ones the client went away. The log has one line an event, `received KEY`
    or `answered KEY`, written past any buffer, so that it also tells of a client that was killed.
    """

    log: Path | None = None
    requests: int = 0
    answered: int = 0
    refused: int = 0
    dropped: int = 0
    repeats_after_answered: int = 0
    _answered_keys: set[str] = field(default_factory=set)
    _descriptor: int | None = None

    def open(self) -> None:
        if self.log is not None:
            self._descriptor = os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)

    def close(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def note_received(self, key: str) -> None:
        self.requests += 1
        self.repeats_after_answered += key in self._answered_keys
        self._append("received", key)

    def note_answered(self, key: str) -> None:
        self.answered += 1
        self._answered_keys.add(key)
        self._append("answered", key)

    def to_json(self) -> dict[str, int]:
        return {
            "requests": self.requests,
            "answered": self.answered,
            "refused": self.refused,
            "dropped": self.dropped,
            "in_flight": self.requests - self.answered - self.refused - self.dropped,
            "repeats_after_answered": self.repeats_after_answered,
        }

    def _append(self, event: str, key: str) -> None:
        if self._descriptor is not None:
            os.write(self._descriptor, f"{event} {key}\n".encode())


class _BadRequest(Exception):
    """The body is not a chat request; the message says why."""


@dataclass(frozen=True, slots=True)
class _Asked:
    request: ChatRequest
    key: str


def _asked(body: bytes) -> _Asked:
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise _BadRequest(f"the body is not JSON: {error}") from error
    if not isinstance(value, dict) or not isinstance(value.get("messages"), list):
        raise _BadRequest('the body needs "messages": a list of {"role", "content"}')
    messages = []
    for entry in value["messages"]:
        if not isinstance(entry, dict) or entry.get("role") not in ("system", "user", "assistant"):
            raise _BadRequest('each message needs a "role" of system, user or assistant')
        if not isinstance(entry.get("content"), str):
            raise _BadRequest('each message needs a "content" that is text')
        messages.append(Message(entry["role"], entry["content"]))
    n, seed = value.get("n") or 1, value.get("seed")
    if not isinstance(n, int) or not 1 <= n <= 1024:
        raise _BadRequest('"n" must be a whole number from 1 to 1024')
    if seed is not None and not isinstance(seed, int):
        raise _BadRequest('"seed" must be a whole number')
    request = ChatRequest(
        model=str(value.get("model", "")), messages=tuple(messages), sampling=Sampling(), n=n, seed=seed
    )
    return _Asked(request, request_key(value["messages"], seed, n))


class RecordedService:
    """The handlers of the server."""

    def __init__(self, teacher: RecordedTeacher, ledger: Ledger, latency: float) -> None:
        self.teacher = teacher
        self.ledger = ledger
        self.latency = latency

    def application(self) -> web.Application:
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.router.add_post("/v1/chat/completions", self._complete)
        app.router.add_get("/v1/models", self._models)
        app.router.add_get("/stats", self._stats)
        return app

    async def _complete(self, http: web.Request) -> web.StreamResponse:
        try:
            asked = _asked(await http.read())
        except _BadRequest as error:
            return _error(str(error), "bad_request")
        self.ledger.note_received(asked.key)
        try:
            if self.latency:
                await asyncio.sleep(self.latency)
            reply = await self.teacher.complete(asked.request)
        except RequestRefused as error:
            self.ledger.refused += 1
            return _error(str(error), error.cause)
        response = _json(_completion(asked, reply))
        # Written here and not by the framework, so that only what went out counts as answered.
        try:
            await response.prepare(http)
            await response.write_eof()
        except ConnectionError:
            self.ledger.dropped += 1
            return response
        self.ledger.note_answered(asked.key)
        return response

    async def _models(self, http: web.Request) -> web.Response:
        return _json({"object": "list", "data": [{"id": self.teacher.model, "object": "model"}]})

    async def _stats(self, http: web.Request) -> web.Response:
        return _json(self.ledger.to_json())


def _json(value: Mapping[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=orjson.dumps(value), status=status, content_type="application/json")


def _error(message: str, code: str) -> web.Response:
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": code}
    return _json({"error": error}, status=400)


def _completion(asked: _Asked, reply: ChatReply) -> dict[str, Any]:
    choices = [
        {
            "index": index,
            "message": {"role": "assistant", "content": choice.text},
            "finish_reason": choice.finish_reason,
        }
        for index, choice in enumerate(reply.choices)
    ]
    prompt, completion = reply.usage.prompt_tokens, reply.usage.completion_tokens
    return {
        "id": f"chatcmpl-{asked.key}",
        "object": "chat.completion",
        "created": 0,
        "model": asked.request.model or reply.model,
        "choices": choices,
        "usage": {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
        },
    }


async def serve(service: RecordedService, port: int) -> None:
    """Serve until SIGINT or SIGTERM; write the address to stdout once it is open."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    runner = web.AppRunner(service.application(), access_log=None)
    await runner.setup()
    service.ledger.open()
    try:
        await web.TCPSite(runner, HOST, port, backlog=1024, shutdown_timeout=0.5).start()
        sys.stdout.write(f"listening http://{HOST}:{runner.addresses[0][1]}/v1\n")
        sys.stdout.flush()
        await stop.wait()
    finally:
        await runner.cleanup()
        service.ledger.close()


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit codes: 0 stopped by a signal, 1 the port or log cannot be opened, 2 unusable input."""
    parser = argparse.ArgumentParser(
        prog="python -m seedbed.models.recorded_server", description="Serve recorded replies on 127.0.0.1."
    )
    parser.add_argument("replies", type=Path, help='a JSONL file of {"reply", "prompt"?, "label"?}')
    parser.add_argument("--by", choices=get_args(By), required=True, help="what chooses the reply")
    parser.add_argument("--match", help="expression with named groups prompt, label, draw")
    parser.add_argument("--model", default="recorded", help="the name that /v1/models lists")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--latency-ms", type=float, default=0.0, help="wait before each answer")
    parser.add_argument("--log", type=Path, help="append the key of each request received and answered")
    options = parser.parse_args(arguments)
    try:
        replies = RecordedReplies.load(options.replies, options.by)
        teacher = RecordedTeacher(replies, options.match, options.model)
        if missing := teacher.needs_hints_for:
            groups = " and ".join(f"(?P<{name}>...)" for name in missing)
            raise InputError(f"--match: a server sees the prompt alone; by {options.by} it needs {groups}")
        service = RecordedService(teacher, Ledger(options.log), options.latency_ms / 1000)
        asyncio.run(serve(service, options.port))
    except SeedbedError as error:
        sys.stderr.write(f"{error}\n")
        return error.exit_code
    except OSError as error:
        sys.stderr.write(f"cannot serve on {HOST}:{options.port}: {error}\n")
        return 1
    return 0


class RecordedServer:
    """The server in a process of its own, from `with` to its end.

    `url` is the base address for an OpenAI-compatible client. Raises SeedbedError with what the
    process wrote where it does not come up.
    """

    def __init__(
        self,
        replies: Path,
        by: By,
        match: str | None = None,
        *,
        port: int = 0,
        latency_ms: float = 0.0,
        log: Path | None = None,
    ) -> None:
        command = [sys.executable, "-m", "seedbed.models.recorded_server", str(replies), "--by", by]
        command += ["--port", str(port), "--latency-ms", str(latency_ms)]
        if match is not None:
            command += [f"--match={match}"]
        if log is not None:
            command += [f"--log={log}"]
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        self._errors = tempfile.TemporaryFile()
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, stderr=self._errors)
        try:
            self.url = self._address(self._process)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def root(self) -> str:
        return self.url.removesuffix("/v1")

    def stats(self) -> dict[str, int]:
        """The counts of `Ledger.to_json`, asked of the running server."""
        with urllib.request.urlopen(f"{self.root}/stats", timeout=10) as response:
            counts: dict[str, int] = orjson.loads(response.read())
        return counts

    def stop(self) -> None:
        """End the process; a second call does nothing."""
        process, self._process = self._process, None
        if process is not None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        if self._errors is not None:
            self._errors.close()
            self._errors = None

    def _address(self, process: subprocess.Popen[bytes]) -> str:
        line = _first_line(process.stdout, time.monotonic() + _START_SECONDS)
        if line.startswith("listening "):
            return line.removeprefix("listening ").strip()
        with suppress(subprocess.TimeoutExpired):
            process.wait(1)
        said = ""
        if self._errors is not None:
            self._errors.seek(0)
            said = self._errors.read().decode(errors="replace").strip()
        raise SeedbedError(f"the server of recorded replies did not start: {said or 'no answer in time'}")


def _first_line(stream: IO[bytes] | None, deadline: float) -> str:
    """A line of a pipe, or what there is of it at the deadline or its end."""
    if stream is None:
        return ""
    line = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while not line.endswith(b"\n") and selector.select(max(0.0, deadline - time.monotonic())):
            got = os.read(stream.fileno(), 1024)
            if not got:
                break
            line += got
    return line.decode()


if __name__ == "__main__":
    sys.exit(main())
