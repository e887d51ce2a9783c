"""Embeddings: both forms, batches, errors, and a cache that pays for no text twice. A real server answers."""

from __future__ import annotations

import asyncio
import base64
import json
import struct
from collections import Counter
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pytest

from seedbed.core.errors import BudgetReached, EndpointError, NoAnswer, StoreError
from seedbed.core.money import Amount, Charged, Price
from seedbed.core.protocols import Embed
from seedbed.models.budget import MESSAGE_TOKENS, Budget, Caps
from seedbed.models.embedder import Embedder
from seedbed.models.limits import Limits
from seedbed.models.openai_embeddings import OpenAIEmbeddings
from seedbed.models.pool import Lane, Pool
from seedbed.store.vectors import VectorCache
from tests.fake_endpoint import FakeEndpoint, Fault, vector_of

T = TypeVar("T")
TEXTS = [f"a text about number {n} " + "and so on " * (n % 7) for n in range(50)]


class Bench:
    def __init__(self, folder: Path) -> None:
        self.path = folder / "vectors.sqlite"
        self.embedder: Embedder

    def sit(
        self,
        urls: list[str],
        work: Callable[[Embedder], Awaitable[T]],
        *,
        revision: str | None = None,
        retries: int = 5,
        **settings: Any,
    ) -> T:
        async def main() -> T:
            models = [OpenAIEmbeddings(url, "fake", timeout=5.0) for url in urls]
            pool = Pool([Lane(model, 4, role="embedder") for model in models], role="embedder")
            with VectorCache.open(self.path) as cache:
                limits = Limits(retries=retries)
                self.embedder = Embedder(pool, cache, "fake", revision, limits=limits, **settings)
                try:
                    return await work(self.embedder)
                finally:
                    for model in models:
                        await model.close()

        return asyncio.run(main())

    def embed(self, endpoint: FakeEndpoint, texts: list[str], **settings: Any) -> Any:
        return self.sit([endpoint.url], lambda embedder: embedder.embed(texts), **settings)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def right(texts: list[str], dimensions: int = 8) -> Any:
    return np.array([vector_of(text, dimensions) for text in texts], dtype=np.float32)


@pytest.mark.parametrize("refuses", [[], ["encoding_format"]])
def test_vectors_come_in_order_in_either_form(bench: Bench, refuses: list[str]) -> None:
    with FakeEndpoint(refuses=refuses) as endpoint:
        vectors = bench.embed(endpoint, TEXTS, batch=16)
        forms = [sent.get("encoding_format") for sent in endpoint.embedded]
    assert vectors.dtype == np.float32
    assert np.array_equal(vectors, right(TEXTS))
    assert forms.count(None) == (4 if refuses else 0)
    assert isinstance(bench.embedder, Embed)


def test_no_text_is_paid_for_twice(bench: Bench) -> None:
    with FakeEndpoint() as endpoint:
        bench.embed(endpoint, [*TEXTS, *TEXTS[:20]], batch=10)
        sent = [text for body in endpoint.embedded for text in body["input"]]
        assert sorted(sent) == sorted(TEXTS)
        again = bench.embed(endpoint, [*reversed(TEXTS), "a new one"])
        assert [body["input"] for body in endpoint.embedded][5:] == [["a new one"]]
    assert np.array_equal(again, right([*reversed(TEXTS), "a new one"]))
    assert (bench.embedder.stats.calls, bench.embedder.stats.embedded) == (1, 1)
    assert bench.embedder.stats.cached == len(TEXTS)


def test_two_callers_at_once_pay_once(bench: Bench) -> None:
    async def work(embedder: Embedder) -> list[Any]:
        return list(await asyncio.gather(*(embedder.embed(TEXTS) for _ in range(3))))

    with FakeEndpoint(latency=0.02) as endpoint:
        results = bench.sit([endpoint.url], work)
        assert sum(len(body["input"]) for body in endpoint.embedded) == len(TEXTS)
    assert all(np.array_equal(result, right(TEXTS)) for result in results)


