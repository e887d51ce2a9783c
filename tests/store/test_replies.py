"""The reply log as its callers see it: what goes in comes out, once, and is counted."""

from __future__ import annotations

import asyncio
import sqlite3
import tempfile
import threading
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.core.chat import Choice, FinishReason, LoggedReply, ReplyKey, Usage
from seedbed.core.errors import StoreError
from seedbed.core.money import Charge
from seedbed.store.replies import LoggedRefusal, ReplyLog

REQUEST, SCOPE = b"r" * 16, b"s" * 16


def key(draw: int = 0, *, request: bytes = REQUEST, scope: bytes = SCOPE) -> ReplyKey:
    return ReplyKey(request, scope, draw)


def reply(at: ReplyKey, text: str = "an answer") -> LoggedReply:
    return LoggedReply(at, Choice(text), "m", "http://e/v1", Usage(10, 3))


@pytest.fixture
def log(tmp_path: Path) -> Iterator[ReplyLog]:
    with ReplyLog.open(tmp_path / "log" / "replies.sqlite") as opened:
        yield opened


ids = st.binary(min_size=1, max_size=16)
text = st.text(st.characters(exclude_categories=()))  # NUL and lone surrogates too
choices = st.builds(
    Choice,
    text=text,
    finish_reason=st.sampled_from(get_args(FinishReason)),
    reasoning=st.none() | text,
    refused=st.booleans(),
)
tokens = st.integers(0, 2**40)
replies = st.builds(
    LoggedReply,
    key=st.builds(ReplyKey, request=ids, scope=ids, draw=st.integers(0, 2**31)),
    choice=choices,
    model=text,
    endpoint=st.text(),
    usage=st.builds(Usage, tokens, tokens, st.just(0)),  # of cached ones the log keeps no number
)


@settings(max_examples=40, deadline=None)
@given(st.lists(replies, min_size=1, max_size=8))
def test_first_reply_to_each_key_comes_back_as_it_was(given: list[LoggedReply]) -> None:
    first: dict[ReplyKey, LoggedReply] = {}
    for one in given:
        first.setdefault(one.key, one)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "replies.sqlite")
        with ReplyLog.open(path) as log:
            assert asyncio.run(log.add(given)) == len(first)
        with ReplyLog.open(path) as log:
            assert {at: log.get(at) for at in first} == first
            assert log.count() == len(first)


def test_second_reply_to_a_key_is_dropped_and_not_counted_as_new(log: ReplyLog) -> None:
    async def main() -> tuple[int, int]:
        await log.add([reply(key(0), "first")])
        return await log.add([reply(key(0), "late"), reply(key(1))]), await log.add([reply(key(1))])

    assert asyncio.run(main()) == (1, 0)
    assert log.get(key(0)) == reply(key(0), "first")


def test_callers_of_one_transaction_are_each_told_how_many_of_theirs_are_new(log: ReplyLog) -> None:
    """Rows go in many at a time; one that stands there already is counted against its own caller."""

    async def main(draws: list[list[int]]) -> list[int]:
        return await asyncio.gather(*(log.add([reply(key(at)) for at in own]) for own in draws))

    assert asyncio.run(main([[at] for at in range(75)])) == [1] * 75
    many = list(range(200, 270))
    assert asyncio.run(main([[100], [3, 101], [102], many, [4], [103, 103], [100, 104]])) == [
        1,
        1,
        1,
        len(many),
        0,
        1,
        1,
    ]
    assert log.count() == 75 + len(many) + 5


def test_draws_come_in_order_with_gaps_for_what_is_missing(log: ReplyLog) -> None:
    asyncio.run(log.add([reply(key(3), "d"), reply(key(0), "a"), reply(key(7), "out of range")]))
    asyncio.run(log.add([reply(key(1, scope=b"other")), reply(key(1, request=b"other"))]))
    assert log.get_many(REQUEST, SCOPE, 4) == [reply(key(0), "a"), None, None, reply(key(3), "d")]
    assert log.get_many(REQUEST, SCOPE, 0) == []


def test_refusal_replays_and_is_no_reply(log: ReplyLog) -> None:
    asyncio.run(log.add_refusal(key(2), "context_length", "8,000 tokens at most", 400))
    refusal = LoggedRefusal(key(2), "context_length", "8,000 tokens at most", 400)
    assert log.get(key(2)) == refusal
    assert log.get_many(REQUEST, SCOPE, 3) == [None, None, refusal]
    assert (log.count(), log.tally().calls) == (0, 1)


def test_attempt_is_counted_and_leaves_the_key_open(log: ReplyLog) -> None:
    async def main() -> None:
        await log.add_attempt(key(), "http_503", 503, "busy", "http://e/v1")
        await log.add_attempt(key(), "http_503", 503, "busy", "http://e/v1", 7, 2)
        await log.add_attempt(key(scope=b"other"), "timeout", None, "120 s", "http://e/v1")

    asyncio.run(main())
    assert log.get(key()) is None
    assert log.tally().attempts == {"http_503": 2, "timeout": 1}
    assert log.tally([SCOPE]).attempts == {"http_503": 2}
    assert log.tally([]).attempts == {}
    assert log.tally().tokens == Usage(7, 2)


def test_calls_and_tokens_count_a_call_of_several_choices_once(log: ReplyLog) -> None:
    async def main() -> None:
        await log.add([reply(key(0)), reply(key(1)), reply(key(2))])
        await log.add([reply(key(3))])
        await log.add([reply(key(scope=b"other"))])
        await log.add_attempt(key(4), "http_500", 500, "", "http://e/v1")

    asyncio.run(main())
    assert (
        log.tally().calls,
        log.tally([SCOPE]).calls,
        log.tally([b"other"]).calls,
        log.tally([]).calls,
    ) == (4, 3, 1, 0)
    assert (log.tally().tokens, log.tally([b"other"]).tokens) == (Usage(50, 15), Usage(10, 3))


