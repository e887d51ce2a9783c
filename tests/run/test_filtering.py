"""What the record filters say of drafts, and how it comes back from the worker processes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from seedbed.core.errors import SeedbedError
from seedbed.core.protocols import FilterContext, RecordFilter
from seedbed.core.record import Record, Rejection
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import FilterOptions, filter_id, flag, reject
from seedbed.run.filtering import Checked, FilterPool, FilterSet
from seedbed.run.vector_feed import VectorFeed
from tests.filters.tickets import TICKETS, build, ticket, unread


class _Filter:
    name: ClassVar[str] = "mood"
    version: ClassVar[int] = 3
    Options: ClassVar[Any] = FilterOptions


class Mood(_Filter):
    """Says of each text what it says of itself."""

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record, filter_id(type(self))) for record in records]

    def _verdict(self, record: Record, by: str) -> Verdict | None:
        said = {
            "reject": reject(record, by, "sad", {"words": 2}, 0.5),
            "flag": flag(record, by, "odd", {}),
            "score": Verdict(record.id, by, True, score=0.25),
            "keep": Verdict(record.id, by, True),
        }
        return said.get(str(record.fields.get("text")))


class Lazy(_Filter):
    """Leaves out what it keeps."""

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return []


TEXTS = ("reject", "flag", "score", "keep", "nothing", "")


def check(records: Sequence[Record], *filters: RecordFilter) -> list[Checked]:
    async def work() -> list[Checked]:
        async with FilterPool(FilterSet(filters, ()), 1) as pool:
            return await pool.check(records)

    return asyncio.run(work())


def test_there_is_a_verdict_of_every_filter_whether_it_spoke_or_not() -> None:
    records = [ticket(text, key=text or "empty") for text in TEXTS]
    found = check(records, build("length", FilterContext(TICKETS)), Mood())
    short = Verdict("empty", "length@1", False, "too_short", evidence={"words": 0, "chars": 0})
    assert [each.verdicts for each in found] == [
        (Verdict("reject", "length@1", True), Verdict("reject", "mood@3", False, "sad", 0.5, {"words": 2})),
        (Verdict("flag", "length@1", True), Verdict("flag", "mood@3", True, "odd")),
        (Verdict("score", "length@1", True), Verdict("score", "mood@3", True, score=0.25)),
        (Verdict("keep", "length@1", True), Verdict("keep", "mood@3", True)),
        (Verdict("nothing", "length@1", True), Verdict("nothing", "mood@3", True)),
        (short, Verdict("empty", "mood@3", True)),
    ]
    assert [each.kept for each in found] == [False, True, True, True, True, False]


def test_what_stands_against_a_draft_from_the_start_is_told_in_its_place() -> None:
    """What its method says comes first; that it could not be read comes last, where no filter says so."""
    turned_down = ticket("flag", key="a")._replace(rejected=Rejection("no_majority", by="vote@1"))
    records = [turned_down, unread("{", key="b")]
    alone, with_mood = check(records), check(records, Mood())
    reader = Verdict("b", "reader@1", False, "not_json", evidence={"detail": "expected a JSON object"})
    voted = Verdict("a", "vote@1", False, "no_majority")
    assert [each.verdicts for each in alone] == [(voted,), (reader,)]
    assert [each.verdicts for each in with_mood] == [
        (voted, Verdict("a", "mood@3", True, "odd")),
        (Verdict("b", "mood@3", True), reader),
    ]
    (schema,) = check(records[1:], build("schema", FilterContext(TICKETS)))
    assert [verdict.filter for verdict in schema.verdicts] == ["schema@1"]


def test_a_survey_has_what_was_said_alone() -> None:
    filters = FilterSet((build("length", FilterContext(TICKETS)), Mood()), ())
    survey = filters.survey([ticket(text, key=text or "empty") for text in TEXTS])
    assert [(said.record, said.reason) for said in survey.said] == [
        ("empty", "too_short"),
        ("reject", "sad"),
        ("flag", "odd"),
    ]


def test_a_filter_that_leaves_records_out_is_named() -> None:
    with pytest.raises(SeedbedError, match=r"'mood' answered 2 records by 0 entries; .*None"):
        check([ticket("a"), ticket("b")], Lazy())
    with pytest.raises(SeedbedError, match="'mood' answered 1 record"):
        FilterSet((Lazy(),), ()).survey([ticket("a")])


class Silent:
    """An embedder whose endpoint never answers."""

    name = "silent"

    def __init__(self) -> None:
        self.asked = asyncio.Event()

    def cached(self, texts: Sequence[str]) -> None:
        return None

    async def embed(self, texts: Sequence[str]) -> None:
        self.asked.set()
        await asyncio.Event().wait()


def test_what_is_fetched_for_a_draft_ends_with_the_pool() -> None:
    async def work() -> bool:
        silent: Any = Silent()
        filters = FilterSet((), (build("duplicates", FilterContext(TICKETS)),))
        async with FilterPool(filters, 1, feed=VectorFeed(silent), fed=("duplicates",)) as pool:
            checking = pool.check([ticket("a text", key="a")])
            await silent.asked.wait()
        return checking.cancelled()

    assert asyncio.run(work())