def test_what_was_embedded_before_a_failure_is_kept(bench: Bench) -> None:
    with FakeEndpoint() as endpoint:
        with pytest.raises(NoAnswer, match=r"the text 'unembeddable.*' is not embedded.*HTTP 400") as caught:
            # The longest is asked for last: what comes before it has been answered by then.
            bench.embed(endpoint, [*TEXTS, "unembeddable" + " and so on" * 40], batch=8)
        assert caught.value.cause == "context_length"
        asked = sum(len(body["input"]) for body in endpoint.embedded)
        before = bench.embedder.stats.embedded
        bench.embed(endpoint, TEXTS)
        assert bench.embedder.stats.cached >= before > 0
        assert asked >= before


def test_another_revision_is_another_model(bench: Bench) -> None:
    with FakeEndpoint() as endpoint:
        bench.embed(endpoint, TEXTS)
        bench.embed(endpoint, TEXTS, revision="2")
        assert len(endpoint.embedded) == 2


def test_another_length_under_the_same_name_is_told(bench: Bench) -> None:
    with FakeEndpoint(dimensions=8) as endpoint:
        bench.embed(endpoint, TEXTS[:5])
    with (
        FakeEndpoint(dimensions=6) as endpoint,
        pytest.raises(EndpointError, match=r"another length.*vectors\.sqlite.*roles\.embedder\.revision"),
    ):
        bench.embed(endpoint, TEXTS[:8])


def test_what_may_heal_is_tried_again(bench: Bench) -> None:
    faults = [
        Fault.http(503),
        Fault("reset"),
        Fault.http(429, retry_after="0"),
        Fault.raw(b'{"data": []}'),
        Fault.raw(b'{"data": [{"embedding": [1.0, "x"]}]}'),
        Fault.raw(b'{"data": [{"embedding": "AAAA"}]}'),
    ]
    seen: Counter[str] = Counter()
    for text, script in (("one", faults[:3]), ("two", faults[3:])):  # six in a row would wait the longer
        with FakeEndpoint(script=script) as endpoint:
            vectors = bench.embed(endpoint, [text], retries=3)
        assert np.array_equal(vectors, right([text]))
        seen.update(bench.embedder.stats.attempts)
    assert seen == {"http_503": 1, "reset": 1, "http_429": 1, "malformed_body": 3}


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_numbers_that_are_none_are_no_vector(bench: Bench, value: str) -> None:
    packed = base64.b64encode(struct.pack("<2f", 1.0, float(value))).decode()
    body = json.dumps({"data": [{"index": 0, "embedding": packed}]}).encode()
    with (
        FakeEndpoint(script=[Fault.raw(body)]) as endpoint,
        pytest.raises(NoAnswer, match="not finite"),
    ):
        bench.embed(endpoint, ["one"], retries=0)


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ({"key": "right"}, "wants a key"),
        ({"model": "other"}, r"no model 'fake'.*offers other: correct roles\.embedder\.model"),
    ],
)
def test_errors_name_the_role(bench: Bench, setting: dict[str, str], said: str) -> None:
    with FakeEndpoint(**setting) as endpoint, pytest.raises(EndpointError, match=said):  # type: ignore[arg-type]
        bench.embed(endpoint, TEXTS)


def test_where_nothing_listens_the_role_is_named(bench: Bench) -> None:
    with FakeEndpoint() as endpoint:
        url = endpoint.url
    with pytest.raises(EndpointError, match=r"cannot reach .*correct roles\.embedder\.endpoint"):
        bench.sit([url], lambda embedder: embedder.embed(TEXTS))


def test_a_path_without_embeddings_is_told(bench: Bench) -> None:
    with (
        FakeEndpoint() as endpoint,
        pytest.raises(EndpointError, match=r"no embeddings at that address.*/embeddings is added"),
    ):
        bench.sit([endpoint.url.removesuffix("/v1")], lambda embedder: embedder.embed(TEXTS))


