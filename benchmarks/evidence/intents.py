"""Two sets of intents, real rows alone: what more rows are worth, what leaks add, what ten rows teach."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import data, read_rows
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.leak_audit import clinc_files
from benchmarks.evidence.plot import Axes, Plot, curve
from benchmarks.evidence.product import seedbed_expecting
from seedbed.core.hashing import seed_from
from seedbed.stats.intervals import wilson
from seedbed.student.classifier import Classifier, ClassifierOptions
from seedbed.student.examine import Examined
from seedbed.student.protocol import Lesson
from seedbed.student.rows import Row
from seedbed.tasks.classification import Classification

SIZES = (5, 10, 20, 50)
LEFT, COPIES = 10, 30
RARE_CLASSES = 8
"""Classes that are cut at a time, so that the others are still nearly all as they were."""
DRAWS, FULL_DRAWS = 2, 8
_LEAKS = 3
TASK = Classification.bind(Classification.Options(input="text", label="label"), None)

Files = Callable[[Path], tuple[Path, Path]]
SETS: Mapping[str, tuple[Files, str]] = {
    "banking77": (
        lambda folder: (
            data("banking77") / "banking_data" / "train.csv",
            data("banking77") / "banking_data" / "test.csv",
        ),
        "category",
    ),
    "clinc150": (clinc_files, "label"),
}


def measure(setting: Setting) -> Figures:
    draws = FULL_DRAWS if setting.full else DRAWS
    return setting.steps(
        {
            name: partial(_measure, files=files, label=label, draws=draws, broken=setting.broken)
            for name, (files, label) in SETS.items()
        }
    )


def _measure(folder: Path, *, files: Files, label: str, draws: int, broken: bool) -> dict[str, Any]:
    """The audit finds what leaks; everything but the effect of that is measured without it.

    Broken: more rows a class are the same five over and over.
    """
    train_file, test_file = files(folder)
    clean_file = folder / f"clean{train_file.suffix}"
    audit = seedbed_expecting((_LEAKS,), "audit", train_file, "--against", test_file, "--drop", clean_file)
    leaked = sorted({leak["eval_row"] for leak in audit.value["leaks"]})
    train, clean, test = (_rows(path, label) for path in (train_file, clean_file, test_file))
    student = _Student(folder, test)
    whole = student.learn(clean)
    sizes = {str(size): student.learn(_of_each(clean, size, repeated=broken)) for size in SIZES}
    sizes["all"] = whole
    examined = student.examined(sizes)
    scores = {size: examined.estimate(size) for size in sizes}
    steps = [scores[size].value for size in sizes]
    return {
        "train_rows": len(clean),
        "test_rows": len(test),
        "classes": len(examined.classes),
        "macro_f1": {size: round(score.value, 4) for size, score in scores.items()},
        "interval": {size: [round(score.low, 4), round(score.high, 4)] for size, score in scores.items()},
        "accuracy": {size: round(examined.estimate(size, "accuracy").value, 4) for size in sizes},
        "least_gain_of_a_step": round(min(b - a for a, b in pairwise(steps)), 4),
        "leak": _leak(test, set(leaked), student.learn(train), whole),
        "rare": _rare(student, clean, whole, draws),
    }


class _Student:
    """The classifier, asked the rows of a test."""

    def __init__(self, folder: Path, test: Sequence[Row]) -> None:
        self._folder, self.test = folder, test

    def learn(self, rows: Sequence[Row]) -> list[str]:
        """What it says to the test after these rows."""
        student = Classifier(ClassifierOptions())
        return student.fit(Lesson(TASK, rows, (), 0, self._folder, self._folder)).answer(self.test)

    def examined(self, told: Mapping[str, Sequence[str]]) -> Examined:
        return Examined("test", TASK, self.test, told)


def _rows(path: Path, label: str) -> list[Row]:
    return [Row(f"{path.stem}-{at}", row["text"], row[label]) for at, row in enumerate(read_rows(path))]


def _of_each(rows: Sequence[Row], size: int, *, repeated: bool) -> list[Row]:
    """So many rows of each label, or all that it has; a larger size contains the smaller ones."""
    of_label: defaultdict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: seed_from("size", row.id)):
        of_label[row.answer].append(row)
    if repeated:
        return [row for found in of_label.values() for row in found[: SIZES[0]] * (size // SIZES[0])]
    return [row for found in of_label.values() for row in found[:size]]


def _leak(
    test: Sequence[Row], leaked: set[int], leaky: Sequence[str], clean: Sequence[str]
) -> dict[str, Any]:
    """Accuracy of the student that learnt from the leaked rows, too, beside the one that did not."""

    def accuracy(told: Sequence[str], rows: Sequence[int]) -> float:
        return round(sum(told[at] == test[at].answer for at in rows) / len(rows), 4)

    every = range(len(test))
    parts = {
        "whole_test": every,
        "leaked_rows": sorted(leaked),
        "other_rows": [at for at in every if at not in leaked],
    }
    figures: dict[str, Any] = {"rows": len(leaked)}
    for name, rows in parts.items():
        with_, without = accuracy(leaky, rows), accuracy(clean, rows)
        figures[name] = {"with": with_, "without": without, "gain": round(with_ - without, 4)}
    return figures


def _rare(student: _Student, train: Sequence[Row], whole: Sequence[str], draws: int) -> dict[str, Any]:
    """Recall of classes of which ten rows are left, in all draws together, with its 95 % interval."""
    labels = sorted({row.answer for row in train})
    hits = {"ten": 0, "copied": 0, "full": 0}
    rows = 0
    for draw in range(draws):
        rare = set(random.Random(seed_from("rare", draw)).sample(labels, RARE_CLASSES))
        kept = {row.id for row in _of_each(train, LEFT, repeated=False)}
        few = [row for row in train if row.answer in rare and row.id in kept]
        others = [row for row in train if row.answer not in rare]
        asked = [at for at, row in enumerate(student.test) if row.answer in rare]
        told = {
            "ten": student.learn([*others, *few]),
            "copied": student.learn([*others, *few * COPIES]),
            "full": whole,
        }
        rows += len(asked)
        for name, said in told.items():
            hits[name] += sum(said[at] == student.test[at].answer for at in asked)
    found = {name: wilson(count, rows) for name, count in hits.items()}
    return {
        "classes": RARE_CLASSES * draws,
        "test_rows": rows,
        "recall": {name: round(score.value, 4) for name, score in found.items()},
        "interval": {name: [round(score.low, 4), round(score.high, 4)] for name, score in found.items()},
        "full_above_ten": round(found["full"].value - found["ten"].value, 4),
        "full_above_copied": round(found["full"].value - found["copied"].value, 4),
    }


def plots(figures: Figures) -> list[Plot]:
    """Over the logarithm of the size, so that the sizes stand evenly."""
    lines = {
        name: {
            at / len(SIZES): (found["macro_f1"][size], *found["interval"][size])
            for at, size in enumerate(found["macro_f1"])
        }
        for name, found in figures.items()
    }
    said = "; ".join(
        f"{name} {found['macro_f1']['5']:.2f} to {found['macro_f1']['all']:.2f}"
        for name, found in figures.items()
    )
    axes = Axes("Macro-F1 of real rows alone, by rows of each class", "macro-F1", 0.4, 1, 0.1)
    names = {at / len(SIZES): size for at, size in enumerate((*map(str, SIZES), "all"))}
    alt = f"Macro-F1 from five rows a class to all: {said}."
    return [Plot("intents-sizes", alt, curve(axes, "rows of each class", lines, names))]


DEMONSTRATION = Demonstration(
    id="intents",
    title="real rows alone, their leaks and their rare classes",
    shows=(
        "BANKING77 and CLINC150, real rows alone, by the classifier as it is by default. `macro_f1` is of so "
        "many rows of each class, of train without what `seedbed audit` finds in test. `leak` is what these "
        "rows add to the accuracy when they stay in train. `rare`: eight classes at a time are cut to ten "
        "rows, which are then copied thirty times; recall is that of the cut classes, `full` before cutting."
    ),
    broken="more rows of a class are the same five over and over",
    sets=("banking77", "clinc150"),
    measure=measure,
    parts=("banking77", "clinc150"),
    plots=plots,
)
