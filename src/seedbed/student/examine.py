"""What the answers of several students to one set of rows are worth, on the same bootstrap draws."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from seedbed.core.errors import InputError
from seedbed.core.protocols import Task
from seedbed.stats.bootstrap import (
    DRAWS,
    Floats,
    Ints,
    bootstrap_means,
    bootstrap_scores,
    percentile_interval,
)
from seedbed.stats.intervals import LEVEL, Estimate, rows_to_decide, wilson
from seedbed.student.mixture import is_in
from seedbed.student.rows import Row
from seedbed.student.scores import MACRO_F1, metrics_of, scores_of
from seedbed.tasks.fields import labels_of

MATERIAL = 0.03
"""A difference of the deciding metric below this is not worth acting on. An interval that lies within it on
both sides says "no material difference"; one that also reaches beyond says "undecided"."""


class Examined:
    """The answers of each arm to the rows of one split, and what they score.

    Every metric of every arm has a value and its draws, all from the same resamples of the rows, so that
    arms are compared in pairs. `right` has each row's own score, 0..1, by `row_metric`: the metric that
    decides, or accuracy beside macro-F1. `undecided` counts the answers of an arm that it could not tell.
    """

    def __init__(
        self,
        split: str,
        task: Task,
        rows: Sequence[Row],
        answers: Mapping[str, Sequence[str]],
        *,
        draws: int = DRAWS,
        level: float = LEVEL,
        seed: int = 0,
    ) -> None:
        if not rows:
            raise InputError(f"the {split} set has no rows to score on; check its file and its split")
        self.level = level
        self._draws, self._seed = draws, seed
        self.rows = rows
        self.answers = answers
        self.labels = frozenset(labels_of(task))
        self.metrics = metrics_of(task)
        self.metric = self.metrics[0]
        self.right: dict[str, Floats] = {}
        self.undecided: dict[str, int] = dict.fromkeys(answers, 0)
        self._found: dict[tuple[str, str], tuple[float, Floats]] = {}
        self.classes: list[str] = []
        if task.label_field is not None:
            self.classes = sorted({row.answer for row in rows})
            self._score_labels(draws, seed)
        scores = scores_of(task)
        self.row_metric = scores[0].name
        for score in scores:
            self._score_rows(score.name, [score.of(task, answers[arm], rows) for arm in answers], draws, seed)

    def _score_labels(self, draws: int, seed: int) -> None:
        number = {label: index for index, label in enumerate(self.classes)}
        self.truth: Ints = np.array([number[row.answer] for row in self.rows], dtype=np.intp)
        self.told: dict[str, Ints] = {
            # A model that writes a label puts white space around it.
            arm: np.array([number.get(label, number.get(label.strip(), -1)) for label in said], dtype=np.intp)
            for arm, said in self.answers.items()
        }
        if not self.told:
            return
        scores = bootstrap_scores(
            self.truth, list(self.told.values()), len(self.classes), draws=draws, seed=seed
        )
        for index, arm in enumerate(self.told):
            self._found[arm, MACRO_F1] = float(scores.macro_f1[index]), scores.macro_f1_draws[index]

    def _score_rows(
        self, metric: str, scored: Sequence[Sequence[float | None]], draws: int, seed: int
    ) -> None:
        if not scored:
            return
        decides = metric == self.row_metric
        values = np.array([[value or 0.0 for value in of_arm] for of_arm in scored], dtype=np.float64)
        means, drawn = bootstrap_means(values, draws=draws, seed=seed)
        for index, arm in enumerate(self.answers):
            self._found[arm, metric] = float(means[index]), drawn[index]
            if decides:
                self.right[arm] = values[index]
                self.undecided[arm] = sum(value is None for value in scored[index])

    def strangers(self, arm: str) -> list[str]:
        """An arm's answers that are none of the labels which the task lists, in the order of the rows."""
        return [said for said in self.answers[arm] if self.labels and said.strip() not in self.labels]

    def draws(self, arm: str, metric: str | None = None) -> tuple[float, Floats]:
        """The value of a metric, the deciding one unless named, and its draws."""
        return self._found[arm, metric or self.metric]

    def estimate(self, arm: str, metric: str | None = None) -> Estimate:
        value, draws = self.draws(arm, metric)
        return percentile_interval(value, draws, self.level)

    def scores(self, arm: str) -> dict[str, dict[str, Any]]:
        """Every metric of an arm with its interval, as JSON."""
        return {metric: self.estimate(arm, metric).to_json() for metric in self.metrics}

    def ratio(self, arm: str, base: str) -> Estimate | None:
        """The arm's score as a share of another's; None where that has 0."""
        value, draws = self.draws(arm)
        other, other_draws = self.draws(base)
        usable = other_draws > 0
        if other == 0 or not usable.any():
            return None
        return percentile_interval(value / other, draws[usable] / other_draws[usable], self.level)

    def gap(self, arm: str, against: str, metric: str | None = None) -> Estimate:
        value, draws = self.draws(arm, metric)
        other, other_draws = self.draws(against, metric)
        return percentile_interval(value - other, draws - other_draws, self.level)

    def difference(self, arm: str, against: str) -> dict[str, Any]:
        """The gap of the deciding metric, and what it shows, as JSON."""
        return {"arm": arm, "against": against, **difference_of(self.gap(arm, against), len(self.rows))}

    def per_class(self, arm: str) -> dict[str, dict[str, Any]]:
        """Recall (with Wilson's interval), precision, F1 and support of each label; {} without labels.

        Precision is None where the arm never gives the label.
        """
        result = {}
        for index, label in enumerate(self.classes):
            predicted = self.told[arm]
            support = int(np.sum(self.truth == index))
            given = int(np.sum(predicted == index))
            hits = int(np.sum((self.truth == index) & (predicted == index)))
            recall = wilson(hits, support, self.level).to_json()
            result[label] = {
                "recall": recall["value"],
                "recall_interval": [recall["low"], recall["high"]],
                "precision": round(hits / given, 6) if given else None,
                "f1": round(2 * hits / (support + given), 6),
                "support": support,
            }
        return result

    def per_slice(self, arm: str, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Rows of each slice (a label, or FIELD=VALUE) and their mean `row_metric` with its interval.

        Of a slice without rows nothing is known, and it is left out. The interval is Wilson's where rows are
        right or wrong, and the bootstrap's where they are so by degrees.
        """
        result = {}
        for name in names:
            chosen = np.array([is_in(row, name) for row in self.rows], dtype=np.bool_)
            values = self.right[arm][chosen]
            if len(values):
                result[name] = {"rows": len(values), **self._mean(values).to_json()}
        return result

    def _mean(self, values: Floats) -> Estimate:
        if np.isin(values, (0.0, 1.0)).all():
            return wilson(int(values.sum()), len(values), self.level)
        means, drawn = bootstrap_means(values[np.newaxis, :], draws=self._draws, seed=self._seed)
        return percentile_interval(float(means[0]), drawn[0], self.level)


_OF_THREE = 3
"""Of n rows that show nothing of a thing so many may have it, at 95 %: the rule of three."""


def unseen(rows: int) -> float:
    """The share of rows, at the most, in which something may be that none of these shows, at 95 %."""
    return _OF_THREE / rows


def difference_of(gap: Estimate, rows: int) -> dict[str, Any]:
    """A difference as JSON: figures, what they show, and how many rows would decide where they do not."""
    verdict = verdict_on(gap, rows)
    return {
        "difference": gap.to_json(),
        "undecided": gap.contains_zero,
        "verdict": verdict,
        "rows_to_decide": deciding(gap, rows) if verdict == "undecided" else None,
    }


def deciding(gap: Estimate, rows: int) -> int | None:
    """About how many rows would end an `undecided` of `verdict_on`, if the difference is what it seems."""
    if gap.lies_within(MATERIAL):  # and too few rows are alike for that to say much
        return math.floor(_OF_THREE / MATERIAL) + 1
    return rows_to_decide(gap, rows, MATERIAL)


def verdict_on(gap: Estimate, rows: int = 0) -> str:
    """`no_material_difference`, `better`, `worse` or `undecided`: what a difference of scores shows.

    That two answer a few `rows` alike is no proof that they are alike: 3 in n may differ for all that n rows
    tell (the rule of three, Hanley & Lippman-Hand 1983). `rows` 0 leaves that to the interval.
    """
    if gap.lies_within(MATERIAL) and (not rows or unseen(rows) < MATERIAL):
        return "no_material_difference"
    if gap.contains_zero:
        return "undecided"
    return "better" if gap.low > 0 else "worse"
