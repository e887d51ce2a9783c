"""Weak slices: where there is none, none is named; what is planted is found; rows of five and more."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence

import pytest

from seedbed.stats.hypergeometric import upper_tail
from seedbed.student.examine import Examined
from seedbed.student.rows import Row, row_of
from seedbed.student.slices import LEAST_ROWS, Slicing, length_name, words_in
from seedbed.student.weaknesses import Weakness, weaknesses_of
from seedbed.tasks.classification import Classification
from seedbed.tasks.instruction import Instruction

LABELS = tuple(f"label-{n}" for n in range(8))
TOPICS = ("invoice refund card payment", "password login reset screen", "parcel courier street door",
          "battery charger cable plug")  # fmt: skip
TASK = Classification.bind(Classification.Options(input="text", label="label"), LABELS)


def make(kind: str, count: int, seed: int) -> list[Row]:
    """Rows of random label, topic, length and channel: none of these has to do with another."""
    dice = random.Random(f"{kind}/{seed}")
    rows = []
    for at in range(count):
        topic = dice.choice(TOPICS).split()
        length = dice.randrange(3, 30)
        text = " ".join([*dice.choices(topic, k=3), *(f"w{dice.randrange(300)}" for _ in range(length))])
        fields = {"text": text, "label": dice.choice(LABELS), "channel": dice.choice(["mail", "chat"])}
        rows.append(row_of(TASK, f"{kind}-{at:04}", fields))
    return rows


TRAIN = make("train", 400, 0)
SLICING = Slicing(TASK, TRAIN)


def answered(rows: Sequence[Row], dice: random.Random, weak: dict[str, float], base: float) -> list[str]:
    """The true label, but for a share of errors; `weak` has that share by label."""
    return [
        dice.choice([label for label in LABELS if label != row.answer])
        if dice.random() < weak.get(row.answer, base)
        else row.answer
        for row in rows
    ]


def found_in(rows: Sequence[Row], answers: Sequence[str]) -> list[Weakness]:
    examined = Examined("dev", TASK, rows, {"mix": answers}, draws=2)
    return weaknesses_of(examined, "mix", TASK, SLICING)


def test_where_nothing_is_weak_few_runs_name_a_slice() -> None:
    """300 sets of rows whose errors fall anywhere: at most 5 % of them name one, with room for chance.

    Without the correction most of them would, so that the bound is no matter of course.
    """
    named = uncorrected = 0
    runs = 300
    for seed in range(runs):
        dice = random.Random(seed)
        rows = make("dev", dice.choice([80, 250]), seed)
        answers = answered(rows, dice, {}, dice.choice([0.1, 0.3]))
        named += bool(found_in(rows, answers))
        wrong = {at for at, (row, said) in enumerate(zip(rows, answers, strict=True)) if said != row.answer}
        uncorrected += any(
            upper_tail(len(wrong.intersection(each.rows)), len(each.rows), len(wrong), len(rows)) <= 0.05
            for each in SLICING.of(rows)
        )
    assert named / runs <= 0.05 + 2 * (0.05 * 0.95 / runs) ** 0.5
    assert uncorrected / runs > 0.3


def test_a_weak_label_is_found_with_its_figures_and_rows() -> None:
    rows = make("dev", 240, 3)
    found = found_in(rows, answered(rows, random.Random(3), {"label-5": 0.7}, 0.08))
    first = found[0]
    assert (first.kind, first.name, first.about) == ("label", "label-5", {"label": "label-5"})
    of_label = [row for row in rows if row.answer == "label-5"]
    assert first.rows == len(of_label)
    assert first.error.low < first.errors / first.rows < first.error.high
    assert first.rest < 0.15 < first.error.low
    assert first.p < 0.001
    assert len(first.examples) == 5
    known = {row.id: row for row in of_label}
    for each in first.examples:
        assert known[each.id].text == each.text
        assert each.told != each.answer == "label-5"
    assert all(each.kind in ("label", "confusion") for each in found)


def test_a_planted_confusion_is_told_from_errors_that_go_anywhere() -> None:
    rows = make("dev", 320, 4)
    dice = random.Random(4)
    answers = [
        "label-2" if row.answer == "label-1" and dice.random() < 0.5 else said
        for row, said in zip(rows, answered(rows, dice, {}, 0.1), strict=True)
    ]
    confusions = [each for each in found_in(rows, answers) if each.kind == "confusion"]
    assert [each.name for each in confusions] == ["label-1 told as label-2"]
    assert {each.told for each in confusions[0].examples} == {"label-2"}
    spread = found_in(rows, answered(rows, random.Random(5), {"label-1": 0.8}, 0.05))
    assert [each.name for each in spread if each.kind == "label"] == ["label-1"]


@pytest.mark.parametrize("kind", ["cluster", "length", "field"])
def test_other_planted_slices_are_found(kind: str) -> None:
    rows = make("dev", 400, 6)

    def is_hard(row: Row) -> bool:
        if kind == "cluster":
            return sum(word in TOPICS[2] for word in row.text.split()) >= 2
        return words_in(row.text) <= 9 if kind == "length" else row.fields["channel"] == "chat"

    dice = random.Random(7)
    answers = [
        dice.choice(LABELS) if dice.random() < (0.7 if is_hard(row) else 0.05) else row.answer for row in rows
    ]
    found = {each.kind: each for each in reversed(found_in(rows, answers))}
    assert kind in found
    if kind == "cluster":
        assert set(found[kind].words) & set(TOPICS[2].split())
        assert found[kind].name == "about " + ", ".join(found[kind].words)
    if kind == "length":
        assert found[kind].about["least"] == 0
        assert found[kind].name == length_name(0, found[kind].about["most"])
    if kind == "field":
        assert found[kind].name == "channel=chat"


def test_fewer_than_five_rows_are_no_slice() -> None:
    many = [row for row in make("dev", 200, 8) if row.answer != "label-0"]
    few = [
        row_of(TASK, f"few-{at}", {"text": f"w{at} w1", "label": "label-0"}) for at in range(LEAST_ROWS - 1)
    ]
    rows = [*many, *few]
    answers = [row.answer if row.answer != "label-0" else "label-1" for row in rows]
    assert not any(each.name.startswith("label-0") for each in found_in(rows, answers))
    one_more = row_of(TASK, "few-x", {"text": "w9 w1", "label": "label-0"})
    assert found_in([*rows, one_more], [*answers, "label-1"])[0].name in (
        "label-0",
        "label-0 told as label-1",
    )


def test_slots_of_generated_rows_are_slices() -> None:
    dice = random.Random(9)
    rows = [
        Row(row.id, row.text, row.answer, row.fields, {"tone": dice.choice(["calm", "cross"])})
        for row in make("generated", 200, 9)
    ]
    answers = [
        dice.choice(LABELS) if row.slots["tone"] == "cross" and dice.random() < 0.6 else row.answer
        for row in rows
    ]
    assert ("slot", "tone=cross") in {(each.kind, each.name) for each in found_in(rows, answers)}


def test_a_task_without_labels_has_bands_and_clusters() -> None:
    task = Instruction.bind(Instruction.Options(), None)

    def row(at: int) -> Row:
        long = at % 4 == 0
        question = " ".join([f"sum{at}", *(["please"] * (25 if long else 4))])
        return row_of(task, f"r{at}", {"instruction": question, "input": "", "response": f"answer {at}"})

    rows = [row(at) for at in range(120)]
    answers = ["wrong" if at % 4 == 0 and at % 3 else row.answer for at, row in enumerate(rows)]
    examined = Examined("dev", task, rows, {"mix": answers}, draws=2)
    found = weaknesses_of(examined, "mix", task, Slicing(task, rows))
    assert found
    assert {each.kind for each in found} <= {"length", "cluster"}


def test_it_goes_through_json_and_the_order_of_rows_says_nothing() -> None:
    rows = make("dev", 240, 3)
    answers = answered(rows, random.Random(3), {"label-5": 0.7}, 0.08)
    found = found_in(rows, answers)
    back = [Weakness.from_json(json.loads(json.dumps(each.to_json()))) for each in found]
    assert [each.to_json() for each in back] == [each.to_json() for each in found]
    turned = found_in(rows[::-1], answers[::-1])
    assert [each.to_json() for each in turned] == [each.to_json() for each in found]
