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

    Broken: every draft that the filter flags is dropped, however few real rows its label has.
    """
    order = random.Random(seed_from("rare class", split))
    shuffled = list(human)
    order.shuffle(shuffled)
    half = len(shuffled) // 2
    test, rest = shuffled[:half], shuffled[half:]
    few = [item for item in rest if item[0] == rare][:LEFT]
    train = [item for item in rest if item[0] != rare] + few
    of_rare = [item for item in written if item[0] == rare]
    added = order.sample(of_rare, ADDED)
    kept, flagged, dropped = _through_the_filter(train, added, drop_flagged=broken)
    return {
        "test": dict(Counter(label for label, _ in test)),
        "added": len(added),
        "flagged": flagged,
        "dropped": dropped,
        "without": _recall(train, test, folder),
        "copied": _recall([*train, *(few * (ADDED // LEFT))], test, folder),
        "filter_off": _recall([*train, *added], test, folder),
        "filter_on": _recall([*train, *kept], test, folder),
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
        if verdict.keep and not (drop_flagged and verdict.is_flag)
    ]
    return kept, sum(verdict.is_flag for verdict in verdicts), sum(not verdict.keep for verdict in verdicts)


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
        for arm in ("without", "copied", "filter_off", "filter_on")
    }
    figures: dict[str, Any] = {
        "test_rows": [split["test"][rare] for split in splits],
        "added": [split["added"] for split in splits],
        "recall": {arm: round(values[rare], 4) for arm, values in recall.items()},
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
    return figures


DEMONSTRATION = Demonstration(
    id="D4",
    title="rare class",
    shows=(
        "Ten human items are left in one of the seven behaviours, and 300 of the published LM-written items "
        "are added. `copied` adds the ten thirty times over instead. Half of the human items are the test; "
        "recall of the rare behaviour is the mean over the splits, with the filter `label_agreement` off and "
        "on (built on the human rows of the split, ten of the rare class among them), and the other classes "
        "are compared with the training set without added rows."
    ),
    broken="every draft that `label_agreement` flags is dropped, however few real rows its label has",
    sets=("anthropic_evals",),
    measure=measure,
)