def test_one_of_two_that_dies_is_replaced(bench: Bench) -> None:
    with FakeEndpoint(key="right") as dead, FakeEndpoint() as good:
        vectors = bench.sit([dead.url, good.url], lambda embedder: embedder.embed(TEXTS), batch=4)
    assert np.array_equal(vectors, right(TEXTS))


def test_the_budget_counts_requests(bench: Bench) -> None:
    with FakeEndpoint() as endpoint:
        with pytest.raises(BudgetReached, match=r"all 3 requests of budget\.requests"):
            bench.embed(endpoint, TEXTS, batch=10, budget=Budget(Caps(requests=3)).at(None))
        assert len(endpoint.embedded) <= 3


def test_once_a_cap_is_met_nothing_smaller_is_sent(bench: Bench) -> None:
    texts = [*(character * 60 for character in "abcdefgh"), "x"]
    with FakeEndpoint() as endpoint:
        with pytest.raises(BudgetReached):
            bench.embed(endpoint, texts, batch=8, budget=Budget(Caps(tokens=400)).at(None))
        assert len(endpoint.embedded) <= 1
        sent = [text for body in endpoint.embedded for text in body["input"]]
        with pytest.raises(BudgetReached):  # and what there is room for is not sent piece by piece later
            bench.embed(endpoint, texts[:8], batch=8, budget=Budget(Caps(tokens=400)).at(None))
        assert [text for body in endpoint.embedded for text in body["input"]] == sent


@pytest.mark.parametrize("price", [Price.per_million(4, 0), None])
def test_no_cap_is_passed_and_every_attempt_is_on_record(bench: Bench, price: Price | None) -> None:
    """A third of the requests fails: by the server's word, which read them, or cut, which may have."""
    faults = {Fault.http(500): 0.2, Fault("cut_body"): 0.2}
    most = sum(len(text.encode()) + MESSAGE_TOKENS for text in TEXTS)
    charged = Charged()
    with FakeEndpoint(shares=faults, seed=3) as endpoint:
        # Tokens are a quarter of the bytes: what fits is far more than the worst case says.
        caps = Caps(tokens=most // 2, cost=4000 * most)
        budget = Budget(caps)
        with pytest.raises(BudgetReached, match=r"budget\.tokens"):
            bench.embed(endpoint, TEXTS, batch=4, budget=budget.at(price), spend=charged.add)
        assert (budget.spent.requests, budget.spent.tokens) == (charged.requests, charged.tokens)
        assert charged.requests <= len(endpoint.embedded) <= bench.embedder.stats.calls
        read = sum(len(text) for body in endpoint.embedded for text in body["input"]) // 4
        assert read // 2 < charged.tokens <= most // 2
        assert budget.outstanding == Amount()
        if price is None:
            assert (charged.cost, charged.unpriced_tokens) == (0, charged.tokens)
        else:
            assert charged.cost == 4000 * charged.tokens
            assert 0 < charged.by_rule < charged.cost
        budget = Budget(Caps(tokens=20 * most))
        assert np.array_equal(
            bench.embed(endpoint, TEXTS, batch=4, budget=budget.at(price), spend=charged.add), right(TEXTS)
        )


def test_no_texts_are_no_request(bench: Bench) -> None:
    with FakeEndpoint() as endpoint:
        assert bench.embed(endpoint, []).shape[0] == 0
        assert endpoint.embedded == []


def test_a_file_that_is_no_cache_is_told(bench: Bench) -> None:
    bench.path.write_bytes(b"something else entirely, and long enough to be read as a page " * 40)
    with FakeEndpoint() as endpoint, pytest.raises(StoreError, match=r"vectors\.sqlite: .*vector cache"):
        bench.embed(endpoint, TEXTS)
