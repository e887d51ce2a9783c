"""Training sets that were learnt from several times, compared on the same rows.

A training set is drawn and learnt from under several seeds. Its score is the mean over them, and its draws
resample both the rows that it is scored on and the seeds: an interval that knew of one of the two alone
would take the luck of the other for a difference. Five seeds resampled as they are would say too little: the
variance of a bootstrap of n values is (n - 1) / n of what it should be, and its tails are normal ones. So
what a resample of the seeds differs by is stretched to the tail of Student's t (Efron & Tibshirani 1993,
chapter 12).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from seedbed.stats.bootstrap import DRAWS, Floats, bootstrap_means, percentile_interval
from seedbed.stats.intervals import LEVEL, Estimate, normal_quantile, t_quantile
from seedbed.student.arms import Arm
from seedbed.student.examine import Examined
from seedbed.student.mixture import is_in

Name = TypeVar("Name", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of the arms that were asked for: the dev rows examined, or the figures reported."""

    examined: Examined | None
    reported: Mapping[str, float]
    metric: str
    problems: Mapping[str, str]

    def learnt(self, runs: Mapping[Name, Sequence[Arm]]) -> dict[Name, list[str]]:
        """By set the names of the runs that were learnt from; a set without any is left out."""
        found = {
            name: [arm.name for arm in arms if arm.name not in self.problems] for name, arms in runs.items()
        }
        return {name: arms for name, arms in found.items() if arms}

    def repeated(self, runs: Mapping[str, Sequence[str]], seed: int) -> Repeated:
        """The scores of the sets, of which `runs` has the runs that were learnt from."""
        if self.examined is not None:
            return Repeated.asked(self.examined, runs, seed)
        figures = {name: [self.reported[run] for run in names] for name, names in runs.items()}
        return Repeated.reported(self.metric, figures, seed)


Try = Callable[[Sequence[Arm]], Tried]
"""Has a student learn from every arm (their names are distinct) and answer the dev rows."""


@dataclass(frozen=True)
class Repeated:
    """The scores of each set by name: a value and the draws of each of its runs, of the deciding metric.

    `values` are means over runs; `draws`, shape (runs, D), are all of the same resamples of the rows. `rows`
    is how many rows were asked; 0 where trainers reported figures of their own: draws are one value then.
    Run k of every set has one seed: sets of as many runs are compared run by run.
    """

    metric: str
    rows: int
    values: Mapping[str, float]
    draws: Mapping[str, Floats]
    seed: int = 0

    @classmethod
    def asked(cls, examined: Examined, runs: Mapping[str, Sequence[str]], seed: int = 0) -> Repeated:
        """From the answers of every run of every set: `runs` has the arms of `examined` by set."""
        values, draws = {}, {}
        for name, arms in runs.items():
            found = [examined.draws(arm) for arm in arms]
            values[name] = float(np.mean([value for value, _ in found]))
            draws[name] = np.stack([drawn for _, drawn in found])
        return cls(examined.metric, len(examined.rows), values, draws, seed)

    @classmethod
    def reported(cls, metric: str, runs: Mapping[str, Sequence[float]], seed: int = 0) -> Repeated:
        """From one figure a run, as a trainer reports it."""
        draws = {
            name: np.repeat(np.array(found, dtype=np.float64)[:, np.newaxis], DRAWS, axis=1)
            for name, found in runs.items()
        }
        return cls(metric, 0, {name: float(np.mean(found)) for name, found in runs.items()}, draws, seed)

    def estimate(self, name: str, level: float = LEVEL) -> Estimate:
        drawn, value = over_seeds(self.draws[name], self.seed, level), self.values[name]
        if 0 <= value <= 1:  # a score: what is stretched beyond its ends is not there
            drawn = np.clip(drawn, 0, 1)
        return percentile_interval(value, drawn, level)

    def gap(self, name: str, against: str, level: float = LEVEL) -> Estimate:
        value = self.values[name] - self.values[against]
        return percentile_interval(
            value, _gap(self.draws[name], self.draws[against], self.seed, level), level
        )


@dataclass(frozen=True, slots=True)
class SliceGap:
    """How a set does in one slice beside another set: the score there, and the difference."""

    rows: int
    score: float
    gap: Estimate


def slice_gap(
    examined: Examined,
    one: Sequence[str],
    other: Sequence[str],
    name: str,
    level: float = LEVEL,
    seed: int = 0,
) -> SliceGap | None:
    """The gap between the runs of two sets in a slice; None where no row is in it.

    Of labels the score of a slice is its recall, of other tasks the mean of the deciding score.
    """
    inside = np.array([is_in(row, name) for row in examined.rows])
    if not inside.any():
        return None
    runs = np.stack([examined.right[arm][inside] for arm in (*one, *other)])
    means, draws = bootstrap_means(runs, seed=seed)
    value = float(means[: len(one)].mean() - means[len(one) :].mean())
    drawn = _gap(draws[: len(one)], draws[len(one) :], seed, level)
    return SliceGap(
        int(inside.sum()), float(means[: len(one)].mean()), percentile_interval(value, drawn, level)
    )


def _gap(one: Floats, other: Floats, seed: int, level: float) -> Floats:
    """Draws of the difference, shape (D,): run by run where both have as many."""
    if len(one) == len(other):
        return over_seeds(one - other, seed, level)
    return over_seeds(one, seed, level) - over_seeds(other, seed + 1, level)


def over_seeds(draws: Floats, seed: int, level: float) -> Floats:
    """Draws of the mean over runs, shape (D,), from those of each run, shape (runs, D)."""
    runs, count = draws.shape
    mean: Floats = draws.mean(axis=0)
    if runs == 1:
        return mean
    picked = np.random.default_rng(seed).integers(0, runs, size=(runs, count))
    resampled = np.take_along_axis(draws, picked, axis=0).mean(axis=0)
    stretch = t_quantile(level, runs - 1) / normal_quantile(level) * math.sqrt(runs / (runs - 1))
    return np.asarray(mean + stretch * (resampled - mean), dtype=np.float64)
