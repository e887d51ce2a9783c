"""What `concurrency: auto` finds: `python -m benchmarks.concurrency [NAME …]` prints a table and JSON lines.

Each case starts servers in processes of their own (benchmarks/slow_server.py) and asks them through the
executor, its reply log in a temporary folder, exactly as a run does. Throughput is counted from the first
request; "best fixed" is the best of the fixed settings that are listed, measured in the same way. Latency
is a sleep, so that the figures are those of the algorithm and not of the cores. The JSON lines go to stdout,
the table to stderr.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from seedbed.core.chat import ChatRequest, Message
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Budget
from seedbed.models.executor import HttpExecutor
from seedbed.models.limits import Limits
from seedbed.models.openai_wire import OpenAIChat
from seedbed.models.pool import Lane, Pool
from seedbed.store.replies import ReplyLog

SCOPE = b"b" * 16
WINDOW_SECONDS = 15.0


@dataclass
class Outcome:
    """One way of asking: answers and seconds, the level at the end and its mean over the latter half."""

    asked: str
    answers: int
    seconds: float
    level: int | None = None
    mean_level: float | None = None
    refused: int = 0
    window: float | None = None  # answers a second over the last third of it, where time ends the case

    @property
    def rate(self) -> float:
        return self.answers / self.seconds


@dataclass
class Case:
    """Servers by their options, how long to ask, and the fixed settings to compare with."""

    name: str
    servers: Sequence[str]
    fixed: Sequence[int]
    requests: int | None = None
    seconds: float | None = None
    bare: bool = False
    judge: Callable[[dict[str, Any]], bool] = field(default=lambda figures: True)


@contextlib.contextmanager
def serving(options: str) -> Iterator[str]:
    """A server in a process of its own; gives its base URL."""
    command = [sys.executable, "-m", "benchmarks.slow_server", *options.split()]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield process.stdout.readline().split()[1]
        finally:
            process.terminate()


def refusals(url: str) -> int:
    with urllib.request.urlopen(url.removesuffix("/v1") + "/stats", timeout=10) as response:
        counts: dict[str, int] = json.loads(response.read())
    return counts["http_429"]


async def ask(pool: Pool[ChatModel], log: ReplyLog, name: str, case: Case) -> Outcome:
    """Ask until the requests are answered or the time is over."""
    executor = HttpExecutor(pool, log, Limits(), Budget().at(None))
    began = time.monotonic()
    finished: list[float] = []
    levels: list[int] = []
    numbers = iter(range(case.requests if case.requests is not None else 1 << 40))

    async def work() -> None:
        for number in numbers:
            if case.seconds is not None and time.monotonic() - began > case.seconds:
                return
            question = ChatRequest("fake", (Message("user", f"Question {number} of {name}?"),))
            await executor.fill(question, SCOPE, 1)
            finished.append(time.monotonic() - began)
            levels.append(executor.width)
            hire()

    workers: set[asyncio.Task[None]] = set()

    def hire() -> None:
        while len(workers) < 2 * executor.width:
            workers.add(asyncio.create_task(work()))

    hire()
    waiting = set(workers)
    while waiting:
        await asyncio.wait(waiting)
        waiting = {worker for worker in workers if not worker.done()}
    for worker in workers:
        worker.result()
    end = case.seconds if case.seconds is not None else finished[-1]
    answered = [moment for moment in finished if moment <= end]
    late = levels[len(levels) // 2 :]
    return Outcome(
        name,
        len(answered),
        end,
        levels[-1],
        sum(late) / len(late),
        window=sum(moment > end * 2 / 3 for moment in answered) / (end / 3),
    )


async def through_executor(urls: Sequence[str], concurrency: int | None, case: Case, name: str) -> Outcome:
    models = [OpenAIChat(url, "fake", timeout=120.0) for url in urls]
    pool: Pool[ChatModel] = Pool([Lane(model, concurrency) for model in models])
    with tempfile.TemporaryDirectory(prefix="seedbed-concurrency-") as folder:
        with ReplyLog.open(Path(folder) / "replies.sqlite") as log:
            outcome = await ask(pool, log, name, case)
        for model in models:
            await model.close()
    return outcome


async def bare_loop(url: str, concurrency: int, case: Case) -> Outcome:
    """The least that a client can do: post, read, parse."""
    began = time.monotonic()
    finished: list[float] = []
    numbers = iter(range(case.requests if case.requests is not None else 1 << 40))
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session:

        async def work() -> None:
            for number in numbers:
                if case.seconds is not None and time.monotonic() - began > case.seconds:
                    return
                messages = [{"role": "user", "content": f"Question {number} of the bare loop?"}]
                body = {"model": "fake", "messages": messages}
                async with session.post(f"{url}/chat/completions", json=body) as response:
                    json.loads(await response.read())
                finished.append(time.monotonic() - began)

        await asyncio.gather(*(work() for _ in range(concurrency)))
    end = case.seconds if case.seconds is not None else finished[-1]
    answered = sum(moment <= end for moment in finished)
    window = sum(end * 2 / 3 < moment <= end for moment in finished) / (end / 3)
    return Outcome(f"bare loop, {concurrency}", answered, end, concurrency, concurrency, window=window)


def measure(case: Case) -> dict[str, Any]:
    """Every way of asking against fresh servers; the figures of the case."""

    def fresh(run: Callable[[list[str]], Outcome], servers: Sequence[str] = case.servers) -> Outcome:
        with contextlib.ExitStack() as stack:
            urls = [stack.enter_context(serving(options)) for options in servers]
            outcome = run(urls)
            outcome.refused = sum(refusals(url) for url in urls)
        return outcome

    def executor(level: int | None, name: str) -> Callable[[list[str]], Outcome]:
        return lambda urls: asyncio.run(through_executor(urls, level, case, name))

    auto = fresh(executor(None, "auto"))
    outcomes = [auto, *(fresh(executor(level, str(level))) for level in case.fixed)]
    if case.bare:
        outcomes.append(fresh(lambda urls: asyncio.run(bare_loop(urls[0], case.fixed[-1], case))))
    alone: list[Outcome] = []
    if len(case.servers) > 1:
        alone = [fresh(executor(None, f"{options} alone"), [options]) for options in case.servers]
    rest = outcomes[1:] or alone
    best = max(rest, key=lambda outcome: outcome.rate)
    reference = sum(each.window or 0.0 for each in alone) if alone else best.rate
    achieved = auto.window or 0.0 if alone else auto.rate
    figures: dict[str, Any] = {
        "case": case.name,
        "auto_rate": round(auto.rate, 1),
        "auto_last_third": round(auto.window or 0.0, 1),
        "auto_level": auto.level,
        "auto_mean_level": round(auto.mean_level or 0.0, 1),
        "auto_429": auto.refused,
        "reference": "sum of both alone, last third" if alone else f"best fixed: {best.asked}",
        "reference_rate": round(reference, 1),
        "ratio": round(achieved / reference, 3),
        "ratio_last_third": round((auto.window or 0.0) / (reference if alone else best.window or 1.0), 3),
        "others": {each.asked: round(each.rate, 1) for each in [*outcomes[1:], *alone]},
    }
    figures["holds"] = case.judge(figures)
    return figures


CASES = (
    Case(
        "cap of 64 with 429s",
        ["--latency-ms 200 --cap 64 --retry-after 1"],
        (32, 64),
        requests=2000,
        judge=lambda f: f["auto_429"] < 60,
    ),
    Case(
        "cap of 64, 429s without Retry-After",
        ["--latency-ms 200 --cap 64"],
        (32, 64),
        requests=2000,
        judge=lambda f: f["auto_429"] < 60,
    ),
    Case(
        "queues: 8 servers x 50 ms",
        ["--latency-ms 50 --servers 8"],
        (4, 8, 16, 64),
        requests=2000,
        judge=lambda f: f["ratio"] >= 0.8,
    ),
    Case(
        "queues: 48 servers x 250 ms",
        ["--latency-ms 250 --servers 48"],
        (32, 48, 64, 128),
        requests=4000,
        judge=lambda f: f["ratio"] >= 0.8,
    ),
    Case("50 ms, no bound", ["--latency-ms 50"], (16, 64), seconds=WINDOW_SECONDS),
    Case(
        "200 ms, no bound",
        ["--latency-ms 200"],
        (256,),
        seconds=WINDOW_SECONDS,
        bare=True,
        judge=lambda f: f["ratio_last_third"] >= 0.8,
    ),
    Case("5 s, no bound", ["--latency-ms 5000"], (64, 256), seconds=60.0),
    Case(
        "two endpoints, the second slower",
        ["--latency-ms 100 --servers 16", "--latency-ms 400 --servers 16"],
        (),
        seconds=20.0,
        judge=lambda f: f["ratio"] >= 0.85,
    ),
)


def main() -> None:
    wanted = sys.argv[1:]
    rows = []
    for case in CASES:
        if wanted and not any(word in case.name for word in wanted):
            continue
        figures = measure(case)
        print(json.dumps(figures), flush=True)
        rows.append(figures)
    heads = ("case", "auto/s", "last third", "level", "mean", "429s", "reference", "ref/s", "ratio", "ok")
    widths = (36, 8, 10, 6, 6, 5, 30, 8, 6, 3)
    print("  ".join(head.ljust(width) for head, width in zip(heads, widths, strict=True)), file=sys.stderr)
    for row in rows:
        cells = (
            *(row[k] for k in ("case", "auto_rate", "auto_last_third", "auto_level", "auto_mean_level")),
            *(row[k] for k in ("auto_429", "reference", "reference_rate", "ratio")),
            "yes" if row["holds"] else "NO",
        )
        print("  ".join(str(c).ljust(w) for c, w in zip(cells, widths, strict=True)), file=sys.stderr)
    sys.exit(not all(row["holds"] for row in rows))


if __name__ == "__main__":
    main()
