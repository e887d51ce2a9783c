"""Several endpoints behind one role: weights, fail-over, return, and the end of the last. Real sockets."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest

from seedbed.core.chat import ChatRequest, Message, Sampling
from seedbed.core.errors import EndpointError
from seedbed.core.protocols import ChatModel
from seedbed.models.budget import Budget
from seedbed.models.executor import HttpExecutor
from seedbed.models.limits import Limits
from seedbed.models.openai_wire import OpenAIChat
from seedbed.models.pool import OUT_SECONDS, Lane, Pool
from seedbed.store.replies import ReplyLog
from tests.fake_endpoint import FakeEndpoint, Fault

T = TypeVar("T")
SCOPE = b"s" * 16


def question(number: int = 0) -> ChatRequest:
    return ChatRequest("fake", (Message("user", f"Question {number}?"),))


class Clock:
    """Real time, and what a test adds to it."""

    def __init__(self) -> None:
        self.added = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self.added


class Bench:
    """A pool over endpoints, an executor on it, and what it told the user."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "replies.sqlite"
        self.notes: list[str] = []
        self.clock = Clock()
        self.pool: Pool[ChatModel]
        self.executor: HttpExecutor

    def sit(
        self,
        urls: Sequence[str],
        work: Callable[[HttpExecutor], Awaitable[T]],
        *,
        concurrency: int | None = 4,
        weights: Sequence[float] = (),
        called: Sequence[str] = (),
        timeout: float = 5.0,
        **limits: Any,
    ) -> T:
        async def main() -> T:
            names = [*called, *[None] * len(urls)]
            models: list[ChatModel] = [
                OpenAIChat(url, "fake", timeout=timeout, called=name, note=self.notes.append)
                for url, name in zip(urls, names, strict=False)
            ]
            shares = [*weights, *[1.0] * len(urls)]
            lanes = [Lane(m, concurrency, share) for m, share in zip(models, shares, strict=False)]
            self.pool = Pool(lanes, note=self.notes.append, clock=self.clock)
            with ReplyLog.open(self.path) as log:
                self.executor = HttpExecutor(self.pool, log, Limits(**limits), Budget().at(None))
                try:
                    return await work(self.executor)
                finally:
                    await self.executor.drain()
                    for model in models:
                        await model.close()

        return asyncio.run(main())

    def many(self, urls: Sequence[str], count: int, **settings: Any) -> list[Any]:
        """Where each of so many questions at once was answered, or its error."""

        async def one(executor: HttpExecutor, number: int) -> str:
            return (await executor.fill(question(number), SCOPE, 1))[0].endpoint

        async def work(executor: HttpExecutor) -> list[Any]:
            return await asyncio.gather(*(one(executor, n) for n in range(count)), return_exceptions=True)

        return self.sit(urls, work, **settings)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_each_carries_what_it_can_and_the_log_says_which_it_was(bench: Bench) -> None:
    with FakeEndpoint(latency=0.02) as fast, FakeEndpoint(latency=0.2) as slow:
        began = time.monotonic()
        where = Counter(bench.many([fast.url, slow.url], 200))
        seconds = time.monotonic() - began
        assert (where[fast.url], where[slow.url]) == (fast.stats().answered, slow.stats().answered)
    assert where.total() == 200
    assert where[fast.url] > 5 * where[slow.url] > 0
    assert seconds < 200 / 8 * 0.2  # what two of the slow ones would have taken


def test_where_both_are_free_the_weight_decides(bench: Bench) -> None:
    async def work(executor: HttpExecutor) -> list[str]:
        async def three(first: int) -> list[str]:
            fills = [executor.fill(question(n), SCOPE, 1) for n in range(first, first + 3)]
            return [reply.endpoint for (reply,) in await asyncio.gather(*fills)]

        return [url for first in range(0, 90, 3) for url in await three(first)]

    with FakeEndpoint(latency=0.01) as heavy, FakeEndpoint(latency=0.01) as light:
        where = Counter(bench.sit([heavy.url, light.url], work, weights=[10.0, 1.0]))
    assert where[heavy.url] > 3 * where[light.url]


def test_each_has_a_dialect_a_name_for_the_model_and_a_level_of_its_own(bench: Bench) -> None:
    async def work(executor: HttpExecutor) -> None:
        warm = Sampling(temperature=0.7)
        ask = [ChatRequest("fake", (Message("user", f"{n}?"),), warm) for n in range(40)]
        await asyncio.gather(*(executor.fill(request, SCOPE, 1) for request in ask))

    with (
        FakeEndpoint(latency=0.05) as open_one,
        FakeEndpoint(model="by another name", refuses=["temperature"], latency=0.05) as reasoning,
    ):
        bench.sit([open_one.url, reasoning.url], work, called=["fake", "by another name"], concurrency=None)
        assert {sent["temperature"] for sent in open_one.requests} == {0.7}
        taken = [sent for sent in reasoning.requests if "temperature" not in sent]
        assert {sent["model"] for sent in taken} == {"by another name"}
        assert len(taken) == reasoning.stats().answered > 0
    (note,) = bench.notes
    assert f"{reasoning.url} (by another name) takes no temperature" in note
    assert bench.pool.lanes[0].level is not bench.pool.lanes[1].level


def test_one_that_is_killed_loses_nothing(bench: Bench) -> None:
    async def work(executor: HttpExecutor) -> list[str]:
        fills = [asyncio.create_task(executor.fill(question(n), SCOPE, 1)) for n in range(120)]
        await asyncio.sleep(0.2)
        doomed.close()
        return [reply.endpoint for (reply,) in await asyncio.gather(*fills)]

    with FakeEndpoint(latency=0.02) as stays, FakeEndpoint(latency=0.02) as doomed:
        where = Counter(bench.sit([stays.url, doomed.url], work, retries=1))
        assert stays.stats().answered + doomed.stats().answered == 120
        assert stays.stats().repeats_after_answered == 0
    assert min(where.values()) > 0


