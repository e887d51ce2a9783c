"""An OpenAI-compatible endpoint for tests: a real HTTP/1.1 server with faults on demand.

    with FakeEndpoint(shares={Fault.http(500): 0.05, Fault("reset"): 0.02}, cap=64) as endpoint:
        ... OpenAIChat(endpoint.url, endpoint.model) ...
        assert endpoint.stats().repeats_after_answered == 0

It runs in a thread with an event loop of its own. For a process of its own:
`python tests/fake_endpoint.py --port 0 --share reset=0.02` prints `listening URL`; GET /stats gives the
same figures as JSON, GET /keys how often each request key was asked and answered.

Replies and faults depend on the request and its attempt number, never on the order of arrival
(a `script` does, as its name says).
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import contextlib
import hashlib
import itertools
import json
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

import orjson

Kind = Literal[
    "http",  # an error response
    "reset",  # the connection is reset before a byte of the answer
    "close",  # the connection is closed in order, without an answer
    "half_close",  # headers, then the end
    "cut_body",  # headers, half of the body, then the end
    "hang",  # no answer as long as the client waits
    "html",  # a web page with status 200
    "empty_choices",
    "no_message",  # a choice without a message
    "truncated_json",  # a whole response whose JSON breaks off
    "raw",  # the given status, headers and body, whatever they are
]


@dataclass(frozen=True, slots=True)
class Fault:
    """What happens instead of an answer. `Fault.http` and `Fault.raw` make those that say more."""

    kind: Kind
    status: int = 200
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def http(
        cls, status: int, message: str = "injected", *, retry_after: str | None = None, **error: Any
    ) -> Self:
        """An error as OpenAI words it; further keywords (`code`, `param`, `type`) go into its body."""
        headers = () if retry_after is None else (("Retry-After", retry_after),)
        return cls("http", status, orjson.dumps({"error": {"message": message, **error}}), headers)

    @classmethod
    def raw(cls, body: bytes, status: int = 200, **headers: str) -> Self:
        named = ((name.replace("_", "-"), value) for name, value in headers.items())
        return cls("raw", status, body, tuple(named))

    @property
    def name(self) -> str:
        return f"http_{self.status}" if self.kind == "http" else self.kind


@dataclass(frozen=True, slots=True)
class Answer:
    """One choice that says more than its text; `message` adds fields such as `reasoning_content`."""

    content: Any = ""
    finish_reason: str | None = "stop"
    message: Mapping[str, Any] = field(default_factory=dict)


Reply = Callable[[dict[str, Any]], "str | Answer | Fault"]


@dataclass(slots=True)
class Stats:
    """`answered` counts whole answers with status 200 that found their client still there."""

    requests: int = 0
    answered: int = 0
    distinct_answered: int = 0
    repeats_after_answered: int = 0
    in_flight: int = 0
    peak_in_flight: int = 0
    faults: dict[str, int] = field(default_factory=dict)


def request_key(body: Mapping[str, Any]) -> str:
    """Names a question: its messages (or the text to go on with), seed and number of choices."""
    identity = [body.get("messages") or body.get("prompt"), body.get("seed"), body.get("n", 1)]
    return hashlib.blake2b(orjson.dumps(identity), digest_size=8).hexdigest()


def plausible(body: dict[str, Any]) -> str:
    """Text that depends on the question, seed and choice alone; by the schema where one is sent."""
    dice = random.Random(f"{request_key(body)}/{body['choice']}")
    words = ("amber", "basin", "cedar", "delta", "ember", "fjord", "grove", "harbor", "inlet", "jetty")

    def sentence() -> str:
        return " ".join(dice.choices(words, k=12)) + f" {dice.getrandbits(32):x}"

    form = body.get("response_format") or {}
    if form.get("type") != "json_schema":
        return sentence()
    properties = form["json_schema"]["schema"].get("properties", {})
    return json.dumps(
        {name: dice.choice(s["enum"]) if "enum" in s else sentence() for name, s in properties.items()}
    )


def vector_of(text: str, dimensions: int) -> list[float]:
    """The vector of a text: numbers that 32 bits hold, from the text alone."""
    dice = random.Random(text)
    return [dice.randrange(-256, 257) / 256 for _ in range(dimensions)]


class FakeEndpoint:
    """A context manager; the server listens from `__enter__` to `__exit__`.

    reply: called once for each choice with the request's body, to which `choice` (its index) is added.
    key, model: what must be sent; else 401, or 404 naming the model.
    latency: seconds before each answer. servers: so many requests are worked on at a time, the others
    wait their turn. cap: more requests in flight than this get 429.
    limited_for: seconds of 429 from the first request on. retry_after: the header of these 429s.
    shares: probability of each fault, drawn from (seed, request key, attempt).
    script: fates of the first requests in order of arrival; None is no fault.
    completes: whether it has /completions, for text that is gone on with as it stands.
    refuses: parameters answered with 400: seed, n, max_tokens, temperature, top_p, response_format,
    json_schema, json_object, encoding_format. dimensions: of the vectors, unless `vector` gives them.
    """

    def __init__(
        self,
        reply: Reply = plausible,
        *,
        model: str = "fake",
        key: str | None = None,
        latency: float = 0.0,
        servers: int | None = None,
        cap: int | None = None,
        limited_for: float = 0.0,
        retry_after: str | None = "1",
        shares: Mapping[Fault, float] | None = None,
        script: Iterable[Fault | None] = (),
        seed: int = 0,
        dimensions: int = 8,
        vector: Callable[[str], list[float]] | None = None,
        ignores_n: bool = False,
        completes: bool = True,
        refuses: Iterable[str] = (),
        port: int = 0,
    ) -> None:
        self.model = model
        self._reply = reply
        self._key = key
        self._latency = latency
        self._turns = asyncio.Semaphore(servers) if servers is not None else contextlib.nullcontext()
        self._cap = cap
        self._limited_for = limited_for
        self._retry_after = retry_after
        self._shares = dict(shares or {})
        self._script = iter(script)
        self._seed = seed
        self._vector = vector or (lambda text: vector_of(text, dimensions))
        self._embedded: list[dict[str, Any]] = []
        self._ignores_n = ignores_n
        self._completes = completes
        self._refuses = frozenset(refuses)
        self._port = port
        self._lock = threading.Lock()  # the figures are read by the test's thread
        self._stats = Stats()
        self._faults: Counter[str] = Counter()
        self._received: list[bytes] = []
        self._bodies: list[dict[str, Any]] = []
        self._fates: list[tuple[dict[str, Any], str]] = []
        self._asked: Counter[str] = Counter()
        self._answered: Counter[str] = Counter()
        self._first_request: float | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop = asyncio.Event()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self.serve()), name="fake endpoint")

    def __enter__(self) -> Self:
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Stop listening and drop all connections. May be called again."""
        if self._thread.is_alive() and self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    @property
    def received(self) -> bytes:
        """Every byte of every request: first line, headers and body."""
        with self._lock:
            return b"".join(self._received)

    @property
    def requests(self) -> list[dict[str, Any]]:
        """Bodies of all chat requests, in order of arrival."""
        with self._lock:
            return list(self._bodies)

    @property
    def fates(self) -> list[tuple[dict[str, Any], str]]:
        """Body and end of each request that has one: `answered`, `gone` (the client was), or the fault."""
        with self._lock:
            return list(self._fates)

    @property
    def embedded(self) -> list[dict[str, Any]]:
        """Bodies of all requests for embeddings, in order of arrival."""
        with self._lock:
            return list(self._embedded)

    def stats(self) -> Stats:
        with self._lock:
            stats = Stats(**asdict(self._stats))
            stats.distinct_answered = len(self._answered)
            stats.faults = dict(self._faults)
            return stats

    def keys(self) -> dict[str, dict[str, int]]:
        """How often each request key was asked and answered."""
        with self._lock:
            return {"asked": dict(self._asked), "answered": dict(self._answered)}

    async def serve(self, announce: Callable[[str], None] = lambda url: None) -> None:
        """Serve until `close`, or until cancelled."""
        self._loop = asyncio.get_running_loop()
        connections: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.ensure_future(self._converse(reader, writer))
            connections.add(task)
            task.add_done_callback(connections.discard)
            # Not by the conversation itself: one that is cancelled before it begins does nothing.
            task.add_done_callback(lambda _: writer.close())

        server = await asyncio.start_server(connected, "127.0.0.1", self._port, backlog=1024)
        self._port = server.sockets[0].getsockname()[1]
        announce(self.url)
        self._ready.set()
        try:
            await self._stop.wait()
        finally:
            # What asyncio has accepted it hands over in a few steps, and leaves open where the server closes
            # in between.
            for _ in range(5):
                await asyncio.sleep(0)
            server.close()
            for task in connections:
                task.cancel()
            await asyncio.gather(*connections, return_exceptions=True)

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection: requests are answered one after the other, until either side ends it."""
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.rstrip().split("\r\n")
                headers = {
                    name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines)
                }
                data = await reader.readexactly(int(headers.get("content-length", "0")))
                with self._lock:
                    self._received += [head.encode("latin-1"), data]
                await self._route(first.split(" ")[1].partition("?")[0], headers, data, reader, writer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone, which is its right

    async def _route(
        self,
        path: str,
        headers: Mapping[str, str],
        data: bytes,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        if path == "/stats":
            return _send(writer, 200, orjson.dumps(asdict(self.stats())))
        if path == "/keys":
            return _send(writer, 200, orjson.dumps(self.keys()))
        if self._key is not None and headers.get("authorization") != f"Bearer {self._key}":
            given = headers.get("authorization", "no key")
            return _send_fault(writer, Fault.http(401, f"Incorrect API key provided: {given}"))
        if path == "/v1/models":
            return _send(writer, 200, orjson.dumps({"object": "list", "data": [{"id": self.model}]}))
        if path == "/v1/embeddings":
            return await self._embeddings(orjson.loads(data), writer)
        if path not in ("/v1/chat/completions", *(["/v1/completions"] if self._completes else [])):
            return _send_fault(writer, Fault.http(404, f"no such path: {path}"))
        return await self._chat(orjson.loads(data), reader, writer)

    async def _chat(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        key = request_key(body)
        with self._lock:
            self._bodies.append(body)
            stats, attempt = self._stats, self._asked[key]
            stats.requests += 1
            self._asked[key] += 1
            stats.repeats_after_answered += key in self._answered
            stats.in_flight += 1
            stats.peak_in_flight = max(stats.peak_in_flight, stats.in_flight)
            fault = self._fault_of(body, key, attempt)
        fate = "gone"
        try:
            if fault is None or fault.kind != "http":
                async with self._turns:
                    await asyncio.sleep(self._latency)
            made = fault or self._choices(body)
            if isinstance(made, Fault):
                fate = made.name
                with self._lock:
                    self._faults[made.name] += 1
                if made.kind == "hang":
                    await reader.read(1)  # ends when the client gives up
                    writer.close()
                else:
                    _send_fault(writer, made)
            elif not writer.is_closing():
                fate = "answered"
                with self._lock:
                    stats.answered += 1
                    self._answered[key] += 1
                _send(writer, 200, _completion(body, made))
        finally:
            with self._lock:
                stats.in_flight -= 1
                self._fates.append((body, fate))

    async def _embeddings(self, body: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Vectors that depend on their text alone; a text that says "unembeddable" is refused."""
        with self._lock:
            self._embedded.append(body)
            fault = self._fault_of(body, "embeddings", len(self._embedded))
        await asyncio.sleep(self._latency)
        if fault is None and any("unembeddable" in text for text in body["input"]):
            fault = Fault.http(400, "this text is too long", code="context_length_exceeded")
        if fault is not None:
            with self._lock:
                self._faults[fault.name] += 1
            return _send_fault(writer, fault)
        vectors = [self._vector(text) for text in body["input"]]
        data = [
            {
                "object": "embedding",
                "index": index,
                "embedding": base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
                if body.get("encoding_format") == "base64"
                else vector,
            }
            for index, vector in enumerate(vectors)
        ]
        data.reverse()  # the index says which is whose, not the order
        read = sum(len(text) for text in body["input"]) // 4
        usage = {"prompt_tokens": read, "total_tokens": read}
        answer = {"object": "list", "data": data, "model": self.model, "usage": usage}
        return _send(writer, 200, orjson.dumps(answer))

    def _fault_of(self, body: dict[str, Any], key: str, attempt: int) -> Fault | None:
        """The fate of this request as far as it is settled on arrival."""
        now = time.monotonic()
        self._first_request = self._first_request or now
        if body.get("model") != self.model:
            return Fault.http(404, f"The model `{body.get('model')}` does not exist.", code="model_not_found")
        form = (body.get("response_format") or {}).get("type")
        for name in sorted(self._refuses & {*body, form}):
            hint = " Use 'max_completion_tokens' instead." if name == "max_tokens" else ""
            param = name if name in body else "response_format"
            return Fault.http(400, f"Unsupported parameter: '{name}'.{hint}", param=param)
        if now - self._first_request < self._limited_for:
            return Fault.http(429, "rate limited", retry_after=self._retry_after)
        if self._cap is not None and self._stats.in_flight > self._cap:
            return Fault.http(429, "too many requests at once", retry_after=self._retry_after)
        scripted = next(self._script, None)
        if scripted is not None:
            return scripted
        dice = random.Random(f"{self._seed}/{key}/{attempt}").random()
        bounds = itertools.accumulate(self._shares.values())
        return next((fault for fault, bound in zip(self._shares, bounds, strict=True) if dice < bound), None)

    def _choices(self, body: dict[str, Any]) -> list[Answer] | Fault:
        choices = []
        for index in range(1 if self._ignores_n else body.get("n", 1)):
            made = self._reply({**body, "choice": index})
            if isinstance(made, Fault):
                return made
            choices.append(Answer(made) if isinstance(made, str) else made)
        return choices


