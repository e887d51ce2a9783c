"""Plans are a fixed sequence for each combination, followed as far as the quotas need."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.cell import Cell
from seedbed.prompts.sampling import RowPool
from seedbed.run.planner import (
    SPENT_CELLS,
    Combination,
    PlanSpace,
    Sequences,
    SourceItems,
    Yields,
    cells_of_round,
)
from seedbed.run.quotas import Quotas

LABELS = ("a", "b", "c")


def plan_round(*given: Any) -> list[Cell]:
    return list(cells_of_round(*given))


def space(rows: Sequence[str] = (), **changes: Any) -> PlanSpace:
    values: dict[str, Any] = {
        "seed": 0,
        "cover": ("label",),
        "axes": {"label": dict.fromkeys(LABELS, 1.0), "tone": {"dry": 1.0, "warm": 1.0}},
        "temperatures": (0.5, 1.0),
        "methods": {"template": 1.0},
        "method_templates": {"template": {"t1": 1.0, "t2": 1.0}},
        "axis_blind": frozenset(),
        "label_field": "label",
        "pools": {label: RowPool([f"{label}-{row}" for row in rows]) for label in LABELS},
        "examples": 2,
    }
    return PlanSpace(**(values | changes))


def quotas(target: int, **by_label: int) -> Quotas:
    return Quotas(target, {"label": by_label or dict.fromkeys(LABELS, target // 3)})


def measures(
    cells: int, good: int, failed: int = 0, label: str = "a", accepted: int | None = None
) -> Mapping[str, Any]:
    return {
        "cells": {"planned": cells, "failed": failed},
        "good": good,
        "accepted": good if accepted is None else accepted,
        "cover": {"label": {label: {"cells": cells, "good": good, "failed": failed}}},
    }


def plan(cells: PlanSpace, wanted: Quotas, most: int, rounds: Sequence[Mapping[str, Any]] = ()) -> list[Cell]:
    return plan_round(Sequences(cells), wanted, Yields(rounds), [], most)


def test_before_anything_is_known_every_draft_is_expected_to_be_accepted() -> None:
    cells = plan(space(), quotas(30), most=1000)
    assert Counter(cell.axes["label"] for cell in cells) == {"a": 10, "b": 10, "c": 10}
    assert len({cell.id for cell in cells}) == 30


def test_a_round_is_capped_with_the_same_shares() -> None:
    cells = plan(space(), quotas(300, a=200, b=100, c=0), most=30)
    assert Counter(cell.axes["label"] for cell in cells) == {"a": 20, "b": 10}


@given(st.lists(st.integers(1, 40), min_size=1, max_size=5), st.integers(1, 90))
def test_the_size_of_rounds_decides_nothing_else(sizes: list[int], target: int) -> None:
    target -= target % 3
    whole = plan(space(["x", "y", "z"]), quotas(target), most=10_000)
    sequences = Sequences(space(["x", "y", "z"]))
    parts: list[Cell] = []
    for size in [*sizes, *[40] * 4]:
        wanted = quotas(target)
        cells = plan_round(sequences, wanted, Yields([]), parts, size)
        sequences.note(cells)
        parts += cells
    assert {cell.id for cell in parts} == {cell.id for cell in whole}


def test_in_flight_cells_count_by_their_expected_yield() -> None:
    flying = plan(space(), quotas(30), most=30)
    sequences = Sequences(space())
    sequences.note(flying)
    assert plan_round(sequences, quotas(30), Yields([]), flying, 1000) == []
    # Half of the cells of a label bring nothing: about as many again are wanted for it alone.
    half = Yields([measures(40, 20)])
    more = plan_round(sequences, quotas(30), half, flying, 1000)
    labels = Counter(cell.axes["label"] for cell in more)
    assert labels["a"] >= 8


def test_a_value_is_spent_when_its_latest_cells_brought_nothing() -> None:
    history = [measures(100, 60), measures(SPENT_CELLS, 0)]
    yields = Yields(history)
    assert yields.spent("label", "a")
    assert not yields.spent("label", "b")
    assert not yields.mostly_failed("label", "a")
    assert Yields([measures(SPENT_CELLS, 0, failed=SPENT_CELLS)]).mostly_failed("label", "a")
    left = plan(space(), quotas(30), 1000, history)
    assert {cell.axes["label"] for cell in left} == {"b", "c"}
    assert plan(space(), quotas(30, a=30, b=0, c=0), 1000, history) == []


def test_one_more_row_changes_only_the_cells_that_show_it() -> None:
    rows = [str(n) for n in range(60)]
    before = {cell.id for cell in plan(space(rows), quotas(600), most=1000)}
    after = plan(space([*rows, "new"]), quotas(600), most=1000)
    new = [cell for cell in after if cell.id not in before]
    assert all(any(row.endswith("-new") for row in cell.parents) for cell in new)
    assert 0 < len(new) < 0.06 * len(after)


def test_examples_are_of_the_cells_own_label() -> None:
    for cell in plan(space(["x", "y", "z"]), quotas(30), most=100):
        assert all(row.startswith(f"{cell.axes['label']}-") for row in cell.parents)


def test_two_covered_fields_are_both_met_and_do_not_march_in_step() -> None:
    both = space(cover=("label", "tone"))
    wanted = Quotas(60, {"label": {"a": 20, "b": 20, "c": 20}, "tone": {"dry": 45, "warm": 15}})
    cells = plan_round(Sequences(both), wanted, Yields([]), [], 1000)
    assert Counter(cell.axes["label"] for cell in cells) == {"a": 20, "b": 20, "c": 20}
    assert Counter(cell.axes["tone"] for cell in cells) == {"dry": 45, "warm": 15}
    assert len(Counter((cell.axes["label"], cell.axes["tone"]) for cell in cells)) == 6


def test_a_method_that_knows_no_axes_gets_none() -> None:
    blind = space(
        methods={"direct": 1.0}, method_templates={"direct": {"lib": 1.0}}, axis_blind=frozenset({"direct"})
    )
    assert all(set(cell.axes) == {"label", "temperature"} for cell in plan(blind, quotas(30), most=100))


@given(st.lists(st.sampled_from(LABELS), max_size=60))
def test_quotas_take_in_order_and_never_too_many(values: list[str]) -> None:
    wanted = quotas(20, a=10, b=6, c=4)
    taken = Counter(value for value in values if wanted.take({"label": value}))
    have = Counter(values)
    assert taken == +Counter({label: min(have[label], n) for label, n in wanted.by_field["label"].items()})
    assert wanted.accepted == taken.total()


def with_source(items: Sequence[str], *, once: bool, **changes: Any) -> PlanSpace:
    names: dict[str, Any] = {"methods": {"works": 1.0}, "method_templates": {"works": {"works": 1.0}}}
    return space(sources={"works": SourceItems(items, once=once)}, **names, **changes)


def taken(cells: PlanSpace, combination: Combination, n: int) -> list[Cell]:
    sequences = Sequences(cells)
    return [cell for _ in range(n) if (cell := sequences.take(combination))]


def test_a_combination_goes_through_the_whole_source_before_an_item_comes_again() -> None:
    cells = taken(with_source("pqrst", once=False), ("a",), 12)
    assert [Counter(cell.source for cell in part) for part in (cells[:5], cells[5:10])] == [
        Counter("pqrst"),
        Counter("pqrst"),
    ]
    assert [cell.draw for cell in cells] == [0] * 5 + [1] * 5 + [2] * 2
    assert len({cell.id for cell in cells}) == 12


def test_one_more_item_leaves_the_cells_of_the_others_as_they_are() -> None:
    items = [f"item {n}" for n in range(40)]
    before = {cell.id for cell in taken(with_source(items, once=False), ("a",), 40)}
    after = taken(with_source([*items, "new"], once=False), ("a",), 41)
    assert [cell.source for cell in after if cell.id not in before] == ["new"]


def test_an_item_that_is_used_once_is_used_once_whatever_the_combination() -> None:
    sequences = Sequences(with_source("pqr", once=True))
    cells = [sequences.take((label,)) for label in ("a", "b", "a", "b", "a")]
    assert [cell is None for cell in cells] == [False, False, False, True, True]
    assert {cell.source for cell in cells if cell} == set("pqr")
    assert len(plan_round(Sequences(with_source("pqr", once=True)), quotas(30), Yields([]), [], 1000)) == 3


@given(st.integers(0, 30), st.integers(1, 30))
def test_sequences_go_on_from_the_cells_on_disk(first: int, more: int) -> None:
    mixed = space(
        methods={"template": 1.0, "works": 1.0, "finds": 1.0},
        method_templates={name: {name: 1.0} for name in ("template", "works", "finds")},
        sources={"works": SourceItems("pqrst", once=False), "finds": SourceItems("uvwxyz", once=True)},
        open_label=frozenset({"finds"}),
    )
    whole = plan_round(Sequences(mixed), quotas(90), Yields([]), [], first + more)
    again = Sequences(mixed)
    again.note(whole[:first])
    written = Sequences(mixed)
    for cell in whole[:first]:
        combination = None if cell.method == "finds" else (str(cell.axes["label"]),)
        assert written.take(combination) == cell
    assert again == written


def test_methods_that_find_the_label_get_their_share_and_decide_none() -> None:
    mixed = space(
        methods={"template": 3.0, "finds": 1.0},
        method_templates={"template": {"t": 1.0}, "finds": {"finds": 1.0}},
        sources={"finds": SourceItems([str(n) for n in range(100)], once=True)},
        open_label=frozenset({"finds"}),
        axis_blind=frozenset({"finds"}),
    )
    cells = plan_round(Sequences(mixed), quotas(120), Yields([]), [], 1000)
    found = [cell for cell in cells if cell.method == "finds"]
    assert len(found) == 30
    assert all("label" not in cell.axes for cell in found)
    alone = space(
        methods={"finds": 1.0},
        method_templates={"finds": {"finds": 1.0}},
        sources={"finds": SourceItems("uvwxyz", once=True)},
        open_label=frozenset({"finds"}),
        axis_blind=frozenset({"finds"}),
    )
    assert len(plan_round(Sequences(alone), quotas(60), Yields([]), [], 1000)) == 6


def test_documents_are_covered_each_by_its_own_items() -> None:
    documents = {"a1": "a.md", "a2": "a.md", "b1": "b.md"}
    items = SourceItems(list(documents), once=False, documents=documents)
    cells = space(
        cover=("document",),
        axes={"document": {"a.md": 1.0, "b.md": 1.0}},
        methods={"works": 1.0},
        method_templates={"works": {"works": 1.0}},
        sources={"works": items},
        label_field=None,
        pools={},
    )
    planned = plan_round(
        Sequences(cells), Quotas(20, {"document": {"a.md": 10, "b.md": 10}}), Yields([]), [], 1000
    )
    assert all(documents[cell.source] == cell.axes["document"] for cell in planned)
    assert Counter(cell.source for cell in planned) == {"a1": 5, "a2": 5, "b1": 10}
    assert len({cell.id for cell in planned}) == 20


def test_methods_that_find_the_label_stop_where_a_whole_source_served_no_quota() -> None:
    def finding(items: int) -> PlanSpace:
        return space(
            methods={"finds": 1.0},
            method_templates={"finds": {"finds": 1.0}},
            sources={"finds": SourceItems([str(n) for n in range(items)], once=False)},
            open_label=frozenset({"finds"}),
            axis_blind=frozenset({"finds"}),
        )

    served, in_vain = measures(50, 40, label=""), measures(50, 40, label="", accepted=0)
    assert plan(finding(50), quotas(60), 1000, [in_vain, served])
    assert plan(finding(51), quotas(60), 1000, [served, in_vain])
    assert not plan(finding(50), quotas(60), 1000, [served, in_vain])
    revived = {**measures(0, 0, label=""), "accepted": 3}
    assert plan(finding(50), quotas(60), 1000, [served, in_vain, revived])
    nothing = measures(SPENT_CELLS, 0, label="")
    assert not plan(finding(1000), quotas(60), 1000, [nothing])
    assert plan(space(), quotas(60), 1000, [served, in_vain])
