"""Seeds, examples, slot values and templates are held against the eval before anything is asked."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from seedbed.core.errors import ContaminationError
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.ignore_after import Suggestion
from seedbed.sources.leaks import Kind, check_before_run, leak_error
from seedbed.sources.spec import SourceSpec

ROWS = [
    "refund",
    "Where is the parcel that I sent to my aunt?",
    "lost card",
    "我的包裹在哪里",
    "my lost blue bag",
]


@pytest.fixture(scope="module")
def lock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EvalLockServer]:
    path = tmp_path_factory.mktemp("eval") / "eval.csv"
    path.write_text("text\n" + "\n".join(ROWS) + "\n")
    with EvalLockServer.start(SourceSpec("test", path, compare=("text",))) as server:
        yield server


def found(lock: EvalLockServer, kind: Kind, *texts: str) -> list[tuple[int, str, int]]:
    leaks = check_before_run(lock.client, [(kind, "name", text) for text in texts])
    assert all((leak.kind, leak.name, leak.of) == (kind, "name", len(texts)) for leak in leaks)
    return [(leak.row, leak.rule, leak.eval_row) for leak in leaks]


@pytest.mark.parametrize("kind", ["seed", "example"])
def test_any_equality_of_a_seed_is_a_leak_and_nothing_near_is(lock: EvalLockServer, kind: Kind) -> None:
    texts = ["Refund!", "harmless", f"Hello. {ROWS[1]}", "my  LOST blue bag"]
    assert found(lock, kind, *texts) == [(0, "equal", 0), (3, "equal", 4)]


def test_short_slot_values_may_equal_an_eval_row(lock: EvalLockServer) -> None:
    assert found(lock, "slot", "refund", "lost card", "my lost blue bag", "我的包裹在哪里") == [
        (2, "equal", 4),
        (3, "equal", 3),
    ]


def test_a_template_leaks_the_eval_row_that_it_holds(lock: EvalLockServer) -> None:
    texts = [
        "Write a message about {{ topic }}: a refund, a lost card.",
        f"Write something like: {ROWS[1]}",
        ROWS[1],
        "Is the parcel that I",
    ]
    leaks = found(lock, "template", *texts)
    assert [(row, eval_row) for row, _, eval_row in leaks] == [(1, 1), (2, 1)]


def test_a_passage_leaks_the_eval_row_that_it_holds_and_may_be_quoted_by_one(lock: EvalLockServer) -> None:
    texts = [f"Asked often. {ROWS[1]} It is on its way.", "Refund", f"{ROWS[1][:-5]}uncle, and why?"]
    assert found(lock, "passage", *texts) == [(0, "contained", 1)]


def test_places_are_counted_for_each_name(lock: EvalLockServer) -> None:
    items: list[tuple[Kind, str, str]] = [
        ("seed", "a", "fine"),
        ("seed", "b", "refund"),
        ("seed", "a", "refund"),
    ]
    leaks = check_before_run(lock.client, items)
    assert [(leak.name, leak.row, leak.of) for leak in leaks] == [("b", 0, 1), ("a", 1, 2)]
    assert check_before_run(lock.client, []) == []


def test_the_refusal_names_everything_and_the_way_out(lock: EvalLockServer) -> None:
    items: list[tuple[Kind, str, str]] = [
        *(("seed", "seeds", text) for text in [*ROWS, "fine"]),
        ("slot", "topic", "something new"),
        ("slot", "topic", "my lost blue bag"),
        ("template", "prompts/ask.j2", f"Like this: {ROWS[1]}"),
    ]
    error = leak_error(
        check_before_run(lock.client, items),
        eval_path="test.csv",
        files={"seeds": "seeds.csv"},
        suggestion=Suggestion("Options:", 10, 5),
    )
    assert isinstance(error, ContaminationError)
    assert error.exit_code == 3
    seeds, slot, template, hint = str(error).splitlines()
    assert seeds == (
        "5 of 6 rows of source 'seeds' equal a locked eval row: seeds row 0 (eval row 0), "
        "row 1 (eval row 1), row 2 (eval row 2), row 3 (eval row 3), row 4 (eval row 4); "
        "remove them with `seedbed audit seeds.csv --against test.csv --drop OUT`"
    )
    assert slot.startswith("1 of 2 values of axis 'topic' equal a locked eval row: value 1 (eval row 4)")
    assert template.startswith("template 'prompts/ask.j2' holds the text of eval row 1")
    assert '`ignore_after: "Options:"`' in hint
    assert not any(row in str(error) for row in ROWS[1:])


def test_a_long_list_is_shortened(lock: EvalLockServer) -> None:
    leaks = check_before_run(lock.client, [("seed", "seeds", "refund")] * 25)
    assert "25 of 25 rows" in str(leak_error(leaks, eval_path="e"))
    assert "row 9 (eval row 0) and 15 more;" in str(leak_error(leaks, eval_path="e"))
