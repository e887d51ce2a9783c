"""The executor against a real endpoint and a real log: nothing paid twice, nothing paid lost."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.chat import ChatRequest, Choice, LoggedReply, Message, ReplyKey, Usage
from seedbed.core.errors import BudgetReached, EndpointError, NoAnswer
from seedbed.core.hashing import seed_from
from seedbed.core.money import Amount
from seedbed.models.budget import Budget, Caps
from seedbed.models.executor import HttpExecutor
from seedbed.models.limits import Limits
from seedbed.models.openai_wire import OpenAIChat
from seedbed.store.replies import ReplyLog
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

T = TypeVar("T")
SCOPE = b"s" * 16
SCHEMA = {"type": "object", "properties": {"text": {"type": "string"}}}


def question(number: int = 0) -> ChatRequest:
    return ChatRequest("fake", (Message("user", f"Question {number}?"),))


class Bench:
    """An endpoint, a log file, and sittings of an executor between the two."""

    def __init__(self, endpoint: FakeEndpoint, folder: Path) -> None:
        self.endpoint = endpoint
        self.path = folder / "replies.sqlite"
        self.url = endpoint.url
        self.executor: HttpExecutor

    def sit(
        self,
        work: Callable[[HttpExecutor], Awaitable[T]],
        *,
        budget: Budget | None = None,
        timeout: float = 5.0,
        **limits: Any,
    ) -> T:
        async def main() -> T:
            model = OpenAIChat(self.url, "fake", timeout=timeout)
            with ReplyLog.open(self.path) as log:
                self.executor = HttpExecutor(model, log, Limits(**limits), (budget or Budget()).at(None))
                try:
                    return await work(self.executor)
                finally:
                    await self.executor.drain()
                    await model.close()

        return asyncio.run(main())

    def fill(self, n: int = 1, **settings: Any) -> tuple[str, ...]:
        async def work(executor: HttpExecutor) -> tuple[str, ...]:
            return tuple(reply.choice.text for reply in await executor.fill(question(), SCOPE, n))

        return self.sit(work, **settings)

    def many(self, count: int, **settings: Any) -> list[Any]:
        """What each of so many questions at once came to: its first reply's text, or its error."""

        async def one(executor: HttpExecutor, number: int) -> str:
            return (await executor.fill(question(number), SCOPE, 1))[0].choice.text

        async def work(executor: HttpExecutor) -> list[Any]:
            return await asyncio.gather(*(one(executor, n) for n in range(count)), return_exceptions=True)

        return self.sit(work, **settings)


def log_of(bench: Bench) -> ReplyLog:
    return ReplyLog.open(bench.path)


