"""The budget: no cap is passed in any order of events, and what failed attempts are charged."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.chat import ChatReply, ChatRequest, Choice, Message, Sampling, Usage
from seedbed.core.errors import AttemptFailed, BudgetReached, EndpointError, RequestRefused
from seedbed.core.money import NANO, Amount, Charge, Price, nano, shown_dollars
from seedbed.models.budget import Budget, Caps, worst_case
from seedbed.models.executor import HttpExecutor
from seedbed.models.limits import Limits
from seedbed.models.openai_wire import OpenAIChat
from seedbed.store.replies import ReplyLog
from tests.fake_endpoint import Answer, FakeEndpoint, Fault

PRICE = Price.per_million(0.15, 0.6)
SCOPE = b"s" * 16


def question(number: int = 0, text: str = "Question", most: int = 50, n: int = 1) -> ChatRequest:
    messages = (Message("system", "Answer."), Message("user", f"{text} {number}?"))
    return ChatRequest("fake", messages, Sampling(max_tokens=most), n=n)


def test_prices_and_sums_are_exact() -> None:
    assert PRICE.of(Usage(1_000_000, 1_000_000)) == 0.75 * NANO
    assert PRICE.of(Usage(1)) == 150
    assert Price.per_million(0.0375, 0.1).of(Usage(1)) == 38  # 37.5, rounded up
    cached = Price.per_million(2, 8, 0.5)
    assert cached.of(Usage(100, 0, cached_tokens=40)) == 60 * 2000 + 40 * 500
    assert PRICE.of(Usage(100, 0, cached_tokens=40)) == 100 * 150
    assert Price.from_json(cached.to_json()) == cached
    assert nano("0.1") + nano(0.2) == nano(0.3)
    assert [shown_dollars(nano(x)) for x in (0, 1234.5, 0.25, 0.00123)] == [
        "$0.00", "$1,234.50", "$0.2500", "$0.00123"
    ]  # fmt: skip


@given(st.integers(0, 10**9), st.integers(0, 10**12), st.integers(1, 16))
def test_shares_of_a_call_sum_up_to_it(tokens: int, cost: int, parts: int) -> None:
    shares = Charge(tokens, cost).split(parts)
    assert sum(share.tokens for share in shares) == tokens
    assert sum(share.cost or 0 for share in shares) == cost
    assert [share.cost for share in Charge(tokens).split(parts)] == [None] * parts


@given(st.text(st.characters(exclude_categories=())), st.integers(1, 8))
def test_a_bound_has_a_token_for_each_byte_and_for_all_that_is_asked_for(text: str, n: int) -> None:
    request = question(text=text, n=n)
    bound = worst_case(request)
    size = sum(len(message.content.encode("utf-8", "surrogatepass")) for message in request.messages)
    assert bound.prompt_tokens > size
    assert bound.completion_tokens == n * 50
    with_schema = request._replace(schema={"type": "object", "properties": {}})
    assert worst_case(with_schema).prompt_tokens > bound.prompt_tokens


whole, prompt, nothing = "whole", "prompt", "nothing"
RULE: list[tuple[BaseException, str]] = [
    (AttemptFailed("timeout", ""), whole),
    (AttemptFailed("reset", ""), whole),
    (AttemptFailed("cut_short", ""), whole),
    (AttemptFailed("not_json_body", "", status=200), whole),
    (AttemptFailed("empty_choices", "", status=200), whole),
    (asyncio.CancelledError(), whole),
    (AttemptFailed("http_500", "", status=500), prompt),
    (AttemptFailed("http_503", "", status=503), prompt),
    (EndpointError("asks to wait for a year", status=503), prompt),
    (AttemptFailed("http_429", "", status=429), nothing),
    (AttemptFailed("http_408", "", status=408), nothing),
    (AttemptFailed("unreachable", ""), nothing),
    (RequestRefused("context_length", "", status=400), nothing),
    (EndpointError("wrong key", status=401), nothing),
    (EndpointError("no trusted TLS connection"), nothing),
]


@pytest.mark.parametrize(("error", "rule"), RULE, ids=lambda value: str(value) or type(value).__name__)
def test_what_a_failed_attempt_is_charged(error: BaseException, rule: str) -> None:
    async def main() -> Charge:
        budget = Budget()
        with pytest.raises(type(error)), await budget.at(PRICE).reserve(question()):
            raise error
        assert budget.reserved == Amount()
        assert budget.spent.requests == 1
        return Charge(budget.spent.tokens, budget.spent.cost)

    bound = worst_case(question())
    used = {whole: bound, prompt: Usage(bound.prompt_tokens), nothing: Usage()}[rule]
    assert asyncio.run(main()) == Charge(used.prompt_tokens + used.completion_tokens, PRICE.of(used))


@pytest.mark.parametrize("usage", [Usage(), Usage(0, 9), Usage(12, 0)])
def test_a_reply_that_does_not_tell_its_usage_is_charged_its_reservation(usage: Usage) -> None:
    async def main() -> tuple[Charge, Charge]:
        reservation = await Budget().at(PRICE).reserve(question())
        other = await Budget().at(PRICE).reserve(question())
        reply = ChatReply((Choice("an answer"),), "m", usage)
        return reservation.settle(reply), other.settle(reply._replace(usage=Usage(12, 3)))

    bound = worst_case(question())
    charge, told = asyncio.run(main())
    assert charge == Charge(bound.prompt_tokens + bound.completion_tokens, PRICE.of(bound))
    assert told == Charge(15, PRICE.of(Usage(12, 3)), told=True)


ENDINGS = ["reply", "cheap", "timeout", "http_500", "http_429", "cancel"]


class Bill:
    """What the endpoint would charge at most for each ending; the truth that the budget may not pass."""

    def __init__(self) -> None:
        self.cost = 0
        self.tokens = 0
        self.requests = 0

    def add(self, usage: Usage) -> None:
        self.cost += PRICE.of(usage)
        self.tokens += usage.prompt_tokens + usage.completion_tokens


@settings(max_examples=60)
@given(
    endings=st.lists(st.sampled_from(ENDINGS), min_size=1, max_size=60),
    seed=st.integers(0, 2**32),
    caps=st.builds(
        Caps,
        requests=st.none() | st.integers(1, 40),
        tokens=st.none() | st.integers(1, 9_000),
        cost=st.none() | st.integers(1, 3_000_000),
    ),
    width=st.integers(1, 64),
    spent=st.builds(Amount, st.integers(0, 3), st.integers(0, 900), st.integers(0, 200_000)),
)
def test_no_cap_is_passed_in_any_order_of_events(
    endings: list[str], seed: int, caps: Caps, width: int, spent: Amount
) -> None:
    dice, bill = random.Random(seed), Bill()
    marks: list[Amount] = []

    async def one(budget: Budget, slots: asyncio.Semaphore, number: int, ending: str) -> str:
        request = question(number, "x" * dice.randrange(200), most=dice.randrange(1, 80))
        async with slots:
            try:
                with await budget.at(PRICE).reserve(request) as reservation:
                    bill.requests += 1
                    assert budget.outstanding.within(marks[-1])
                    for _ in range(dice.randrange(4)):
                        await asyncio.sleep(0)
                    bound = reservation.bound
                    if ending in ("reply", "cheap"):
                        share = 1 if ending == "reply" else 20
                        used = Usage(
                            max(1, bound.prompt_tokens // share), max(1, bound.completion_tokens // share)
                        )
                        bill.add(used)
                        reservation.settle(ChatReply((Choice("a"),), "m", used))
                    elif ending == "http_429":
                        raise AttemptFailed(ending, "", status=429)
                    elif ending == "http_500":
                        bill.add(Usage(bound.prompt_tokens))
                        raise AttemptFailed(ending, "", status=500)
                    elif ending == "cancel":
                        bill.add(bound)
                        raise asyncio.CancelledError
                    else:
                        bill.add(bound)
                        raise AttemptFailed("timeout", "")
            except AttemptFailed:
                return "failed"
            except asyncio.CancelledError:
                return "cancelled"
            except BudgetReached:
                return "reached"
            finally:
                for cap, billed in (
                    (caps.cost, spent.cost + bill.cost),
                    (caps.tokens, spent.tokens + bill.tokens),
                    (caps.requests, spent.requests + bill.requests),
                ):
                    assert cap is None or billed <= cap or not bill.requests
        return "replied"

    async def main() -> list[str]:
        budget = Budget(caps, spent=spent, keep=marks.append)
        slots = asyncio.Semaphore(width)
        ended = await asyncio.gather(
            *(one(budget, slots, number, ending) for number, ending in enumerate(endings))
        )
        assert budget.reserved == Amount()
        assert budget.spent == spent + Amount(bill.requests, bill.tokens, bill.cost)
        assert budget.unlogged == Amount(bill.requests, bill.tokens, bill.cost)
        return ended

    ended = asyncio.run(main())
    assert len(ended) == len(endings)
    if caps == Caps():
        assert "reached" not in ended


def test_what_is_in_flight_gives_back_and_only_then_the_budget_is_reached() -> None:
    """64 worst cases are ten times the cap, and still nearly all of it is spent."""
    worst = PRICE.of(worst_case(question()))
    cap = 6 * worst

    async def one(budget: Budget) -> bool:
        try:
            with await budget.at(PRICE).reserve(question()) as reservation:
                await asyncio.sleep(0)
                reservation.settle(ChatReply((Choice("a"),), "m", Usage(20, 10)))
        except BudgetReached:
            return False
        return True

    async def main() -> tuple[int, int]:
        budget = Budget(Caps(cost=cap))
        answered = sum(await asyncio.gather(*(one(budget) for _ in range(400))))
        return answered, budget.spent.cost

    answered, cost = asyncio.run(main())
    assert cost == answered * PRICE.of(Usage(20, 10))
    assert cap - worst < cost <= cap


def test_an_endpoint_that_uses_more_than_it_was_asked_for_is_told_and_bounded_from_then_on() -> None:
    notes: list[str] = []

    async def main() -> None:
        budget = Budget(Caps(cost=nano(0.0015)), note=notes.append)
        with await budget.at(PRICE).reserve(question(most=50)) as reservation:
            reservation.settle(ChatReply((Choice("a"),), "m", Usage(30, 900)))
        assert budget.spent.cost == PRICE.of(
            Usage(30, 900)
        )  # what was spent is spent, whatever was set aside
        with await budget.at(PRICE).reserve(question(most=50)) as reservation:
            assert reservation.bound.completion_tokens == 900
            reservation.settle(ChatReply((Choice("a"),), "m", Usage(30, 1200)))
        with pytest.raises(BudgetReached, match="used more than it was asked for"):
            await budget.at(PRICE).reserve(question(most=50))

    asyncio.run(main())
    (note,) = notes
    assert "30 prompt tokens and 900 of output where" in note
    assert "and 50 were the most" in note


def test_time_counts_over_sittings() -> None:
    now = 100.0

    async def main() -> None:
        nonlocal now
        budget = Budget(Caps(seconds=60.0), seconds=50.0, clock=lambda: now)
        (await budget.at(None).reserve(question())).fail(None)
        now += 10
        assert budget.seconds == 60
        with pytest.raises(BudgetReached, match=r"60 s of budget\.time are over; raise it \(or --max-time\)"):
            await budget.at(None).reserve(question())

    asyncio.run(main())


def test_two_executors_with_different_prices_share_one_budget(tmp_path: Path) -> None:
    """Cheap and dear calls add up in one budget and, by SQL, in one log."""
    dear = Price.per_million(15, 60)

    async def main(endpoint: FakeEndpoint) -> tuple[Budget, list[Any]]:
        budget = Budget(Caps(cost=nano(0.05)))
        with ReplyLog.open(tmp_path / "replies.sqlite") as log:
            models = [OpenAIChat(endpoint.url, "fake") for _ in range(2)]
            executors = [
                HttpExecutor(model, log, Limits(concurrency=8), budget.at(price))
                for model, price in zip(models, (PRICE, dear), strict=True)
            ]
            ended = await asyncio.gather(
                *(executors[at % 2].fill(question(at, n=1), SCOPE, 1) for at in range(200)),
                return_exceptions=True,
            )
            for executor in executors:
                await executor.drain()
            assert log.tally().spent.cost == budget.spent.cost
            assert log.tally().spent.priced_calls == log.tally().calls == budget.spent.requests
            for model in models:
                await model.close()
        return budget, ended

    with FakeEndpoint() as endpoint:
        budget, ended = asyncio.run(main(endpoint))
    assert 0 < budget.spent.cost <= nano(0.05)
    assert any(isinstance(end, BudgetReached) for end in ended)
    assert budget.outstanding == Amount()


def test_choices_of_one_call_carry_its_charge_once(tmp_path: Path) -> None:
    async def main(endpoint: FakeEndpoint) -> None:
        budget = Budget()
        model = OpenAIChat(endpoint.url, "fake")
        with ReplyLog.open(tmp_path / "replies.sqlite") as log:
            executor = HttpExecutor(model, log, Limits(), budget.at(PRICE))
            await executor.fill(question(), SCOPE, 3)
            tokens, spent = log.tally().tokens, log.tally().spent
            assert spent.cost == PRICE.of(tokens) == budget.spent.cost
            assert (spent.tokens, spent.by_rule) == (tokens.prompt_tokens + tokens.completion_tokens, 0)
        await model.close()

    with FakeEndpoint(lambda body: Answer("one of three choices")) as endpoint:
        asyncio.run(main(endpoint))
        assert endpoint.stats().requests == 1


@pytest.mark.parametrize("fault", [Fault("empty_choices"), Fault.http(500), Fault("reset")])
def test_a_failed_attempt_is_charged_in_the_log(tmp_path: Path, fault: Fault) -> None:
    async def main(endpoint: FakeEndpoint) -> None:
        budget = Budget()
        model = OpenAIChat(endpoint.url, "fake")
        with ReplyLog.open(tmp_path / "replies.sqlite") as log:
            executor = HttpExecutor(model, log, Limits(), budget.at(PRICE))
            await executor.fill(question(), SCOPE, 1)
            spent = log.tally().spent
            assert spent.cost == budget.spent.cost > PRICE.of(log.tally().tokens)
            assert spent.by_rule == spent.cost - PRICE.of(log.tally().tokens)
        assert budget.outstanding == Amount()
        await model.close()

    with FakeEndpoint(script=[fault]) as endpoint:
        asyncio.run(main(endpoint))
