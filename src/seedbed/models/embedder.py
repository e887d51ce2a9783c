"""The bound embedder: vectors from the workspace's cache, and from the endpoint where that has gaps."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seedbed.core.errors import (
    AttemptFailed,
    BudgetReached,
    EndpointError,
    NoAnswer,
    RequestRefused,
    StoreError,
)
from seedbed.core.money import Charge
from seedbed.models.budget import Budget, Purse
from seedbed.models.calls import Calls
from seedbed.models.limits import Limits
from seedbed.models.pool import Pool
from seedbed.store.vectors import VectorCache, model_key, text_key

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from seedbed.models.openai_embeddings import OpenAIEmbeddings

BATCH = 64
CHARACTERS_A_BATCH = 200_000
_SHOWN_CHARACTERS = 60


@dataclass(slots=True)
class EmbeddingStats:
    """What one embedder did: HTTP requests, texts embedded by them, and texts that the cache had."""

    calls: int = 0
    embedded: int = 0
    cached: int = 0
    attempts: Counter[str] = field(default_factory=Counter)

    def to_json(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "embedded": self.embedded,
            "cached": self.cached,
            "attempts": dict(sorted(self.attempts.items())),
        }


class Embedder:
    """An `Embed` (core.protocols) over a pool of endpoints and a cache. Lives in one event loop.

    The worst case of each request is set aside in `budget` before it is sent; `spend` puts on record, before
    it returns, what an attempt was charged.
    """

    def __init__(
        self,
        pool: Pool[OpenAIEmbeddings],
        cache: VectorCache,
        model: str,
        revision: str | None = None,
        *,
        limits: Limits | None = None,
        budget: Purse | None = None,
        spend: Callable[[Charge], None] = lambda charge: None,
        batch: int = BATCH,
        role: str = "embedder",
    ) -> None:
        self.stats = EmbeddingStats()
        self.model = model
        self.revision = revision
        self._calls = Calls(pool, limits or Limits(), self.stats)
        self._cache = cache
        self._key = model_key(model, revision)
        self._budget = budget or Budget().at(None)
        self._spend = spend
        self._batch = batch
        self._role = role
        self._asking = asyncio.Lock()  # a text that two callers want is asked for once
        self._reached: BudgetReached | None = None
        self._size: int | None = None

    @property
    def name(self) -> str:
        """The model, as a report names it and as its figures are told from those of another."""
        return f"{self.model}@{self.revision}" if self.revision else self.model

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """See `Embed`. What was embedded stays in the cache, whatever becomes of the rest.

        Raises NoAnswer, EndpointError, BudgetReached, StoreError.
        """
        keys = [text_key(text) for text in texts]
        by_key = dict(zip(keys, texts, strict=True))
        async with self._asking:
            known = self._cache.get(self._key, list(by_key))
            missing = [(key, text) for key, text in by_key.items() if key not in known]
            self.stats.cached += len(by_key) - len(missing)
            self._reached = None
            tasks = [asyncio.create_task(self._fill(part)) for part in self._parts(missing)]
            try:
                for made in await asyncio.gather(*tasks):
                    known.update(made)
            except BudgetReached:
                # What is under way is paid for: its vectors are waited for and kept. No other is sent.
                for ended in await asyncio.gather(*tasks, return_exceptions=True):
                    if isinstance(ended, StoreError):
                        raise ended from None
                raise
            except BaseException:
                for task in tasks:  # the first failure is told; what is under way is not waited for
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                raise
        return self._stacked(keys, known)

    def cached(self, texts: Sequence[str]) -> NDArray[np.float32] | None:
        """Their vectors by the cache alone, in any thread; None where it lacks one. Raises StoreError."""
        keys = [text_key(text) for text in texts]
        known = self._cache.get(self._key, list(dict.fromkeys(keys)))
        return self._stacked(keys, known) if all(key in known for key in keys) else None

    def _stacked(
        self, keys: Sequence[bytes], known: Mapping[bytes, NDArray[np.float32]]
    ) -> NDArray[np.float32]:
        import numpy as np

        sizes = {vector.size for vector in known.values()} | ({self._size} if self._size else set())
        if len(sizes) > 1:
            raise EndpointError(
                f"{self.model} gives vectors of another length than those in {self._cache.path}: is it "
                f"another model by the same name? Write roles.{self._role}.revision, or delete that file"
            )
        if not keys:
            return np.empty((0, 0), dtype=np.float32)
        self._size = sizes.pop()
        return np.stack([known[key] for key in keys]).astype(np.float32, copy=False)

    def _parts(self, items: Sequence[tuple[bytes, str]]) -> list[list[tuple[bytes, str]]]:
        """Texts of about the same length together: an endpoint pads the others to the longest."""
        parts: list[list[tuple[bytes, str]]] = []
        characters = 0
        for key, text in sorted(items, key=lambda item: (len(item[1]), item[0])):
            characters += len(text)
            if not parts or len(parts[-1]) >= self._batch or characters > CHARACTERS_A_BATCH:
                parts.append([])
                characters = len(text)
            parts[-1].append((key, text))
        return parts

    async def _fill(self, part: Sequence[tuple[bytes, str]]) -> dict[bytes, NDArray[np.float32]]:
        """Vectors of these texts, on disk. A part that is refused is halved until one text is at fault."""

        async def send(model: OpenAIEmbeddings) -> tuple[NDArray[np.float32], Charge]:
            texts = [text for _, text in part]
            if self._reached is not None:  # another part met the cap: what is set aside no longer fits
                raise self._reached
            try:
                reservation = await self._budget.reserve_texts(texts, model.endpoint)
            except BudgetReached as reached:
                self._reached = reached
                raise
            self.stats.calls += 1
            with reservation:
                found = await model.embed(texts)
                return found.vectors, reservation.settle_texts(found.usage)

        async def failed(failure: AttemptFailed, endpoint: str) -> None:
            self._charge(failure.charge)

        try:
            (vectors, charge), _ = await self._calls.answer(send, failed)
        except RequestRefused as refusal:
            self._charge(refusal.charge)
            if len(part) == 1:
                text = part[0][1]
                start = text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
                raise NoAnswer(refusal.cause, f"the text {start!r} is not embedded: {refusal}") from None
            half = len(part) // 2
            return {**await self._fill(part[:half]), **await self._fill(part[half:])}
        self._charge(charge)
        made = {key: vector for (key, _), vector in zip(part, vectors, strict=True)}
        await self._cache.add(self._key, made)
        self.stats.embedded += len(part)
        return made

    def _charge(self, charge: Charge) -> None:
        with self._budget.logging(charge):
            self._spend(charge)
