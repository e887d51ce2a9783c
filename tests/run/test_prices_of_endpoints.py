"""What a request costs is for the endpoint to say that it goes to."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from seedbed.core.chat import ChatRequest, Message, Sampling
from seedbed.core.errors import RecipeError
from seedbed.core.money import Price
from seedbed.models.budget import Budget, worst_case
from seedbed.models.prices import listed_price
from seedbed.run.loading import load_bound
from seedbed.run.pricing import price_of, prices_of
from tests.cli.workspace import Workspace

OPENAI, DEEPSEEK = "https://api.openai.com/v1", "https://api.deepseek.com/v1"
WORD = {"terms": "read by us", "allows_training": True}


def roles(*endpoints: object) -> dict[str, object]:
    return {"teacher": {"model": "gpt-4o-mini", "endpoint": list(endpoints), "licence": WORD}}


def test_each_endpoint_has_its_own_price_and_forecasts_take_the_dearest(tmp_path: Path) -> None:
    other = {"url": DEEPSEEK, "model": "deepseek-chat"}
    pytest.importorskip("genai_prices", reason="the extra `prices` is not installed")
    Workspace.make(tmp_path, roles=roles(OPENAI, other), budget={"cost": 5})
    role = load_bound(tmp_path, []).recipe.teacher
    one, two = listed_price("gpt-4o-mini", OPENAI), listed_price("deepseek-chat", DEEPSEEK)
    assert one is not None
    assert two is not None
    assert prices_of(role) == [one, two]
    dearest = price_of(role)
    assert dearest is not None
    assert (dearest.input, dearest.output) == (max(one.input, two.input), max(one.output, two.output))


def test_an_endpoint_without_a_price_is_named(tmp_path: Path) -> None:
    unknown = {"url": "http://127.0.0.1:9/v1", "model": "of my own"}
    pytest.importorskip("genai_prices", reason="the extra `prices` is not installed")
    Workspace.make(tmp_path, roles=roles(OPENAI, unknown), budget={"cost": 5})
    with pytest.raises(RecipeError) as caught:
        load_bound(tmp_path, [])
    (problem,) = caught.value.problems
    assert problem.key == "roles.teacher.price"
    assert "'of my own' is served by this machine" in problem.message
    bound = load_bound(tmp_path, ["budget={tokens: 900}"])
    assert price_of(bound.recipe.teacher) is None


def test_what_is_set_aside_is_at_the_price_of_the_endpoint() -> None:
    request = ChatRequest("m", (Message("user", "Hello"),), Sampling(max_tokens=50))
    cheap, dear = Price.per_million(1, 2), Price.per_million(10, 20)
    worst = worst_case(request)

    async def set_aside() -> list[int]:
        purse = Budget().at(dear, {"http://one": cheap, "http://two": dear})
        costs = []
        for endpoint in ("http://one", "http://two", "http://three"):
            reservation = await purse.reserve(request, endpoint)
            costs.append(reservation.amount.cost)
            reservation.fail(None)
        return costs

    assert asyncio.run(set_aside()) == [cheap.of(worst), dear.of(worst), dear.of(worst)]
