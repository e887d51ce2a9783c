"""The requests of an embedder are requests: under every cap, in the money, and paid for once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.run.loading import load_bound
from tests.cli.workspace import Workspace
from tests.fake_endpoint import FakeEndpoint

PRICE, EMBEDDED = {"input": 1, "output": 2}, {"input": 50}


def recipe(url: str, **embedder: Any) -> dict[str, Any]:
    teacher = {"model": "fake", "endpoint": url, "licence": "mit", "price": PRICE, "max_tokens": 200}
    return {
        "roles": {"teacher": teacher, "embedder": {"model": "fake", "endpoint": url, **embedder}},
        "generate": {"target": 60, "axes": {"tone": ["calm", "cross"], "length": ["short", "long"]}},
    }


def read(endpoint: FakeEndpoint) -> int:
    """Tokens by the endpoint's own count, which is a quarter of the characters of each request."""
    return sum(sum(map(len, body["input"])) // 4 for body in endpoint.embedded)


def test_caps_hold_and_the_money_has_the_embedder(tmp_path: Path) -> None:
    with FakeEndpoint() as endpoint:
        workspace = Workspace.make(tmp_path, **recipe(endpoint.url, price=EMBEDDED, batch=16))
        done = workspace.run("run", ".", "--max-requests", "62", "--json")
        first = done.json
        assert endpoint.stats().requests == 60
        # Two of its requests fit; the measures are then the offline embedder's, and the run is whole.
        assert len(endpoint.embedded) == 2
        assert "measured by the offline embedder instead of roles.embedder: budget: all 62" in done.err
        assert first["measures"]["embedder"] == "lexical"
        assert first["cost"]["requests"] <= 62

        done = workspace.run("run", ".", "--max-cost", "5", "--json")
        summary = done.json
        assert summary["measures"]["embedder"] == "fake"
        assert endpoint.stats().requests == 60
        cost = summary["cost"]
        assert cost["embedder"] == {"requests": len(endpoint.embedded), "tokens": read(endpoint)}
        assert (
            cost["requests"]
            == 60 + len(endpoint.embedded)
            == summary["calls"]["requests"] + len(endpoint.embedded)
        )
        calls = summary["calls"]
        paid = calls["prompt_tokens"] * 1e-6 + calls["completion_tokens"] * 2e-6 + read(endpoint) * 50e-6
        assert cost["money"]["spent"] == pytest.approx(paid, rel=1e-6)
        assert cost["money"]["unpriced_calls"] == 0
        assert "embedder" in workspace.run("report", ".").out
        sent = len(endpoint.embedded)

        # What it cost counts towards the next sitting's caps, and no text is sent twice.
        done = workspace.run("run", ".", "--target", "64", "--max-cost", str(round(paid, 4)), expect=4)
        assert "of budget.cost are spent" in done.err
        assert (endpoint.stats().requests, len(endpoint.embedded)) == (60, sent)


def test_an_embedder_without_a_price_is_refused_beside_a_cap_of_money(tmp_path: Path) -> None:
    Workspace.make(tmp_path, **recipe("http://127.0.0.1:9/v1"), budget={"cost": 5})
    with pytest.raises(RecipeError) as caught:
        load_bound(tmp_path, [])
    (problem,) = caught.value.problems
    assert problem.key == "roles.embedder.price"
    assert "price: {input: …};" in problem.message
    assert load_bound(tmp_path, ["roles.embedder.price.input=0.02"]).recipe.budget.cost == 5
    assert load_bound(tmp_path, ["budget={tokens: 5000, requests: 9}"]).recipe.budget.tokens == 5000