def test_reply_is_logged_with_its_key_seed_model_and_tokens(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        bench = Bench(endpoint, tmp_path)
        (text,) = bench.fill()
        assert endpoint.requests[0]["seed"] == seed_from(question().hash, SCOPE, 0)
        stats = bench.executor.stats
        used = Usage(stats.prompt_tokens, stats.completion_tokens)
        key = ReplyKey(question().hash, SCOPE, 0)
        with log_of(bench) as log:
            assert log.get(key) == LoggedReply(key, Choice(text), "fake", endpoint.url, used)
    assert min(used.prompt_tokens, used.completion_tokens) > 0
    assert bench.executor.stats.to_json()["calls"] == 1


def test_logged_replies_are_not_asked_for_again(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        bench = Bench(endpoint, tmp_path)
        first = bench.fill(3)
        paid = bench.executor.stats
        assert bench.fill(3) == first
        replayed = bench.executor.stats
        assert endpoint.stats().requests == 1
    assert (paid.calls, paid.answers, paid.replayed) == (1, 3, 0)
    assert (replayed.calls, replayed.answers, replayed.replayed) == (0, 0, 3)
    assert (replayed.replayed_prompt_tokens, replayed.replayed_completion_tokens) == (
        paid.prompt_tokens,
        paid.completion_tokens,
    )


def test_more_draws_top_up_what_is_missing(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        bench = Bench(endpoint, tmp_path)
        five = bench.fill(5)
        eight = bench.fill(8)
        assert eight[:5] == five
        assert [sent.get("n", 1) for sent in endpoint.requests] == [5, 3]
        assert endpoint.requests[1]["seed"] == seed_from(question().hash, SCOPE, 5)
    assert len(set(eight)) == 8


def test_endpoint_that_ignores_n_is_asked_again(tmp_path: Path) -> None:
    with FakeEndpoint(ignores_n=True) as endpoint:
        bench = Bench(endpoint, tmp_path)
        texts = bench.fill(4)
        assert [sent.get("n", 1) for sent in endpoint.requests] == [4, 3, 2, 1]
    assert len(set(texts)) == 4


def test_choices_beyond_those_asked_for_are_dropped_and_their_tokens_counted(tmp_path: Path) -> None:
    body = (
        b'{"choices": [{"message": {"content": "a"}}, {"message": {"content": "b"}}],'
        b' "usage": {"prompt_tokens": 7, "completion_tokens": 9}}'
    )
    with FakeEndpoint(lambda _: Fault.raw(body)) as endpoint:
        bench = Bench(endpoint, tmp_path)
        assert bench.fill(1) == ("a",)
        assert bench.fill(4) == ("a", "a", "b", "a")
        with log_of(bench) as log:
            assert (log.count(), log.tally().calls, log.tally().tokens) == (4, 3, Usage(21, 27))


@settings(max_examples=15)
@given(st.lists(st.tuples(st.integers(0, 2), st.integers(1, 5)), min_size=1, max_size=8))
def test_gathered_fills_pay_for_each_draw_once(asked: list[tuple[int, int]]) -> None:
    """Any mix of questions and draw counts, at once: every draw is made once, and all agree on it."""

    async def work(executor: HttpExecutor) -> list[tuple[str, ...]]:
        filled = await asyncio.gather(*(executor.fill(question(q), SCOPE, n) for q, n in asked))
        return [tuple(reply.choice.text for reply in replies) for replies in filled]

    with tempfile.TemporaryDirectory() as folder, FakeEndpoint() as endpoint:
        bench = Bench(endpoint, Path(folder))
        texts = bench.sit(work)
        drawn = sum(sent.get("n", 1) for sent in endpoint.requests)
    most: dict[int, tuple[str, ...]] = {}
    for (number, _), got in zip(asked, texts, strict=True):
        most[number] = max(most.get(number, ()), got, key=len)
    assert drawn == sum(len(draws) for draws in most.values())
    assert texts == [most[number][:n] for number, n in asked]


def test_two_processes_on_one_log_agree_on_the_first_reply(tmp_path: Path) -> None:
    async def both(first: HttpExecutor) -> list[Any]:
        model = OpenAIChat(endpoint.url, "fake")
        with ReplyLog.open(bench.path) as log:
            second = HttpExecutor(model, log, Limits(), Budget().at(None))
            replies = await asyncio.gather(*(e.fill(question(), SCOPE, 2) for e in (first, second)))
            await model.close()
        return replies

    serial = iter(range(100))
    with FakeEndpoint(lambda body: f"reply {next(serial)}", latency=0.05) as endpoint:
        bench = Bench(endpoint, tmp_path)
        one, other = bench.sit(both)
        assert endpoint.stats().requests == 2
    assert one == other


def test_slots_bound_what_is_in_flight(tmp_path: Path) -> None:
    with FakeEndpoint(latency=0.03) as endpoint:
        assert len(Bench(endpoint, tmp_path).many(40, concurrency=8)) == 40
        assert endpoint.stats().peak_in_flight == 8


def test_failed_tries_are_logged_and_tried_again(tmp_path: Path) -> None:
    with FakeEndpoint(script=[Fault.http(503), Fault("reset"), Fault("html")]) as endpoint:
        bench = Bench(endpoint, tmp_path)
        assert bench.fill(retries=3)
        assert len({sent["seed"] for sent in endpoint.requests}) == 1
        with log_of(bench) as log:
            assert log.tally().attempts == {"http_503": 1, "reset": 1, "not_json_body": 1}
            assert log.tally().calls == 4
    assert bench.executor.stats.attempts == {"http_503": 1, "reset": 1, "not_json_body": 1}


def test_retries_end_in_no_answer_that_says_why_and_stays_open(tmp_path: Path) -> None:
    with FakeEndpoint(script=[Fault.http(500)] * 2) as endpoint:
        bench = Bench(endpoint, tmp_path)
        with pytest.raises(NoAnswer, match=r"2 tries.*127\.0\.0\.1.*HTTP 500: injected") as caught:
            bench.fill(retries=1)
        assert caught.value.cause == "http_500"
        assert bench.fill()


def test_all_who_asked_share_a_failure(tmp_path: Path) -> None:
    async def work(executor: HttpExecutor) -> list[Any]:
        fills = (executor.fill(question(), SCOPE, 1) for _ in range(5))
        return await asyncio.gather(*fills, return_exceptions=True)

    with FakeEndpoint(lambda body: Fault.http(500)) as endpoint:
        results = Bench(endpoint, tmp_path).sit(work, retries=0)
        assert endpoint.stats().requests == 1
    assert [getattr(result, "cause", None) for result in results] == ["http_500"] * 5


def test_refusal_is_logged_and_replays(tmp_path: Path) -> None:
    with FakeEndpoint(lambda body: Fault.http(400, "too long", code="context_length_exceeded")) as endpoint:
        bench = Bench(endpoint, tmp_path)
        causes = []
        for _ in range(2):
            with pytest.raises(NoAnswer, match="HTTP 400: too long") as caught:
                bench.fill()
            causes.append(caught.value.cause)
        assert causes == ["context_length"] * 2
        assert endpoint.stats().requests == 1


def test_everything_arrives_through_errors_resets_and_a_cap(tmp_path: Path) -> None:
    shares = {Fault.http(500): 0.05, Fault("reset"): 0.02, Fault("cut_body"): 0.02, Fault("html"): 0.02}
    with FakeEndpoint(shares=shares, cap=16, retry_after=None, latency=0.01) as endpoint:
        bench = Bench(endpoint, tmp_path)
        texts = bench.many(200, concurrency=24)
        stats = endpoint.stats()
        assert len(set(texts)) == 200
        assert stats.repeats_after_answered == 0
        assert stats.faults["http_429"] > 0
        assert stats.distinct_answered == 200
        with log_of(bench) as log:
            assert log.count() == 200
            assert log.tally().calls == stats.requests == bench.executor.stats.calls
        assert bench.many(200) == texts
        assert endpoint.stats().requests == stats.requests


def test_429_is_no_retry(tmp_path: Path) -> None:
    with FakeEndpoint(limited_for=0.9, retry_after="0.5") as endpoint:
        texts = Bench(endpoint, tmp_path).many(30, concurrency=4, retries=0)
        assert all(isinstance(text, str) for text in texts)
        assert 1 <= endpoint.stats().faults["http_429"] <= 8  # the slots' calls, and none in between


def test_retry_after_of_one_call_pauses_all(tmp_path: Path) -> None:
    arrivals: list[float] = []

    def noted(body: dict[str, Any]) -> str:
        arrivals.append(time.monotonic())
        return "an answer"

    with FakeEndpoint(noted, script=[Fault.http(429, retry_after="0.6")]) as endpoint:
        began = time.monotonic()
        Bench(endpoint, tmp_path).many(20, concurrency=2)
    assert len(arrivals) == 20
    assert sum(arrival - began < 0.6 for arrival in arrivals) <= 1  # what was under way already


def test_429_for_longer_than_patience_is_no_answer(tmp_path: Path) -> None:
    with FakeEndpoint(lambda body: Fault.http(429, retry_after="0")) as endpoint:
        with pytest.raises(NoAnswer, match="held up for") as caught:
            Bench(endpoint, tmp_path).fill(patience=0.5)
        assert caught.value.cause == "http_429"


def test_retry_after_beyond_patience_ends_the_run_at_once(tmp_path: Path) -> None:
    with FakeEndpoint(lambda body: Fault.http(429, retry_after="86400")) as endpoint:
        results = Bench(endpoint, tmp_path).many(50, concurrency=2)
        assert all(isinstance(result, EndpointError) for result in results)
        assert "asks to wait 86400 s" in str(results[0])
        assert endpoint.stats().requests <= 2


@pytest.mark.parametrize(
    ("setting", "message"),
    [({"key": "right"}, "wants a key"), ({"model": "other"}, "no model 'fake'.* offers other")],
)
def test_endpoint_error_stops_all_that_wait_and_all_that_come(
    tmp_path: Path, setting: dict[str, str], message: str
) -> None:
    async def work(executor: HttpExecutor) -> list[Any]:
        waiting = [executor.fill(question(n), SCOPE, 1) for n in range(50)]
        results = await asyncio.gather(*waiting, return_exceptions=True)
        return [
            *results,
            *await asyncio.gather(executor.fill(question(99), SCOPE, 1), return_exceptions=True),
        ]

    with FakeEndpoint(**setting) as endpoint:  # type: ignore[arg-type]
        results = Bench(endpoint, tmp_path).sit(work, concurrency=4)
        assert {type(result) for result in results} == {EndpointError}
        with pytest.raises(EndpointError, match=message):
            raise results[-1]
        assert endpoint.stats().requests <= 4


def test_endpoint_that_is_not_there_is_told_within_seconds(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        bench = Bench(endpoint, tmp_path)
    began = time.monotonic()
    results = bench.many(100, concurrency=32)
    assert time.monotonic() - began < 8
    assert {type(result) for result in results} == {EndpointError}
    assert f"cannot reach {endpoint.url}" in str(results[0])
    assert "start the server or correct roles.teacher.endpoint" in str(results[0])
    with log_of(bench) as log:
        assert set(log.tally().attempts) == {"unreachable"}


def test_endpoint_that_comes_back_goes_on(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        bench = Bench(endpoint, tmp_path)
        port = int(endpoint.url.rpartition(":")[2].removesuffix("/v1"))

        async def work(executor: HttpExecutor) -> str:
            await executor.fill(question(1), SCOPE, 1)
            endpoint.close()
            waiting = asyncio.create_task(executor.fill(question(2), SCOPE, 1))
            await asyncio.sleep(0.3)
            with FakeEndpoint(port=port):
                return (await waiting)[0].choice.text

        assert bench.sit(work, retries=1)  # the end of the pooled connection is a try like any other
    assert bench.executor.stats.attempts.total() >= 1


def test_budget_stops_before_the_request_that_would_pass_it(tmp_path: Path) -> None:
    with FakeEndpoint(script=[Fault.http(500)]) as endpoint:
        bench = Bench(endpoint, tmp_path)
        results = bench.many(20, budget=Budget(Caps(requests=10), spent=Amount(2)), concurrency=3)
        assert endpoint.stats().requests == 8
        assert sum(isinstance(result, str) for result in results) == 7
        reached = next(result for result in results if isinstance(result, BudgetReached))
        assert "all 10 requests of budget.requests are spent" in str(reached)
        assert all(isinstance(result, str) for result in bench.many(20, budget=Budget(Caps(requests=13))))
        assert endpoint.stats().repeats_after_answered == 0


@pytest.mark.parametrize("concurrency", [1, 3, 32])
def test_budget_holds_where_the_endpoint_refuses_parameters(tmp_path: Path, concurrency: int) -> None:
    async def one(executor: HttpExecutor, number: int) -> str:
        return (await executor.fill(question(number)._replace(schema=SCHEMA), SCOPE, 1))[0].choice.text

    async def work(executor: HttpExecutor) -> list[Any]:
        return await asyncio.gather(*(one(executor, n) for n in range(20)), return_exceptions=True)

    with FakeEndpoint(refuses=["seed", "response_format"], latency=0.01) as endpoint:
        bench, budget = Bench(endpoint, tmp_path), Budget(Caps(requests=10))
        results = bench.sit(work, budget=budget, concurrency=concurrency)
        sent, served = endpoint.stats().requests, endpoint.stats().answered
        refused = sum("seed" in body or "response_format" in body for body in endpoint.requests)
    assert sent == budget.spent.requests == bench.executor.stats.calls == 10
    assert sum(isinstance(result, str) for result in results) == served == 10 - refused
    assert {type(result) for result in results} <= {str, BudgetReached}
    with log_of(bench) as log:
        assert log.tally().attempts == {"parameter_refused": refused}
        assert log.tally().calls == 10


def test_refused_parameter_is_no_retry_and_no_wait(tmp_path: Path) -> None:
    async def work(executor: HttpExecutor) -> int:
        return len(await executor.fill(question()._replace(schema=SCHEMA), SCOPE, 2))

    with FakeEndpoint(refuses=["seed", "n", "max_tokens", "response_format"]) as endpoint:
        bench = Bench(endpoint, tmp_path)
        began = time.monotonic()
        assert bench.sit(work, retries=0) == 2
        assert time.monotonic() - began < 1  # five backoffs would take 8 s on average
    assert bench.executor.stats.attempts == {"parameter_refused": 5}


def test_cancelled_caller_leaves_what_came_back_in_the_log(tmp_path: Path) -> None:
    """Cancelled at random moments around the answer: whatever the log has is whole, and not paid again."""

    async def work(executor: HttpExecutor) -> None:
        fills = [asyncio.create_task(executor.fill(question(n), SCOPE, 2)) for n in range(60)]
        for task in fills:
            await asyncio.sleep(0.002)
            task.cancel()
        await asyncio.gather(*fills, return_exceptions=True)

    with FakeEndpoint(latency=0.004) as endpoint:
        bench = Bench(endpoint, tmp_path)
        bench.sit(work, concurrency=4)
        with log_of(bench) as log:
            kept = log.count()
            whole = [log.get_many(question(n).hash, SCOPE, 2) for n in range(60)]
        assert bench.executor.stats.answers == kept  # all that came back is there, awaited or not
        assert all((a is None) == (b is None) for a, b in whole)
        before = endpoint.stats().requests
        bench.many(60)
        assert endpoint.stats().requests - before == 60 - kept // 2


def test_cancel_while_the_commit_is_pending_still_commits(tmp_path: Path) -> None:
    async def work(executor: HttpExecutor) -> None:
        filling = asyncio.create_task(executor.fill(question(), SCOPE, 1))
        while not executor.stats.answers:  # counted when the response is in and its commit begins
            await asyncio.sleep(0)
        assert not filling.done()
        filling.cancel()
        with pytest.raises(asyncio.CancelledError):
            await filling
        await executor.drain()

    with FakeEndpoint() as endpoint:
        bench = Bench(endpoint, tmp_path)
        bench.sit(work)
        assert bench.fill()
        assert endpoint.stats().requests == 1


def test_useless_answers_are_answers(tmp_path: Path) -> None:
    useless = [Answer("", "length"), Answer(None, message={"refusal": "no"}), Answer("not what was asked")]
    with FakeEndpoint(lambda body: useless[body["choice"]]) as endpoint:
        bench = Bench(endpoint, tmp_path)
        assert bench.fill(3) == bench.fill(3) == ("", "no", "not what was asked")
        assert endpoint.stats().requests == 1


def test_hang_is_logged_and_tried_again(tmp_path: Path) -> None:
    with FakeEndpoint(script=[Fault("hang")]) as endpoint:
        bench = Bench(endpoint, tmp_path)
        assert bench.fill(timeout=0.3)
        with log_of(bench) as log:
            assert log.tally().attempts == {"timeout": 1}


FILLS_TWO_HUNDRED = """
import asyncio, sys
from pathlib import Path
from seedbed.core.chat import ChatRequest, Message
from seedbed.models.budget import Budget
from seedbed.models.executor import HttpExecutor
from seedbed.models.limits import Limits
from seedbed.models.openai_wire import OpenAIChat
from seedbed.store.replies import ReplyLog

async def main():
    model = OpenAIChat(sys.argv[1], "fake")
    with ReplyLog.open(Path(sys.argv[2])) as log:
        executor = HttpExecutor(model, log, Limits(concurrency=16), Budget().at(None))
        questions = [ChatRequest("fake", (Message("user", f"Question {n}?"),)) for n in range(200)]
        await asyncio.gather(*(executor.fill(question, b"s" * 16, 1) for question in questions))
    await model.close()

asyncio.run(main())
"""


def test_nothing_logged_before_a_kill_is_asked_for_after_it(tmp_path: Path) -> None:
    moments, kills = random.Random(11), 0
    with FakeEndpoint(latency=0.03) as endpoint:
        bench = Bench(endpoint, tmp_path)
        while True:
            with log_of(bench) as log:
                logged = {n for n in range(200) if log.get(ReplyKey(question(n).hash, SCOPE, 0))}
            if len(logged) == 200:
                break
            before = len(endpoint.requests)
            command = [sys.executable, "-c", FILLS_TWO_HUNDRED, endpoint.url, str(bench.path)]
            process = subprocess.Popen(command)
            while len(endpoint.requests) == before and process.poll() is None:
                time.sleep(0.005)
            time.sleep(moments.uniform(0.04, 0.2))
            process.send_signal(signal.SIGKILL)
            kills += process.wait() == -signal.SIGKILL
            asked = {sent["messages"][0]["content"] for sent in endpoint.requests[before:]}
            assert not asked & {f"Question {n}?" for n in logged}
    assert kills >= 2
