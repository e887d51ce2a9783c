"""A run over several endpoints, and the embedder as a recipe binds it. Real servers, the real command."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import numpy as np

from seedbed.filters import DEFAULT_FILTERS
from seedbed.models.budget import Budget
from seedbed.recipe import load_recipe
from seedbed.run.embedding import open_embedder
from seedbed.run.registry import registry
from tests.cli.workspace import Workspace, check_accounts
from tests.fake_endpoint import FakeEndpoint, vector_of

GENERATE = {
    "target": 40,
    "axes": {"tone": ["calm", "cross"], "length": ["short", "long"]},
    "temperature": [0.5],
}


def teacher(*urls: str, **more: Any) -> dict[str, Any]:
    return {"teacher": {"model": "fake", "endpoint": list(urls), "timeout": 5.0, "licence": "mit", **more}}


def test_a_run_goes_on_without_the_endpoint_that_refuses_the_key(tmp_path: Path) -> None:
    with (
        FakeEndpoint(latency=0.01, refuses=["temperature"]) as good,
        FakeEndpoint(latency=0.01) as other,
        FakeEndpoint(key="right") as bad,
    ):
        workspace = Workspace.make(
            tmp_path, roles=teacher(good.url, other.url, bad.url), generate=GENERATE, filters=[]
        )
        done = workspace.run("run", ".", "--json")
        assert done.json["accounts"]["drafts"]["accepted"] == 40
        check_accounts(done.json["accounts"])
        for endpoint in (good, other):
            assert endpoint.stats().answered > 0
            assert endpoint.stats().repeats_after_answered == 0
        assert bad.stats().answered == 0
    assert f"roles.teacher goes on without {bad.url}: {bad.url} wants a key" in done.err
    assert done.err.count("takes no temperature: the model's own holds") == 1


def test_the_run_ends_when_all_are_gone_and_names_each(tmp_path: Path) -> None:
    with FakeEndpoint(key="right") as first, FakeEndpoint(model="other") as second:
        workspace = Workspace.make(tmp_path, roles=teacher(first.url, second.url))
        done = workspace.run("run", ".", expect=5)
    assert "none of the 2 endpoints of roles.teacher is left" in done.err
    for said in (
        f"{first.url} wants a key",
        f"{second.url} has no model 'fake'",
        "correct roles.teacher.model",
    ):
        assert said in done.err


def test_one_reply_log_whichever_endpoint_answered(tmp_path: Path) -> None:
    """The address is part of no request: what one has answered is not asked of another."""
    with FakeEndpoint() as first, FakeEndpoint() as second:
        workspace = Workspace.make(tmp_path, roles=teacher(first.url), filters=[])
        workspace.run("run", ".")
        accepted = workspace.accepted()
        workspace.write(roles=teacher(second.url, first.url, concurrency=3), filters=[])
        before = first.stats().requests
        workspace.run("run", ".")
        assert workspace.accepted() == accepted
        assert (first.stats().requests, second.stats().requests) == (before, 0)


def test_the_embedder_of_a_recipe(tmp_path: Path) -> None:
    texts = ["my parcel is late", "I was charged twice", "my parcel is late"]

    async def embed(loaded: Any) -> Any:
        async with open_embedder(loaded, Budget(), lambda charge: None) as embedder:
            assert embedder is not None
            return await embedder.embed(texts)

    with FakeEndpoint() as endpoint:
        roles = {"embedder": {"model": "fake", "endpoint": endpoint.url}}
        Workspace.make(tmp_path, roles=roles)
        loaded = load_recipe(tmp_path, registry(), env={}, default_filters=DEFAULT_FILTERS)
        for _ in range(2):
            vectors = asyncio.run(embed(loaded))
            assert np.array_equal(vectors, np.array([vector_of(t, 8) for t in texts], dtype=np.float32))
        assert [body["input"] for body in endpoint.embedded] == [[texts[0], texts[1]]]
    assert (tmp_path / ".seedbed" / "vectors.sqlite").is_file()


def test_no_embedder_is_none(tmp_path: Path) -> None:
    async def opened(loaded: Any) -> Any:
        async with open_embedder(loaded, Budget(), lambda charge: None) as embedder:
            return embedder

    Workspace.make(tmp_path)
    loaded = load_recipe(tmp_path, registry(), env={}, default_filters=DEFAULT_FILTERS)
    assert asyncio.run(opened(loaded)) is None
    assert not (tmp_path / ".seedbed" / "vectors.sqlite").exists()
