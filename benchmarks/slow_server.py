"""A cheap chat endpoint whose speed is set by sleeps. `python -m benchmarks.slow_server` says its URL.

--servers N: so many requests are worked on at a time, the others wait their turn and are never refused.
--cap N: more requests at once than this are refused with 429. GET /stats gives the counts as JSON.
"""

from __future__ import annotations

import argparse
import asyncio
from collections import deque

import orjson

from benchmarks.keep_alive import KeepAlive

_REFUSED = b'{"error": {"message": "too many requests at once"}}'


class Service:
    """What all connections share. `waiting` are connections whose request has not been begun."""

    def __init__(self, latency: float, servers: int, cap: int, retry_after: int | None) -> None:
        self.latency = latency
        self.servers = servers
        self.cap = cap
        self.retry = b"" if retry_after is None else b"Retry-After: %d\r\n" % retry_after
        self.loop = asyncio.get_running_loop()
        self.in_flight = self.at_work = 0
        self.counts = {"requests": 0, "answered": 0, "http_429": 0, "peak_in_flight": 0}
        self.waiting: deque[Connection] = deque()

    def take(self, connection: Connection) -> None:
        counts = self.counts
        counts["requests"] += 1
        if self.cap and self.in_flight >= self.cap:
            counts["http_429"] += 1
            connection.send(_REFUSED, 429, b"Too Many Requests", self.retry)
            return
        self.in_flight += 1
        counts["peak_in_flight"] = max(counts["peak_in_flight"], self.in_flight)
        if self.servers and self.at_work >= self.servers:
            self.waiting.append(connection)
        else:
            self.begin(connection)

    def begin(self, connection: Connection) -> None:
        self.at_work += 1
        self.loop.call_later(self.latency, self.finish, connection)

    def finish(self, connection: Connection) -> None:
        self.at_work -= 1
        self.in_flight -= 1
        self.counts["answered"] += 1
        connection.answer()
        if self.waiting:
            self.begin(self.waiting.popleft())


class Connection(KeepAlive):
    """Hands its requests to the service, which says when to answer."""

    def __init__(self, service: Service) -> None:
        super().__init__()
        self._service = service
        self._asked = b""

    def handle(self, head: bytes, body: bytes) -> None:
        if head.startswith(b"get /stats"):
            self.send(orjson.dumps(self._service.counts))
        else:
            self._asked = body
            self._service.take(self)

    def answer(self) -> None:
        """A reply that differs with the question, as real ones do."""
        question = orjson.loads(self._asked)
        text = (
            f"About that: {question['messages'][-1]['content']} " + "It depends on a number of things. " * 12
        )
        choice = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
        usage = {"prompt_tokens": 40, "completion_tokens": 100, "total_tokens": 140}
        self.send(orjson.dumps({"model": question["model"], "choices": [choice], "usage": usage}))


async def serve(options: argparse.Namespace) -> None:
    service = Service(options.latency_ms / 1000, options.servers, options.cap, options.retry_after)
    server = await service.loop.create_server(
        lambda: Connection(service), "127.0.0.1", options.port, backlog=4096
    )
    print(f"listening http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="A chat endpoint whose speed is set by sleeps.")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--latency-ms", type=float, default=0.0)
    parser.add_argument("--servers", type=int, default=0, help="requests worked on at a time (0: all)")
    parser.add_argument("--cap", type=int, default=0, help="more at once get 429 (0: no cap)")
    parser.add_argument("--retry-after", type=int, help="seconds, the header of each 429")
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
