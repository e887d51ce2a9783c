"""Vectors of the role `embedder` for corpus filters, which cannot await.

A text is embedded, and its vector on disk in the workspace's cache, before a filter looks at it. From then
on the cache alone answers, so that neither the order of arrival nor a kill decides anything, and a later
sitting asks for no more than what it lacks.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from seedbed.core.errors import InputError, NoAnswer, Problem
from seedbed.core.money import Charge

if TYPE_CHECKING:  # the workers of filters import this, and ask nobody
    import numpy as np
    from numpy.typing import NDArray

    from seedbed.models.budget import Budget
    from seedbed.models.embedder import Embedder
    from seedbed.models.pool import Note
    from seedbed.recipe import LoadedRecipe


class VectorFeed:
    """`Vectors` (core.protocols) for other threads, and `fetch` for the event loop that it is made in.

    Unless it `asks`, the cache has to have every text.
    """

    def __init__(self, embedder: Embedder, *, asks: bool = True) -> None:
        self._embedder = embedder
        self._asks = asks
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[str, None] = {}
        self._turn = asyncio.Lock()

    async def fetch(self, texts: Sequence[str]) -> None:
        """Have these in the cache; who comes while a request is under way goes along with the next.

        Raises what `Embed` does, InputError where nothing is to be asked.
        """
        if self._embedder.cached(texts) is not None:
            return
        if not self._asks:
            raise _not_embedded(self._embedder.name)
        self._waiting.update(dict.fromkeys(texts))
        async with self._turn:
            together = [*self._waiting]
            self._waiting.clear()
            with suppress(NoAnswer):  # whose text it was is told below
                await self._embedder.embed(together)
        await self._embedder.embed(texts)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """From the cache, or where somebody took that away from the endpoint once more. Raises as `fetch`."""
        found = self._embedder.cached(texts)
        if found is None:
            asyncio.run_coroutine_threadsafe(self.fetch(texts), self._loop).result()
            found = self._embedder.cached(texts)
        assert found is not None
        return found


@asynccontextmanager
async def open_feed(
    loaded: LoadedRecipe, budget: Budget, spend: Callable[[Charge], None], note: Note, *, asks: bool
) -> AsyncIterator[VectorFeed]:
    """A feed by the role `embedder`, which the recipe must have, within the budget of the run."""
    from seedbed.run.embedding import open_embedder

    async with open_embedder(loaded, budget, spend, note) as embedder:
        assert embedder is not None
        yield VectorFeed(embedder, asks=asks)


def _not_embedded(embedder: str) -> InputError:
    message = (
        f"{embedder} has not embedded all texts of this run, and refilter asks nobody; use `seedbed run`, "
        "which asks for those alone"
    )
    return InputError([Problem(message, key="filters")])
