"""What training sets of other shares of LM-written items teach a student of the seven behaviours."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

from benchmarks.evidence.behaviour_run import Item
from benchmarks.evidence.behaviours import BEHAVIOURS
from seedbed.core.hashing import seed_from, short_id
from seedbed.student.arms import in_order
from seedbed.student.classifier import Classifier, ClassifierOptions
from seedbed.student.examine import Examined
from seedbed.student.mixture import Mixture, mix
from seedbed.student.protocol import Lesson
from seedbed.student.rows import Row
from seedbed.tasks.classification import Classification

ARM_ROWS = 2168
SHARES = {"mix_25_75": 0.25, "mix_50_50": 0.5, "mix_75_25": 0.75, "mix_90_10": 0.9}
FEW, BESIDE_FEW = 200, 600
# So few rows are a matter of luck: they are drawn several times in each split.
DRAWS = 4
TASK = Classification.bind(Classification.Options(input="text", label="behaviour"), BEHAVIOURS)

Score = tuple[float, float, float]
"""Macro-F1 with the ends of its 95 % interval."""


def score_split(
    folder: Path, *, human: Sequence[Item], written: Sequence[Item], split: int, features: str
) -> dict[str, Any]:
    """The score of every training set on the half of the human items that none of them has."""
    order = random.Random(seed_from("mixing curve", split))
    shuffled = order.sample(list(human), len(human))
    half = len(shuffled) // 2
    train, test = _rows(shuffled[:half]), _rows(shuffled[half:])
    arms = _arms(train, _rows(written), split, order)
    student = Classifier(ClassifierOptions.model_validate({"features": features}))
    told = {
        name: student.fit(Lesson(TASK, rows, (), split, folder, folder)).answer(test)
        for name, rows in arms.items()
    }
    examined = Examined("test", TASK, test, told, seed=split)
    scores = {name: examined.estimate(name) for name in arms}
    return {name: [score.value, score.low, score.high] for name, score in scores.items()}


def _rows(items: Sequence[Item]) -> list[Row]:
    return [Row(short_id("item", text), text, label) for label, text in items]


def _arms(
    train: Sequence[Row], written: Sequence[Row], split: int, order: random.Random
) -> dict[str, list[Row]]:
    real, synthetic = in_order(train, split), in_order(written, split)
    arms = {"human": real[:ARM_ROWS], "lm_only": synthetic[:ARM_ROWS]}
    for name, share in SHARES.items():
        mixed = mix(real, synthetic, Mixture(share, ARM_ROWS))
        arms[name] = [*mixed.real, *mixed.synthetic]
    for draw in range(DRAWS):
        few = order.sample(real, FEW)
        arms[f"human_{FEW}#{draw}"] = few
        arms[f"human_{FEW}_lm_{BESIDE_FEW}#{draw}"] = [*few, *synthetic[:BESIDE_FEW]]
    arms["all_human_all_lm"] = [*real, *synthetic]
    return arms


def over_splits(splits: Sequence[Mapping[str, Score]]) -> dict[str, list[float]]:
    """Mean over splits, and draws, of each score and of the ends of its interval."""
    found: dict[str, list[Score]] = {}
    for scores in splits:
        for name, score in scores.items():
            found.setdefault(name.partition("#")[0], []).append(score)
    return {
        name: [round(fmean(column), 4) for column in zip(*scores, strict=True)]
        for name, scores in found.items()
    }
