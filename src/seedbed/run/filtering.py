"""Record filters and corpus keys in worker processes, so that the event loop only waits.

Drafts are gathered into batches as they arrive; a worker passes every record filter over a
batch and, for what they keep, computes the keys of the corpus filters.
"""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Collection, Coroutine, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from typing import Any, NamedTuple, TypeAlias, TypeVar

from seedbed.core.errors import SeedbedError
from seedbed.core.protocols import CorpusFilter, RecordFilter
from seedbed.core.record import Record, Rejection, Unreadable
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import filter_id
from seedbed.run.vector_feed import VectorFeed
from seedbed.run.workers import Workers, worker_count

# 63-bit numbers, eight bytes each: a round holds some twenty of them a record.
Keys: TypeAlias = "array[int]"
T = TypeVar("T")
# What each of the filters says of one record.
Said: TypeAlias = "tuple[Verdict | None, ...]"

BATCH = 128
LINGER_SECONDS = 0.1


class Checked(NamedTuple):
    """What the record filters said of one record, and its corpus keys where they all kept it.

    `said` has an entry for each that looked at it, as `by` names them: None where it had nothing to say.
    """

    record: str
    by: tuple[str, ...]
    said: Said
    keys: Mapping[str, Keys]

    @property
    def kept(self) -> bool:
        return _keep(self.said)

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One by each filter. Those that say nothing are made here and not in the worker: they are most."""
        record = self.record
        return tuple(
            [
                Verdict(record, by, True) if verdict is None else verdict
                for by, verdict in zip(self.by, self.said, strict=True)
            ]
        )


def _keep(said: Said) -> bool:
    for verdict in said:  # noqa: SIM110 - `all` of a generator takes three times as long
        if verdict is not None and not verdict.keep:
            return False
    return True


def turned_down(record: str, why: Rejection) -> Verdict:
    """What the method that made a draft says against it."""
    return Verdict(record, why.by, keep=False, reason=why.reason, score=why.score, evidence=why.evidence)


def unread(record: str, why: Unreadable) -> Verdict:
    """A reply without fields is rejected also where the recipe has no filter that says so."""
    return Verdict(record, "reader@1", keep=False, reason=why.cause, evidence={"detail": why.detail})


def _with_its_own(record: Record, by: tuple[str, ...], said: Said) -> tuple[tuple[str, ...], Said]:
    """Who looked at a record and what they said, with what stands against it since it was made."""
    if record.rejected is not None:
        first = turned_down(record.id, record.rejected)
        by, said = (first.filter, *by), (first, *said)
    if record.unreadable is not None and _keep(said):
        last = unread(record.id, record.unreadable)
        by, said = (*by, last.filter), (*said, last)
    return by, said


@dataclass(frozen=True)
class FilterSet:
    """The built filters of a recipe, in its order. `ranking` names its model filters, run elsewhere."""

    record: tuple[RecordFilter, ...]
    corpus: tuple[CorpusFilter, ...]
    ranking: tuple[str, ...] = ()

    def check(self, records: Sequence[Record]) -> list[Checked]:
        by = tuple(filter_id(type(each)) for each in self.record)
        answers = list(zip(*self._answers(records), strict=True)) or [()] * len(records)
        passed = [_with_its_own(record, by, said) for record, said in zip(records, answers, strict=True)]
        kept = [at for at, (_, said) in enumerate(passed) if _keep(said)]
        keys = dict(zip(kept, self.keys([records[at] for at in kept]), strict=True))
        return [Checked(record.id, *passed[at], keys.get(at, {})) for at, record in enumerate(records)]

    def _answers(self, records: Sequence[Record]) -> list[Sequence[Verdict | None]]:
        """What each record filter says of all of them. Raises SeedbedError where it leaves some out."""
        answers = [each.check(records) for each in self.record]
        for each, answer in zip(self.record, answers, strict=True):
            if len(answer) != len(records):
                raise SeedbedError(
                    f"filter '{each.name}' answered {len(records)} records by {len(answer)} entries; its "
                    "`check` must give one for each, None where it has nothing to say"
                )
        return answers

    def keys(self, records: Sequence[Record]) -> list[dict[str, Keys]]:
        """Corpus keys of each record, by filter name."""
        by_filter = {f.name: f.keys([f.text(record) for record in records]) for f in self.corpus}
        return [
            {name: array("q", keys[at]) for name, keys in by_filter.items()} for at in range(len(records))
        ]

    def survey(self, records: Sequence[Record]) -> Survey:
        """Each record is looked at by every filter, whatever the others say of it."""
        said = [
            verdict
            for answer in self._answers(records)
            for verdict in filter(None, answer)
            if not verdict.keep or verdict.reason
        ]
        keys = {f.name: f.keys([f.text(record) for record in records]) for f in self.corpus}
        flat = {
            name: (array("q", map(len, own)), array("q", chain.from_iterable(own)))
            for name, own in keys.items()
        }
        return Survey(tuple(said), flat)


@dataclass(frozen=True, slots=True)
class Survey:
    """What filters have to say of records, for who wants no verdict that keeps and says nothing.

    `said` are the other verdicts of the record filters, `keys` those of every record for each corpus filter:
    how many each has, and all of them in order.
    """

    said: tuple[Verdict, ...]
    keys: Mapping[str, tuple[Keys, Keys]]


# Records of one caller, and the future that gets their verdicts.
_Waiting: TypeAlias = "tuple[Sequence[Record], asyncio.Future[list[Checked]]]"

_worker_filters: FilterSet | None = None


def _start_worker(filters: FilterSet) -> None:
    global _worker_filters  # one filter set a worker process, sent once instead of with every batch
    _worker_filters = filters


def _check(records: Sequence[Record]) -> list[Checked]:
    assert _worker_filters is not None
    return _worker_filters.check(records)


def _keys(records: Sequence[Record]) -> list[dict[str, Keys]]:
    assert _worker_filters is not None
    return _worker_filters.keys(records)


def _survey(records: Sequence[Record]) -> Survey:
    assert _worker_filters is not None
    return _worker_filters.survey(records)


class FilterPool:
    """Batches records and sends them to worker processes. Use as an async context manager.

    The corpus filters of the names `fed` compare by vectors of `feed`: those of a record are had first, and
    its keys made here, where the vectors are.
    """

    def __init__(
        self,
        filters: FilterSet,
        workers: int | None = None,
        *,
        feed: VectorFeed | None = None,
        fed: Collection[str] = (),
    ) -> None:
        self.filters = filters
        self._feed = feed
        self._fed = FilterSet((), tuple(each for each in filters.corpus if each.name in fed))
        elsewhere = replace(filters, corpus=tuple(each for each in filters.corpus if each.name not in fed))
        self._workers = Workers(workers or worker_count(), _start_worker, elsewhere)
        self._waiting: list[_Waiting] = []
        self._records = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks: set[asyncio.Task[Any]] = set()

    async def __aenter__(self) -> FilterPool:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._timer is not None:
            self._timer.cancel()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.to_thread(self._workers.close)

    def check(self, records: Sequence[Record]) -> asyncio.Future[list[Checked]]:
        """The verdicts on a few records, to be awaited; they travel in a batch with whatever else waits.

        The future raises what `VectorFeed.fetch` does, and SeedbedError where a worker ended.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[list[Checked]] = loop.create_future()
        self._waiting.append((records, future))
        self._records += len(records)
        if self._records >= BATCH:
            self._flush()
        elif self._timer is None:
            self._timer = loop.call_later(LINGER_SECONDS, self._flush)
        return future if self._feed is None else self._begin(self._fed_too(future, records, self._feed))

    async def _fed_too(
        self, checking: asyncio.Future[list[Checked]], records: Sequence[Record], feed: VectorFeed
    ) -> list[Checked]:
        checked = await checking
        kept = [at for at, found in enumerate(checked) if found.kept]
        fed = dict(zip(kept, await self._fed_keys(feed, [records[at] for at in kept]), strict=True))
        return [
            found._replace(keys={**found.keys, **fed[at]}) if fed.get(at) else found
            for at, found in enumerate(checked)
        ]

    async def keys(self, records: Sequence[Record]) -> list[dict[str, Keys]]:
        """Corpus keys of many records, by filter name, in order. Raises what `VectorFeed.fetch` does."""
        batches = [records[at : at + BATCH] for at in range(0, len(records), BATCH)]
        results = await asyncio.gather(*(self._workers.call(_keys, batch) for batch in batches))
        found = [keys for batch in results for keys in batch]
        if self._feed is None:
            return found
        fed = await self._fed_keys(self._feed, records)
        return [{**keys, **more} for keys, more in zip(found, fed, strict=True)]

    async def _fed_keys(self, feed: VectorFeed, records: Sequence[Record]) -> list[dict[str, Keys]]:
        """Corpus keys by the filters that compare by vectors of the feed."""
        if not records:
            return []
        await feed.fetch([each.text(record) for each in self._fed.corpus for record in records])
        return await asyncio.to_thread(self._fed.keys, records)

    async def survey(self, records: Sequence[Record]) -> Survey:
        """What the filters say of a batch, which travels as it is."""
        return await self._workers.call(_survey, records)

    def _flush(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        batch, self._waiting = self._waiting, []
        self._records = 0
        if batch:
            self._begin(self._run(batch))

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """A task that ends with the pool, whatever becomes of who waits for it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    async def _run(self, batch: list[_Waiting]) -> None:
        records = [record for waiting, _ in batch for record in waiting]
        try:
            results = await self._workers.call(_check, records)
        except Exception as caught:  # noqa: BLE001 - handed to whoever waits for a verdict
            error: Exception = caught
        else:
            at = 0
            for waiting, future in batch:
                if not future.done():
                    future.set_result(results[at : at + len(waiting)])
                at += len(waiting)
            return
        for _, future in batch:
            if not future.done():
                future.set_exception(error)