@pytest.mark.parametrize(
    ("setting", "said"),
    [({"key": "right"}, "wants a key"), ({"model": "other"}, "no model 'fake'.*it offers other")],
)
def test_one_that_refuses_key_or_model_is_left_out_with_a_note(
    bench: Bench, setting: dict[str, str], said: str
) -> None:
    with FakeEndpoint() as good, FakeEndpoint(**setting) as bad:  # type: ignore[arg-type]
        where = Counter(bench.many([good.url, bad.url], 60))
        assert bad.stats().answered == 0
    assert where == {good.url: 60}
    (note,) = bench.notes
    assert note.startswith(f"roles.teacher goes on without {bad.url}: ")
    with pytest.raises(AssertionError if not said else EndpointError, match=said):
        raise EndpointError(note)


def test_it_comes_back_after_a_while_by_one_call(bench: Bench) -> None:
    async def work(executor: HttpExecutor) -> list[Counter[str]]:
        async def portion(first: int) -> Counter[str]:
            fills = [executor.fill(question(n), SCOPE, 1) for n in range(first, first + 24)]
            return Counter(reply.endpoint for (reply,) in await asyncio.gather(*fills))

        portions = [await portion(0), await portion(24)]
        bench.clock.added += OUT_SECONDS + 1
        return [*portions, await portion(48), await portion(72)]

    faults = [Fault.http(401, "not yet")] * 4  # one for each call that is under way
    with FakeEndpoint(latency=0.01) as steady, FakeEndpoint(latency=0.01, script=faults) as late:
        without, still, trial, both = bench.sit([steady.url, late.url], work)
    assert without == still == {steady.url: 24}
    assert trial[late.url] > 0
    assert both[late.url] > 5
    assert [note.partition(": ")[0] for note in bench.notes] == [
        f"roles.teacher goes on without {late.url}",
        f"{late.url} answers again",
    ]


def test_a_trial_that_fails_costs_one_call_and_a_longer_wait(bench: Bench) -> None:
    async def work(executor: HttpExecutor) -> None:
        async def portion(first: int) -> None:
            await asyncio.gather(*(executor.fill(question(n), SCOPE, 1) for n in range(first, first + 24)))

        await portion(0)
        for first, passed in ((24, 1), (48, 1), (72, 2), (96, 1)):
            bench.clock.added += passed * OUT_SECONDS + 1
            await portion(first)

    with FakeEndpoint(latency=0.01) as steady, FakeEndpoint(key="right") as dead:
        bench.sit([steady.url, dead.url], work, concurrency=1)
        # Out at once; tried after 30 s; not after 31 more, but after 60; not after another 31.
        assert dead.stats().requests == 0
        asked = bench.executor.stats.calls - steady.stats().requests
        assert steady.stats().answered == 120
    assert asked == 3


def test_when_the_last_is_gone_each_is_named(bench: Bench) -> None:
    with FakeEndpoint(key="right") as first, FakeEndpoint(model="other") as second:
        results = bench.many([first.url, second.url], 40)
    assert {type(result) for result in results} == {EndpointError}
    assert str(results[0]).startswith("none of the 2 endpoints of roles.teacher is left: (1) ")
    for said in (first.url, "wants a key", second.url, "no model 'fake'"):
        assert said in str(results[-1])


def test_addresses_where_nothing_listens_are_told_within_seconds(bench: Bench) -> None:
    with FakeEndpoint() as one, FakeEndpoint() as other:
        urls = [one.url, other.url]
    began = time.monotonic()
    results = bench.many(urls, 40)
    assert time.monotonic() - began < 12
    assert {type(result) for result in results} == {EndpointError}
    assert all(f"cannot reach {url}" in str(results[0]) for url in urls)


def test_a_plea_to_wait_sends_the_call_elsewhere(bench: Bench) -> None:
    with (
        FakeEndpoint(limited_for=30, retry_after="20") as busy,
        FakeEndpoint(latency=0.01) as free,
    ):
        began = time.monotonic()
        where = Counter(bench.many([busy.url, free.url], 40, retries=0))
        assert time.monotonic() - began < 5
        assert busy.stats().requests <= 4
    assert where == {free.url: 40}


def test_a_caller_that_is_cancelled_gives_its_slot_back(bench: Bench) -> None:
    async def work(executor: HttpExecutor) -> int:
        for _ in range(20):
            tasks = [asyncio.create_task(executor.fill(question(n), SCOPE, 1)) for n in range(12)]
            await asyncio.sleep(0.003)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        return sum(lane.in_flight + lane.held for lane in bench.pool.lanes)

    with FakeEndpoint(latency=0.004) as one, FakeEndpoint(latency=0.004) as other:
        assert bench.sit([one.url, other.url], work, concurrency=2) == 0


def test_auto_finds_a_cap_over_real_sockets(bench: Bench) -> None:
    with FakeEndpoint(latency=0.05, cap=20, retry_after=None) as endpoint:
        where = bench.many([endpoint.url], 600, concurrency=None)
        assert where == [endpoint.url] * 600
        assert endpoint.stats().faults["http_429"] < 60
    assert 10 <= bench.executor.width <= 24


def test_auto_does_not_drown_a_server_that_queues(bench: Bench) -> None:
    # As slow as that, so that a machine at work on other things adds little to it.
    with FakeEndpoint(latency=0.08, servers=4) as endpoint:
        bench.many([endpoint.url], 600, concurrency=None)
        assert endpoint.stats().peak_in_flight < 60
    assert bench.executor.width < 30