def test_tallies_of_two_scopes_sum_to_that_of_both(log: ReplyLog) -> None:
    async def main() -> None:
        await log.add([reply(key(0)), reply(key(1))], [Charge(30, 9_000, True), Charge(50, 4_000)])
        await log.add([reply(key(scope=b"other"))])
        await log.add_refusal(key(2, scope=b"other"), "context_length", "", 400, Charge(0, 0))
        await log.add_attempt(key(3), "http_500", 500, "", "http://e/v1", 7, 2, charge=Charge(70, 700))
        await log.add_attempt(key(4, scope=b"other"), "http_500", 500, "", "http://e/v1")

    asyncio.run(main())
    both = log.tally([SCOPE, b"other"])
    assert log.tally([SCOPE]) + log.tally([b"other"]) == both == log.tally()
    assert (both.calls, both.answers, both.attempts) == (5, 3, {"http_500": 2})
    assert (both.spent.cost, both.spent.by_rule, both.spent.unpriced_calls) == (13_700, 4_700, 2)


def test_count_over_more_scopes_than_one_query_takes(log: ReplyLog) -> None:
    scopes = [b"%d" % number for number in range(25_000)]

    async def main() -> None:
        await log.add([reply(key(scope=scope)) for scope in scopes[::2]])
        await log.add([reply(key(scope=b"of another run"))])

    asyncio.run(main())
    assert log.count([*scopes, *scopes]) == 12_500
    assert log.count() == 12_501


def test_callers_of_several_event_loops_share_the_log(log: ReplyLog) -> None:
    async def fifty(scope: bytes) -> None:
        await asyncio.gather(*(log.add([reply(key(draw, scope=scope))]) for draw in range(50)))

    threads = [threading.Thread(target=lambda n=n: asyncio.run(fifty(b"%d" % n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [log.count([b"%d" % n]) for n in range(4)] == [50] * 4


def test_cancelled_caller_leaves_its_reply_to_be_committed(log: ReplyLog) -> None:
    async def main() -> None:
        adding = asyncio.create_task(log.add([reply(key())]))
        await asyncio.sleep(0)
        adding.cancel()
        with pytest.raises(asyncio.CancelledError):
            await adding
        await log.flush()

    asyncio.run(main())
    assert log.get(key()) == reply(key())


def test_close_commits_what_is_under_way_and_ends_the_log(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"

    async def main() -> None:
        log = ReplyLog.open(path)
        adding = asyncio.create_task(log.add([reply(key())]))
        await asyncio.sleep(0)
        log.close()
        log.close()
        await adding
        with pytest.raises(StoreError, match=r"replies\.sqlite.*was closed"):
            await log.add([reply(key(1))])
        with pytest.raises(StoreError, match=r"replies\.sqlite.*was closed"):
            log.get(key())

    asyncio.run(main())
    with ReplyLog.open(path) as log:
        assert log.get(key()) == reply(key())


def test_newer_file_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "replies.sqlite"
    ReplyLog.open(path).close()
    db = sqlite3.connect(path)
    db.execute("PRAGMA user_version = 99")
    db.close()
    with pytest.raises(StoreError, match=r"replies\.sqlite.*newer Seedbed.*99.*update"):
        ReplyLog.open(path)


def test_foreign_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "theirs.sqlite"
    db = sqlite3.connect(path)
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"theirs\.sqlite.*not a reply log"):
        ReplyLog.open(path)
    assert path.read_bytes() == before


@settings(max_examples=40, deadline=None)
@given(st.lists(st.frozensets(st.integers(0, 11)), min_size=1, max_size=8))
def test_a_question_about_scopes_is_answered_whichever_were_asked_about_before(
    asked: list[frozenset[int]],
) -> None:
    def scope(number: int) -> bytes:
        return bytes([number]) * 16

    async def fill(log: ReplyLog) -> None:
        await log.add([reply(key(draw, scope=scope(n))) for n in range(10) for draw in range(n)])

    with (
        tempfile.TemporaryDirectory() as folder,
        ReplyLog.open(Path(folder) / "replies.sqlite") as log,
    ):
        asyncio.run(fill(log))
        for numbers in asked:
            assert log.count(map(scope, numbers)) == sum(n for n in numbers if n < 10)


def test_nothing_can_be_added_alone_and_beside_others(log: ReplyLog) -> None:
    async def add() -> list[int]:
        return [await log.add([]), *await asyncio.gather(log.add([]), log.add([reply(key())]), log.add([]))]

    assert asyncio.run(add()) == [0, 0, 1, 0]


def test_the_tally_of_many_scopes_is_that_of_their_rows_and_takes_little_memory(log: ReplyLog) -> None:
    """As many as a large run has: three of them have rows."""

    def scopes() -> Iterator[bytes]:
        return (number.to_bytes(16, "big") for number in range(200_000))

    async def fill() -> None:
        for number in (0, 1 << 14, 199_999, 200_000):  # the last is of somebody else
            await log.add([reply(key(scope=number.to_bytes(16, "big")))])
        await log.add_attempt(key(1, scope=(5).to_bytes(16, "big")), "timeout", None, "", "http://e/v1")

    asyncio.run(fill())
    log.tally(scopes())  # what is imported and prepared once
    tracemalloc.start()
    found = log.tally(scopes())
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert (found.answers, found.calls, found.attempts) == (3, 4, {"timeout": 1})
    assert found.tokens == Usage(30, 9)
    assert peak < 10_000_000  # all of them in a set take 17 MB, and as rows to be put down as much again
