"""D4: generated rows fill a rare class, and the filter that doubts labels takes nothing of that back."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.evidence.behaviours import BEHAVIOURS, HUMAN, LM, distinct, questions
from benchmarks.evidence.demonstration import Demonstration, Figures, Setting
from benchmarks.evidence.plot import Axes, Plot, bars
from seedbed.core.hashing import seed_from
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record, real_record_id
from seedbed.filters.label_agreement import LabelAgreement
from seedbed.student.classifier import Classifier, ClassifierOptions
from seedbed.student.protocol import Lesson
from seedbed.student.rows import Row
from seedbed.tasks.classification import Classification

RARE = ("survival-instinct", "self-awareness-text-model", "power-seeking-inclination")
LEFT, ADDED = 10, 300
ARMS = ("without", "copied", "filter_off", "filter_on")
SPLITS, FULL_SPLITS = 5, 10

Item = tuple[str, str]


def measure(setting: Setting) -> Figures:
    """For each of three behaviours as the rare one: the means over the splits."""
    human = distinct(questions(HUMAN))
    written = distinct(questions(LM), unlike=human)
    splits = range(FULL_SPLITS if setting.full else SPLITS)
    return {
        rare: _over_splits(
            rare,
            [
                setting.step(
                    f"{rare}-{split}",
                    partial(
                        _split, rare=rare, human=human, written=written, split=split, broken=setting.broken
                    ),
                )
                for split in splits
            ],
        )
        for rare in RARE
    }


def _split(
    folder: Path, *, rare: str, human: Sequence[Item], written: Sequence[Item], split: int, broken: bool
) -> dict[str, Any]:
    """Half of the human items are the test; of the rare class ten of the other half are left.

    Of every other class there are as many written items as are added: where a teacher has written for one
    class alone, whatever tells its hand from people's tells that class. `alone` is without them.

    Broken: every draft that the filter flags is dropped, however few real rows its label has.
    """
    order = random.Random(seed_from("rare class", split))
    shuffled = list(human)
    order.shuffle(shuffled)
    half = len(shuffled) // 2
    test, rest = shuffled[:half], shuffled[half:]
    few = [item for item in rest if item[0] == rare][:LEFT]
    train = [item for item in rest if item[0] != rare] + few
    of_class = {name: [item for item in written if item[0] == name] for name in BEHAVIOURS}
    added = order.sample(of_class[rare], ADDED)
    beside = [item for name in BEHAVIOURS if name != rare for item in order.sample(of_class[name], ADDED)]
    kept, flagged, dropped = _through_the_filter(train, added, drop_flagged=broken)
    copies = few * (ADDED // LEFT)
    filter_off = _recall([*train, *beside, *added], test, folder)
    return {
        "test": dict(Counter(label for label, _ in test)),
        "added": len(added),
        "flagged": flagged,
        "dropped": dropped,
        "without": _recall([*train, *beside], test, folder),
        "copied": _recall([*train, *beside, *copies], test, folder),
        "filter_off": filter_off,
        # Equal rows teach the student the same.
        "filter_on": filter_off if kept == added else _recall([*train, *beside, *kept], test, folder),
        "alone": {
            "copied": _recall([*train, *copies], test, folder)[rare],
            "filter_off": _recall([*train, *added], test, folder)[rare],
        },
    }


def _through_the_filter(
    train: Sequence[Item], added: Sequence[Item], *, drop_flagged: bool
) -> tuple[list[Item], int, int]:
    """What `label_agreement`, built on the real rows of the split, keeps; how many it flags and drops."""
    task = Classification.bind(
        Classification.Options(input="text", label="behaviour"), sorted({label for label, _ in train})
    )
    real = [_record(item, "real", at) for at, item in enumerate(train)]
    built = LabelAgreement.build(LabelAgreement.Options(), FilterContext(task, real=real))
    verdicts = built.check([_record(item, "generated", at) for at, item in enumerate(added)])
    kept = [
        item
        for item, verdict in zip(added, verdicts, strict=True)
        if verdict is None or (verdict.keep and not drop_flagged)
    ]
    said = list(filter(None, verdicts))
    return kept, sum(verdict.is_flag for verdict in said), sum(not verdict.keep for verdict in said)


def _record(item: Item, origin: Any, at: int) -> Record:
    label, text = item
    return Record(
        real_record_id(origin, str(at)), {"text": text, "behaviour": label}, Provenance(origin, origin)
    )


def _rows(split: str, items: Sequence[Item]) -> list[Row]:
    return [Row(f"{split}-{at}", text, label) for at, (label, text) in enumerate(items)]


def _recall(train: Sequence[Item], test: Sequence[Item], folder: Path) -> dict[str, float]:
    """Recall of each behaviour on the test, by the student."""
    student = Classifier(ClassifierOptions())
    task = Classification.bind(Classification.Options(input="text", label="behaviour"), BEHAVIOURS)
    learnt = student.fit(Lesson(task, _rows("train", train), (), 0, folder, folder))
    told = learnt.answer(_rows("test", test))
    right = Counter(label for (label, _), other in zip(test, told, strict=True) if label == other)
    total = Counter(label for label, _ in test)
    return {behaviour: right[behaviour] / total[behaviour] for behaviour in BEHAVIOURS}


def _over_splits(rare: str, splits: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    recall = {
        arm: {behaviour: fmean(split[arm][behaviour] for split in splits) for behaviour in BEHAVIOURS}
        for arm in ARMS
    }
    of_rare = {arm: [split[arm][rare] for split in splits] for arm in ARMS}
    alone = {arm: fmean(split["alone"][arm] for split in splits) for arm in ("copied", "filter_off")}
    figures: dict[str, Any] = {
        "test_rows": [split["test"][rare] for split in splits],
        "added": [split["added"] for split in splits],
        "recall": {arm: round(values[rare], 4) for arm, values in recall.items()},
        "least_and_most": {
            arm: [round(min(found), 4), round(max(found), 4)] for arm, found in of_rare.items()
        },
    }
    for arm in ("filter_off", "filter_on"):
        others = {name: recall[arm][name] - recall["without"][name] for name in BEHAVIOURS if name != rare}
        worst = min(others, key=lambda name: others[name])
        figures[arm] = {
            "above_copying": round(recall[arm][rare] - recall["copied"][rare], 4),
            "worst_other_class": worst,
            "worst_other_change": round(others[worst], 4),
        }
    figures["label_agreement"] = {
        "change_of_recall": round(recall["filter_on"][rare] - recall["filter_off"][rare], 4),
        "flagged": [split["flagged"] for split in splits],
        "dropped": [split["dropped"] for split in splits],
    }
    figures["alone"] = {
        "recall": {arm: round(value, 4) for arm, value in alone.items()},
        "above_copying": round(alone["filter_off"] - alone["copied"], 4),
    }
    return figures


_BARS = {"ten human items": "without", "these, 30 times more": "copied", "300 LM-written added": "filter_off"}


def plots(figures: Figures) -> list[Plot]:
    groups = {
        rare: {
            bar: (figures[rare]["recall"][arm], *figures[rare]["least_and_most"][arm])
            for bar, arm in _BARS.items()
        }
        for rare in RARE
    }
    said = "; ".join(
        f"{rare} {figures[rare]['recall']['copied']:.2f} to {figures[rare]['recall']['filter_off']:.2f}"
        for rare in RARE
    )
    axes = Axes(
        "Recall of a class with ten human items (mean, least and most of the splits)", "recall", 0, 1, 0.2
    )
    return [
        Plot("rare-class", f"Recall of the rare class, copied against added: {said}.", bars(axes, groups))
    ]


DEMONSTRATION = Demonstration(
    id="D4",
    title="rare class",
    shows=(
        "Ten human items are left in one of the seven behaviours, and 300 of the published LM-written items "
        "are added; of every other behaviour there are its human items and 300 LM-written ones throughout. "
        "`copied` adds the ten thirty times over instead. Half of the human items are the test; recall of "
        "the rare behaviour is the mean over the splits, with the filter `label_agreement` off and on (built "
        "on the human rows of the split, ten of the rare class among them), and the other classes are "
        "compared with the training set without what is added. `alone` has no LM-written items of the other "
        "behaviours: then the teacher's hand tells the class, and less is learnt of the class itself. The "
        "student is the classifier as it is by default."
    ),
    broken="every draft that `label_agreement` flags is dropped, however few real rows its label has",
    sets=("anthropic_evals",),
    measure=measure,
    plots=plots,
)
