"""The filters of a bound recipe, calibrated on its real rows, and at work within an open run."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

from seedbed.core.protocols import CorpusFilter, FilterContext, RecordFilter, Vectors
from seedbed.core.record import Record
from seedbed.filters import FILTERS
from seedbed.prompts.sampling import RowPool
from seedbed.run.binding import BoundRecipe
from seedbed.run.filter_checks import asks_embedder
from seedbed.run.filtering import FilterPool, FilterSet
from seedbed.run.real_rows import passages_in
from seedbed.run.vector_feed import open_feed
from seedbed.sources.eval_lock import EvalLockServer

if TYPE_CHECKING:
    from seedbed.run.session import Opened

# Texts that calibrate filters and tell the eval lock which phrases are common.
CALIBRATION_ROWS = 2000

Note = Callable[[str], None]


def calibration_rows(bound: BoundRecipe) -> list[Record]:
    """A sample of the train rows that one more row hardly changes, in the order of their ids."""
    by_id = {row.id: row for row in bound.train}
    chosen = RowPool(sorted(by_id)).pick(CALIBRATION_ROWS, "calibration")
    return [by_id[row] for row in sorted(chosen)]


def build_filters(
    bound: BoundRecipe, server: EvalLockServer | None, vectors: Vectors | None = None
) -> FilterSet:
    """The recipe's filters, calibrated on the real train rows, with `vectors` for those that want them."""
    texts = [bound.task.as_text(row.fields) for row in calibration_rows(bound)]
    context = FilterContext(
        task=bound.task,
        real_texts=texts or None,
        eval_lock=server.client if server else None,
        compare=bound.compare,
        real=bound.train,
        prompts=(
            *(template.text for template in bound.templates.values()),
            bound.task_variables["description"],
        ),
        documents=passages_in(bound.material),
        vectors=vectors,
    )
    record: list[RecordFilter] = []
    corpus: list[CorpusFilter] = []
    for entry in bound.recipe.filters:
        kind = FILTERS.get(entry.name)
        if kind.kind == "record":
            record.append(kind.build(entry.options, context))
        elif kind.kind == "corpus":
            corpus.append(kind.build(entry.options, context))
    return FilterSet(tuple(record), tuple(corpus), bound.ranking)


@asynccontextmanager
async def open_filters(opened: Opened, note: Note, *, asks: bool = True) -> AsyncIterator[FilterPool]:
    """The recipe's filters at work, with the vectors of the role `embedder` for those that compare by it.

    In a rehearsal, which is to cost nothing, these have the offline embedder. Raises as `open_feed` says.
    """
    bound, feed = opened.bound, None
    fed = [e.name for e in bound.recipe.filters if asks_embedder(FILTERS.get(e.name), e.options)]
    async with AsyncExitStack() as stack:
        if fed and bound.rehearsal:
            note(f"{', '.join(fed)}: by the offline embedder, a rehearsal asks roles.embedder nothing")
        elif fed:
            spend = opened.spending.charge_embedder
            feed = await stack.enter_async_context(
                open_feed(bound.loaded, opened.budget, spend, note, asks=asks)
            )
        filters = await asyncio.to_thread(build_filters, bound, opened.server, feed)
        yield await stack.enter_async_context(FilterPool(filters, feed=feed, fed=fed if feed else ()))
