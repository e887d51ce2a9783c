"""Prices of hosted models, by the list that comes with genai-prices, and of others none."""

from __future__ import annotations

import pytest

from seedbed.core.money import Price
from seedbed.models.prices import listed_price, on_this_machine


@pytest.mark.parametrize(
    ("model", "url"),
    [
        ("gpt-4o-mini", "http://127.0.0.1:8000/v1"),
        ("gpt-4o-mini", "http://localhost:8000/v1"),
        ("gpt-4o-mini", "http://[::1]:8000/v1"),
        ("gpt-4o-mini", "https://llm.example.org/v1"),
        ("a-model-that-nobody-has", "https://api.openai.com/v1"),
    ],
)
def test_a_model_of_ones_own_or_an_unknown_one_has_no_price(model: str, url: str) -> None:
    assert listed_price(model, url) is None


def test_what_this_machine_is() -> None:
    assert on_this_machine("http://127.8.0.1/v1")
    assert not on_this_machine("http://10.0.0.1/v1")


def test_a_hosted_model_has_the_price_of_the_list() -> None:
    pytest.importorskip("genai_prices", reason="the extra `prices` is not installed")
    found = listed_price("gpt-4o-mini", "https://api.openai.com/v1")
    assert found is not None
    assert found.source.startswith("genai-prices ")
    assert found == Price.per_million("0.15", "0.6", "0.075", found.source)


def test_every_price_of_the_list_can_be_read() -> None:
    """No price of the list breaks the reading, and none that is read costs less than it says."""
    pytest.importorskip("genai_prices", reason="the extra `prices` is not installed")
    from genai_prices import data_snapshot

    provider = next(p for p in data_snapshot.get_snapshot().providers if p.id == "anthropic")
    prices = [listed_price(model.id, "https://api.anthropic.com/v1") for model in provider.models]
    known = [price for price in prices if price is not None]
    assert len(known) > 3
    assert all(0 < price.input < price.output for price in known)
