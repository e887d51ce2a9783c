"""The next recipe: the weakest label gets the largest increase, sums are exact, and the recipe loads."""

from __future__ import annotations

import random
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from seedbed.recipe import EdgeCase
from seedbed.run.loading import load_bound
from seedbed.stats.intervals import Estimate
from seedbed.student.examine import Examined
from seedbed.student.slices import Kind
from seedbed.student.targets import Targets, Wanted, label_errors, targets_of
from seedbed.student.weaknesses import Weakness
from tests.cli.workspace import Workspace
from tests.student.test_weaknesses import TASK, make


def weak(kind: Kind, name: str, errors: int = 5, /, **about: Any) -> Weakness:
    words = ("refund", "card") if kind == "cluster" else ()
    return Weakness(kind, name, 10, errors, Estimate(0.5, 0.2, 0.8), 0.1, 0.01, about, words)


CONFUSION = weak("confusion", "access told as billing", 9, label="access", told="billing")
CLUSTER = weak("cluster", "about refund, card", 6, cluster=3)
LENGTH = weak("length", "up to 7 words", 3, least=0, most=7)
FIELD = weak("field", "channel=chat", 3, name="channel", value="chat")
EVERY = [CONFUSION, weak("label", "access", 9, label="access"), CLUSTER, LENGTH, FIELD]


def wanted(counts: Mapping[str, int], **changes: Any) -> Wanted:
    values: dict[str, Any] = {"by_field": {"label": counts}, "cover": {}, **changes}
    return Wanted(sum(counts.values()), **values)


def test_any_errors_share_the_step_out_and_the_weakest_gets_most() -> None:
    dice = random.Random(0)
    for _ in range(500):
        labels = [f"l{n}" for n in range(dice.randrange(2, 15))]
        counts = {label: dice.randrange(1, 60) for label in labels}
        errors = {label: dice.random() for label in labels}
        step = dice.randrange(1, 80)
        made = targets_of([], wanted(counts), step, label_field="label", errors=errors)
        assert made.target == sum(counts.values()) + step == sum(made.cover["label"].values())
        grown = {label: made.cover["label"][label] - counts[label] for label in labels}
        assert min(grown.values()) >= 0
        assert grown[max(errors, key=errors.__getitem__)] == max(grown.values())
        assert made.increases == {label: n for label, n in grown.items() if n}


def test_errors_by_label_come_from_dev_rows_and_few_rows_say_nothing() -> None:
    rows = [row for row in make("dev", 300, 1) if row.answer != "label-7"]
    rows += [row for row in make("few", 60, 2) if row.answer == "label-7"][:1]
    answers = ["label-0" if row.answer in ("label-3", "label-7") else row.answer for row in rows]
    examined = Examined("dev", TASK, rows, {"mix": answers}, draws=2)
    errors = label_errors(examined, "mix", [f"label-{n}" for n in range(9)])
    assert next(iter(errors)) == "label-3"
    assert errors["label-3"] == 1.0
    assert errors["label-0"] == 0.0
    assert errors["label-7"] == errors["label-8"] == pytest.approx(1 / 7)


def test_confusions_clusters_and_lengths_become_edge_cases() -> None:
    made = targets_of(
        EVERY, wanted({"access": 10, "billing": 10}), 20, label_field="label", errors={"access": 1}
    )
    assert {case.name: (case.ask, case.count) for case in made.edge_cases} == {
        "confusion-access-told-as-billing": (
            "comes as close to what is labelled 'billing' as it can, and is plainly of its own label", 5,
        ),
        "cluster-about-refund-card": ("is about what these words tell of: refund, card", 3),
        "length-up-to-7-words": ("is at most 7 words long", 2),
    }  # fmt: skip
    assert sum(made.asked.values()) == 10
    assert made.notes == ("field channel=chat is weak, and no key of a recipe asks for more of it",)


def test_cases_add_up_over_rounds_and_names_do_not_run_together() -> None:
    first = targets_of([LENGTH], wanted({"a": 10}), 10)
    again = targets_of([LENGTH, CLUSTER], wanted({"a": 20}, edge_cases=first.edge_cases), 9)
    assert {case.name: case.count for case in again.edge_cases} == {
        "length-up-to-7-words": 13,
        "cluster-about-refund-card": 6,
    }
    taken = EdgeCase(name="length-up-to-7-words", ask="something else", count=1)
    beside = targets_of([LENGTH], wanted({"a": 10}, edge_cases=(taken,)), 4)
    assert [case.count for case in beside.edge_cases] == [1, 4]
    assert len({case.name for case in beside.edge_cases}) == 2
    strange = weak("confusion", "é" * 90 + " told as ü", 3, label="é", told="ü")
    (case,) = targets_of([strange], wanted({"a": 10}), 4).edge_cases
    assert len(case.name) <= 64
    assert case.name.isascii()


def test_templates_that_show_no_case_are_asked_for_none() -> None:
    made = targets_of(
        EVERY, wanted({"access": 10}, takes_cases=False), 20, label_field="label", errors={"access": 1}
    )
    assert made.edge_cases == ()
    assert any("take no edge case" in note for note in made.notes)


def test_counts_given_by_hand_grow_with_the_target() -> None:
    by_field = {"label": {"a": 10, "b": 10}, "tone": {"calm": 15, "cross": 5}, "length": {"s": 10, "l": 10}}
    given = Wanted(20, by_field, {"tone": {"calm": 15, "cross": 5}, "length": "even"})
    made = targets_of([], given, 8, label_field="label", errors={"a": 0.5, "b": 0.1})
    assert made.cover == {"label": {"a": 17, "b": 11}, "tone": {"calm": 21, "cross": 7}}


@pytest.mark.parametrize(
    "generate",
    [
        {"target": 40, "axes": {"tone": ["calm", "cross"]}},
        {"target": 40, "cover": {"category": {"privacy": 20, "*": "fill"}}, "axes": {"tone": ["calm"]}},
        {"target": 40, "cover": {"category": {"privacy": 0.5}, "tone": {"calm": 30, "cross": 10}}},
        {"target": 40, "edge_cases": [{"name": "two", "ask": "names two problems", "count": 5}]},
    ],
)
def test_the_next_recipe_loads_as_it_stands(tmp_path: Path, generate: dict[str, Any]) -> None:
    Workspace.make(tmp_path, generate=generate)
    bound = load_bound(tmp_path, ())
    asked = bound.recipe.generate
    base = Wanted(bound.quotas.target, bound.quotas.by_field, asked.cover, asked.edge_cases)
    errors = {label: 1.0 if label == "privacy" else 0.1 for label in bound.labels}
    made = targets_of([CONFUSION, LENGTH], base, 12, label_field="category", errors=errors)
    (tmp_path / "recipe.next.yaml").write_text(made.to_yaml("recipe.yaml", ["one\ntwo"]), "utf-8")
    for again in (load_bound(tmp_path / "recipe.next.yaml", ()), load_bound(tmp_path, made.overrides)):
        assert again.quotas.target == 52
        assert again.folder == bound.folder
        assert again.quotas.by_field["category"] == made.cover["category"]
        assert again.recipe.generate.edge_cases == made.edge_cases
    assert Targets.from_json(made.to_json()) == made


def test_a_step_is_at_least_one_record() -> None:
    with pytest.raises(ValueError, match="at least one"):
        targets_of([], wanted({"a": 1}), 0)