def _completion(body: Mapping[str, Any], choices: Iterable[Answer]) -> bytes:
    """The body of a whole answer. Token counts are characters ÷ 4, as rough as they are anywhere."""
    listed = [
        {
            "index": index,
            "finish_reason": choice.finish_reason,
            **(
                {"text": choice.content}
                if "prompt" in body
                else {"message": {"role": "assistant", "content": choice.content, **choice.message}}
            ),
        }
        for index, choice in enumerate(choices)
    ]
    read = [body["prompt"]] if "prompt" in body else [message["content"] for message in body["messages"]]
    prompt = sum(map(len, read)) // 4
    completion = sum(len(str(choice.get("message", choice.get("text")))) for choice in listed) // 4
    usage = {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }
    return json.dumps({"model": body["model"], "choices": listed, "usage": usage}).encode()


def _send(
    writer: asyncio.StreamWriter,
    status: int,
    body: bytes,
    headers: Iterable[tuple[str, str]] = (),
    *,
    kind: str = "application/json",
    length: int | None = None,
) -> None:
    lines = [f"HTTP/1.1 {status} {'OK' if status == 200 else 'Fault'}", f"Content-Type: {kind}"]
    lines.append(f"Content-Length: {len(body) if length is None else length}")
    lines += [f"{name}: {value}" for name, value in headers]
    writer.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)


