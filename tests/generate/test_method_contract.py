"""What every method of the table keeps to, each by a recipe in `contract/`."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.record import Record
from seedbed.filters.schema import Schema
from seedbed.generate import METHODS
from seedbed.store.shards import read_records, write_records
from tests.cli.workspace import Workspace, check_accounts, kill_group
from tests.generate.bench import CONTRACT, Asked, Bench, Done, by_id

CUT = Choice('{"a', "length")
USELESS = {
    "empty": Choice(""),
    "a refusal": Choice("I'm sorry, but I can't help with that."),
    "cut off": CUT,
    "another shape": Choice('{"unheard_of": [1, {"of": null}]}'),
}
_SLUG = re.compile(r"[a-z][a-z0-9_]*")

# The tests of the starter recipes run these from end to end.
IN_A_STARTER = {
    "code_from_seed",
    "dialogue",
    "grounded",
    "iterative",
    "preference",
    "rejection",
    "self_consistency",
    "template",
    "translate",
}

# The fields that a method leaves as its source has them; all others are written by a model.
CARRIED = {
    "backtranslation": ("topic",),
    "distil": ("question", "note"),
    "grounded": ("passage",),
    "instruction_backtranslation": ("response",),
    "label": ("text",),
    "rejection": ("question", "answer"),
    "translate": ("source",),
}

every_method = pytest.mark.parametrize("method", METHODS.built_in)


@pytest.fixture
def bench(method: str, tmp_path: Path) -> Bench:
    return Bench.of(method, tmp_path / "bench")


def is_good(record: Record) -> bool:
    return record.unreadable is None and record.rejected is None


def check_named(done: Done, bench: Bench) -> None:
    """Each draft is readable and fits the task, or says by what it fell."""
    assert done.failure == ""
    assert done.records
    for record in done.records:
        if record.unreadable is not None:
            assert record.unreadable.cause in ("truncated", "not_json", "invalid_schema")
            assert not record.fields
        elif record.rejected is not None:
            assert _SLUG.fullmatch(record.rejected.reason)
        else:
            assert set(bench.bound.task.fields) >= set(record.fields)


@every_method
def test_a_record_says_which_fields_its_source_had(bench: Bench, method: str) -> None:
    records = [record for done in bench.make(bench.cells) for record in done.records if is_good(record)]
    assert {record.provenance.carried for record in records} == {CARRIED.get(method, ())}


@every_method
def test_it_makes_good_drafts_of_the_tasks_fields_with_the_requests_it_says(bench: Bench) -> None:
    (method,) = bench.bound.methods.values()
    fewest, most = method.requests()
    cells = bench.cells
    made = bench.make(cells)
    assert len({cell.id for cell in cells}) == len(cells) > 0
    schema = Schema(bench.bound.task.schema())
    good = 0
    for done in made:
        check_named(done, bench)
        assert len(done.asked.roles) <= most
        kept = [record for record in done.records if is_good(record)]
        assert schema.check(kept) == [None] * len(kept)
        if kept:
            good += 1
            assert len(done.asked.roles) >= fewest
    assert good * 2 >= len(cells)
    assert bench.calls() == sum(len(done.asked.roles) for done in made)


@every_method
def test_provenance_is_complete(bench: Bench, method: str, tmp_path: Path) -> None:
    made = bench.make(bench.cells)
    for done in made:
        given = {str(reply.key) for reply in done.asked.replies}
        assert {key for record in done.records for key in record.provenance.reply_keys} == given
        for record in done.records:
            came = record.provenance
            assert (came.method, came.cell, came.origin) == (method, done.cell.id, "generated")
            assert came.depth == 1
            assert len(came.steps) in (0, len(came.reply_keys))
            asked = {step.partition(" by ")[2] for step in came.steps}
            assert asked <= set(came.models) <= set(bench.bound.asked_roles)
            assert set(came.parents) == {*done.cell.parents, *filter(None, [done.cell.source])}
            if record.rejected is not None:
                assert record.rejected.by == f"{method}@{METHODS.get(method).version}"
    records = list(enumerate(by_id(made).values()))
    write_records(tmp_path / "records.parquet", records)
    assert list(read_records(tmp_path / "records.parquet")) == [record for _, record in records]


@every_method
def test_equal_replies_give_equal_records_in_whatever_order(method: str, tmp_path: Path) -> None:
    first, second = (Bench.of(method, tmp_path / name) for name in ("one", "two"))
    once = by_id(first.make(first.cells))
    again = by_id(second.make(second.cells[::-1]))
    assert once == again
    assert by_id(first.make(first.cells)) == once


@every_method
@pytest.mark.parametrize("spoilt", USELESS)
def test_a_useless_reply_at_any_question_ends_in_a_named_verdict(bench: Bench, spoilt: str) -> None:
    cells = bench.cells[:3]
    most = max(len(done.asked.roles) for done in bench.make(cells))
    for at in range(most):

        def spoil(now: int, reply: LoggedReply, at: int = at) -> LoggedReply:
            return reply._replace(choice=USELESS[spoilt]) if now == at else reply

        for done in bench.make(cells, lambda spoil=spoil: Asked(spoil)):  # type: ignore[misc]
            check_named(done, bench)


@every_method
def test_a_method_that_gets_nothing_of_use_makes_nothing(bench: Bench) -> None:
    for done in bench.make(bench.cells[:3], lambda: Asked(lambda at, reply: reply._replace(choice=CUT))):
        check_named(done, bench)
        assert not any(is_good(record) for record in done.records)


@every_method
def test_it_goes_on_where_it_was_killed(method: str, tmp_path: Path) -> None:
    whole = Bench.of(method, tmp_path / "whole")
    cells = whole.cells[:3]
    made = whole.make(cells)
    for at in range(max(len(done.asked.roles) for done in made)):
        bench = Bench.of(method, tmp_path / f"killed at {at}")
        bench.make(cells, lambda at=at: Asked(dies_at=at))  # type: ignore[misc]
        assert by_id(bench.make(cells)) == by_id(made)
        assert bench.calls() == whole.calls()


def workspace(method: str, folder: Path) -> Workspace:
    import shutil

    shutil.copytree(CONTRACT / method, folder)
    return Workspace(folder)


@pytest.mark.parametrize("method", sorted(set(METHODS.built_in) - IN_A_STARTER))
def test_a_rehearsal_runs_from_end_to_end(method: str, tmp_path: Path) -> None:
    place = workspace(method, tmp_path / "place")
    summary = place.run("run", ".", "--json").json
    check_accounts(summary["accounts"])
    accepted = summary["accounts"]["drafts"]["accepted"]
    assert accepted > 0
    name = next((place.folder / "runs").iterdir()).name
    shown = place.run("show", f"runs/{name}", "--json").json
    record = next(row["id"] for row in shown if row["accepted"])
    assert f"method         {method}" in place.run("show", f"runs/{name}", record).out
    place.run("export", f"runs/{name}", "--format", "jsonl", "--allow-rehearsal")


@pytest.mark.campaign
@every_method
def test_kill_9_at_many_moments_repays_nothing(method: str, tmp_path: Path) -> None:
    import random
    import time

    whole = workspace(method, tmp_path / "whole")
    began = time.monotonic()
    expected = whole.run("run", ".", "--json").json
    seconds = time.monotonic() - began
    killed = workspace(method, tmp_path / "killed")
    dice = random.Random(method)
    for _ in range(6):
        process = killed.start("run", ".")
        time.sleep(dice.uniform(0.3, 1.0) * seconds)
        kill_group(process)
    after = killed.run("run", ".", "--json").json
    assert after["accounts"] == expected["accounts"]
    shards = [
        {p.relative_to(place.folder): p.read_bytes() for p in place.folder.glob("runs/*/rounds/**/*.parquet")}
        for place in (whole, killed)
    ]
    assert shards[0] == shards[1]
