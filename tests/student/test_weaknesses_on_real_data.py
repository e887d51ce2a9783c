"""Weak slices of a real intent set: confusions of neighbouring intents, and none of errors at random."""

from __future__ import annotations

import csv
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.student.classifier import Classifier, ClassifierOptions
from seedbed.student.examine import Examined
from seedbed.student.protocol import Lesson
from seedbed.student.rows import row_of
from seedbed.student.slices import Slicing
from seedbed.student.weaknesses import weaknesses_of
from seedbed.tasks.classification import Classification


@pytest.mark.real_data
def test_banking77_names_confusions_and_errors_at_random_name_nothing(
    real_data: Callable[[str], Path], tmp_path: Path
) -> None:
    with (real_data("banking77") / "banking_data" / "train.csv").open(encoding="utf-8") as file:
        read = list(csv.DictReader(file))
    labels = tuple(sorted({row["category"] for row in read}))
    task = Classification.bind(Classification.Options(input="text", label="category"), labels)
    random.Random(0).shuffle(read)
    rows = [row_of(task, f"r{at}", dict(row)) for at, row in enumerate(read)]
    train, dev = rows[:1_500], rows[1_500:4_000]
    fitted = Classifier(ClassifierOptions()).fit(Lesson(task, train, dev, 0, tmp_path, tmp_path))
    told = fitted.answer(dev)
    slicing = Slicing(task, train)

    found = weaknesses_of(Examined("dev", task, dev, {"mix": told}, draws=2), "mix", task, slicing)
    confusions = [each for each in found if each.kind == "confusion"]
    print(len(found), [(each.name, each.errors, each.rows) for each in confusions[:3]])
    assert len(confusions) >= 10
    assert all(each.error.value > 5 * each.rest for each in confusions)
    assert all(each.about["label"] != each.about["told"] for each in confusions)

    # As many errors, on rows and as labels drawn blindly.
    wrong = sum(row.answer != said for row, said in zip(dev, told, strict=True))
    named = 0
    for seed in range(5):
        dice = random.Random(seed)
        at_random = [row.answer for row in dev]
        for at in dice.sample(range(len(dev)), wrong):
            at_random[at] = dice.choice([label for label in labels if label != dev[at].answer])
        examined = Examined("dev", task, dev, {"mix": at_random}, draws=2)
        named += bool(weaknesses_of(examined, "mix", task, slicing))
    assert named <= 1