def _send_fault(writer: asyncio.StreamWriter, fault: Fault) -> None:
    whole = _completion({"model": "fake", "messages": []}, [Answer("half of this is lost on the way")])
    match fault.kind:
        case "http" | "raw":
            _send(writer, fault.status, fault.body, fault.headers)
        case "reset":
            linger = struct.pack("ii", 1, 0)  # on, for 0 s: closing sends a reset
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            writer.transport.abort()
        case "close":
            writer.close()
        case "half_close":
            _send(writer, 200, b"", length=len(whole))
            writer.close()
        case "cut_body":
            _send(writer, 200, whole[: len(whole) // 2], length=len(whole))
            writer.close()
        case "html":
            _send(writer, 200, b"<!doctype html><title>Please sign in</title>", kind="text/html")
        case "empty_choices":
            _send(writer, 200, b'{"choices": [], "usage": null}')
        case "no_message":
            _send(writer, 200, b'{"choices": [{"index": 0, "finish_reason": "stop"}]}')
        case "truncated_json":
            _send(writer, 200, whole[:-10])
        case "hang":
            raise AssertionError("a hang sends nothing")


def _parse_share(text: str) -> tuple[Fault, float]:
    name, _, share = text.partition("=")
    fault = Fault.http(int(name.removeprefix("http_"))) if name.startswith("http_") else Fault(name)  # type: ignore[arg-type]
    return fault, float(share)


def main() -> None:
    parser = argparse.ArgumentParser(description="A fake OpenAI-compatible endpoint with faults on demand.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--model", default="fake")
    parser.add_argument("--key")
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--servers", type=int)
    parser.add_argument("--cap", type=int)
    parser.add_argument("--limited-for", type=float, default=0.0, metavar="SECONDS")
    parser.add_argument("--retry-after")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--ignore-n", action="store_true")
    parser.add_argument("--refuse", action="append", default=[], metavar="PARAMETER")
    parser.add_argument(
        "--share",
        action="append",
        default=[],
        type=_parse_share,
        metavar="FAULT=P",
        help="e.g. http_500=0.05",
    )
    options = parser.parse_args()
    endpoint = FakeEndpoint(
        model=options.model,
        key=options.key,
        latency=options.latency_ms / 1000,
        servers=options.servers,
        cap=options.cap,
        limited_for=options.limited_for,
        retry_after=options.retry_after,
        shares=dict(options.share),
        seed=options.seed,
        ignores_n=options.ignore_n,
        refuses=options.refuse,
        port=options.port,
    )
    try:
        asyncio.run(endpoint.serve(lambda url: print("listening", url, flush=True)))
    except KeyboardInterrupt:
        return


if __name__ == "__main__":
    main()
