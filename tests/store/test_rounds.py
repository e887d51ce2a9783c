"""Rounds commit whole or not at all; the ledger folds what they hold."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.cell import Cell
from seedbed.core.chat import ReplyKey
from seedbed.core.errors import StoreError
from seedbed.core.fate import Fate
from seedbed.core.record import ModelRef, Provenance, Record, Unreadable
from seedbed.core.verdict import Verdict, over_target, revived
from seedbed.store.kin import EarlierKeys, candidates
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import RoundData, Rounds
from seedbed.store.shards import KEYS, write_keys, write_table


def record(name: str, **fields: str) -> Record:
    return Record(
        id=name,
        fields=fields or {"text": f"text of {name}"},
        slots={"label": "a"},
        provenance=Provenance(
            origin="generated",
            source="r",
            parents=("p1", "p2"),
            method="template",
            template="t.j2",
            template_hash="h",
            models={"teacher": ModelRef("m", "http://x", None)},
            sampling={"temperature": 0.5},
            reply_keys=(str(ReplyKey(b"q" * 16, b"s" * 16, 0)),),
            cell="c",
            depth=1,
        ),
    )


def measures(cells: int, drafts: int) -> dict[str, Any]:
    return {"cells": {"planned": cells, "done": cells, "failed": 0}, "drafts": drafts}


def commit(
    rounds: Rounds, number: int, records: list[Record], verdicts: list[Verdict], cells: int = 1
) -> None:
    rounds.write_plan(number, [Cell("template", "t.j2", {"label": "a"}, (), n) for n in range(cells)])
    data = RoundData(list(enumerate(records)), verdicts, [], [], measures(cells, len(records)))
    rounds.commit(number, data)


@pytest.fixture
def rounds(tmp_path: Path) -> Rounds:
    return Rounds(tmp_path)


def test_records_and_verdicts_come_back_as_they_were(rounds: Rounds) -> None:
    odd = record("odd", text="NUL \0, lone \ud800, right \u202e left")
    broken = Record("broken", {}, odd.provenance, {}, Unreadable("not_json", "why", "{"))
    verdicts = [
        Verdict("odd", "length@1", True, score=0.5, evidence={"n": 3}),
        Verdict("broken", "schema@1", False, "not_json"),
    ]
    commit(rounds, 1, [odd, broken], verdicts)
    ledger = Ledger(rounds)
    assert list(ledger.with_fates()) == [(odd, Fate(True)), (broken, Fate(False, "not_json", "schema@1"))]
    assert ledger.verdicts("odd") == verdicts[:1]
    assert ledger.records(["odd", "none"]) == {"odd": odd}
    assert ledger.find("bro") == [broken]
    assert ledger.reasons() == (1, {"not_json": 1})


def test_the_last_verdict_of_a_filter_holds_across_rounds(rounds: Rounds) -> None:
    commit(rounds, 1, [record("a"), record("b")], [over_target("a"), Verdict("b", "length@1", True)])
    commit(rounds, 2, [], [revived("a"), over_target("b")], cells=0)
    ledger = Ledger(rounds)
    assert [(r.id, f.accepted) for r, f in ledger.with_fates()] == [("a", True), ("b", False)]
    assert [(r.id, accepted) for r, accepted in ledger.good()] == [("a", True), ("b", False)]
    commit(rounds, 3, [], [over_target("a"), revived("b")], cells=0)
    ledger = Ledger(rounds)
    assert [r.id for r in ledger.accepted()] == ["b"]


def test_what_no_commit_lists_is_garbage(rounds: Rounds, tmp_path: Path) -> None:
    commit(rounds, 1, [record("a")], [])
    (tmp_path / "0002").mkdir()
    (tmp_path / "0002" / "records.parquet").write_bytes(b"half a file")
    (tmp_path / "0002" / "plan.parquet").write_bytes(b"half a plan")
    rounds.verify()
    assert [entry.number for entry in rounds.committed()] == [1]
    assert rounds.open_plans() == {}
    commit(rounds, 2, [record("b")], [])
    ledger = Ledger(rounds)
    assert [r.id for r in ledger.accepted()] == ["a", "b"]


def test_a_changed_byte_is_found(rounds: Rounds, tmp_path: Path) -> None:
    commit(rounds, 1, [record("a")], [])
    path = tmp_path / "0001" / "verdicts.parquet"
    path.write_bytes(path.read_bytes()[:-1] + b"X")
    with pytest.raises(StoreError, match=r"verdicts\.parquet"):
        rounds.verify()


def test_a_partial_view_is_marked_and_goes_when_the_run_goes_on(rounds: Rounds) -> None:
    commit(rounds, 1, [record("a")], [])
    cells = [Cell("template", "t.j2", {"label": "a"}, (), 7)]
    rounds.write_plan(2, cells)
    rounds.commit(2, RoundData([(0, record("b"))], [], [], [], measures(1, 1)), partial=True)
    assert [(e.number, e.partial) for e in rounds.committed()] == [(1, False), (2, True)]
    assert [e.number for e in rounds.committed(partial=False)] == [1]
    assert rounds.open_plans() == {2: cells}
    rounds.discard_partial()
    assert [e.number for e in rounds.committed()] == [1]
    assert rounds.open_plans() == {2: cells}


def test_candidates_share_a_key_and_huge_groups_stay_linear(tmp_path: Path) -> None:
    write_keys(
        tmp_path / "old.parquet", [("near", "old-1", [5]), ("near", "old-2", [6]), ("exact", "other", [5])]
    )
    old = [tmp_path / "old.parquet"]
    inside, before = candidates("near", [0, 1, 1, 2], [5, 5, 6, 9], old)
    assert inside.tolist() == [[1, 0]]
    assert before == [(0, "old-1"), (1, "old-1"), (1, "old-2")]
    inside, _ = candidates("near", list(range(3000)), [1] * 3000, [])
    assert len(inside) < 3000 * 8
    # Every member meets the first of its group, which is the one that can survive.
    assert set(inside[inside[:, 1] == 0, 0].tolist()) == set(range(1, 3000))
    inside, before = candidates("near", [], [], old)
    assert (inside.shape, before) == ((0, 2), [])


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-3, 3)), max_size=30, unique=True))
def test_candidates_are_the_pairs_that_share_a_key(entries: list[tuple[int, int]]) -> None:
    ranks, keys = [rank for rank, _ in entries], [key for _, key in entries]
    expected = {(a, b) for a, k in entries for b, other in entries if k == other and a > b}
    pairs, _ = candidates("f", ranks, keys, [])
    found = [(high, low) for high, low in pairs.tolist()]
    assert set(found) <= expected
    if all(keys.count(key) <= 8 for key in keys):
        assert found == sorted(expected)


_EARLIER = st.lists(
    st.tuples(st.sampled_from(["f", "g", "h"]), st.integers(0, 99), st.lists(st.integers(-3, 3), max_size=4)),
    max_size=12,
)


@given(
    st.lists(_EARLIER, max_size=3),
    st.lists(st.tuples(st.integers(0, 9), st.integers(-3, 3)), max_size=20),
    st.integers(0, 30),
)
def test_key_shards_by_record_by_key_and_in_memory_give_the_same_candidates(
    earlier: list[list[tuple[str, int, list[int]]]], entries: list[tuple[int, int]], room: int
) -> None:
    known = EarlierKeys(room)
    with TemporaryDirectory() as folder:
        by_key, by_record = [], []
        for at, shard in enumerate(earlier):
            keys = [(name, f"record-{number}", numbers) for name, number, numbers in shard]
            by_key.append(Path(folder) / f"{at}.parquet")
            write_keys(by_key[-1], keys)
            rows = [(name, number, record) for name, record, numbers in keys for number in numbers]
            by_record.append(Path(folder) / f"{at}.old.parquet")
            columns = dict(zip(KEYS.names, zip(*rows, strict=True), strict=True)) if rows else {}
            write_table(by_record[-1], KEYS, [(name, columns.get(name, ())) for name in KEYS.names])
        ranks, numbers = [rank for rank, _ in entries], [key for _, key in entries]
        for name in ("f", "g", "f", "g"):
            one, two = (candidates(name, ranks, numbers, shards) for shards in (by_key, by_record))
            three = candidates(name, ranks, numbers, by_key, known)
            assert (one[0].tolist(), one[1]) == (two[0].tolist(), two[1])
            assert (one[0].tolist(), one[1]) == (three[0].tolist(), three[1])


def test_a_shard_that_was_written_anew_is_read_anew(tmp_path: Path) -> None:
    path, known = tmp_path / "1.parquet", EarlierKeys()
    for record in ("before", "after"):
        write_keys(tmp_path / "new.parquet", [("f", record, [len(record)])])
        (tmp_path / "new.parquet").replace(path)
        found = [candidates("f", [0], [key], [path], known)[1] for key in (len("before"), len("after"))]
        assert found == [[(0, record)] if len(record) == key else [] for key in (6, 5)]


def test_of_many_earlier_records_behind_a_key_the_first_count(tmp_path: Path) -> None:
    shards = [tmp_path / "1.parquet", tmp_path / "2.parquet"]
    for at, path in enumerate(shards):
        write_keys(path, [("f", f"{at}-{number:02d}", [9 - number % 2, 7]) for number in range(48)])
    _, before = candidates("f", [0, 1], [7, 9], shards)
    first = [f"0-{number:02d}" for number in range(48)] + [f"1-{number:02d}" for number in range(16)]
    assert [record for rank, record in before if rank == 0] == first
