"""The role `embedder` bound to its endpoints and to the workspace's cache of vectors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from seedbed.core.money import Charge
from seedbed.models.budget import Budget
from seedbed.models.embedder import Embedder
from seedbed.models.limits import Limits
from seedbed.models.pool import Lane, Note, Pool
from seedbed.recipe import LoadedRecipe
from seedbed.run.pricing import price_of, prices_of
from seedbed.run.roles import concurrency_of
from seedbed.store.folder import workspace_vectors
from seedbed.store.vectors import VectorCache

if TYPE_CHECKING:
    from seedbed.models.openai_embeddings import OpenAIEmbeddings

ROLE = "embedder"


@asynccontextmanager
async def open_embedder(
    loaded: LoadedRecipe, budget: Budget, spend: Callable[[Charge], None], note: Note = lambda text: None
) -> AsyncIterator[Embedder | None]:
    """The recipe's embedder, or None where it has none. Makes no request.

    Its requests are within the budget of the run; `spend` puts on record what each was charged.
    """
    role = loaded.recipe.roles.embedder
    if role is None:
        yield None
        return
    from seedbed.models.openai_embeddings import OpenAIEmbeddings  # as the client of `run.roles`

    limits = Limits(concurrency=concurrency_of(role), retries=role.retries)
    lanes: list[Lane[OpenAIEmbeddings]] = []
    for endpoint in role.endpoints:
        key = endpoint.api_key or role.api_key
        model = OpenAIEmbeddings(
            endpoint.url,
            endpoint.model or role.model,
            api_key=key.reveal() if key else None,
            api_key_name=key.name if key else None,
            timeout=role.timeout,
            role=ROLE,
            note=note,
        )
        lanes.append(Lane(model, limits.concurrency, endpoint.weight, ROLE))
    pool = Pool(lanes, role=ROLE, note=note)
    own = {lane.endpoint: price for lane, price in zip(lanes, prices_of(role), strict=True)}
    purse = budget.at(price_of(role), own)
    with VectorCache.open(workspace_vectors(loaded.folder)) as cache:
        try:
            yield Embedder(
                pool,
                cache,
                role.model,
                role.revision,
                limits=limits,
                budget=purse,
                spend=spend,
                batch=role.batch,
            )
        finally:
            for lane in lanes:
                await lane.model.close()
