"""Training sets that were learnt from several times, compared on the same rows.

A training set is drawn and learnt from under several seeds. Its score is the mean over them, and its draws
resample both the rows that it is scored on and the seeds: an interval that knew of one of the two alone would
take the luck of the other for a difference.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from seedbed.stats.bootstrap import DRAWS, Floats, bootstrap_means, percentile_interval
from seedbed.stats.intervals import LEVEL, Estimate
from seedbed.student.examine import Examined
from seedbed.student.mixture import is_in


@dataclass(frozen=True)
class Repeated:
    """The scores of each set by name: a value and its draws, the deciding metric of the task.

    `values` are means over seeds, `draws` their resamples, all of the same rows. `rows` is how many rows were
    asked; 0 where trainers reported figures of their own, so that the draws are of the seeds alone.
    """

    metric: str
    rows: int
    values: Mapping[str, float]
    draws: Mapping[str, Floats]
    seeds: Mapping[str, int]

    @classmethod
    def asked(cls, examined: Examined, runs: Mapping[str, Sequence[str]], seed: int = 0) -> Repeated:
        """From the answers of every run of every set: `runs` has the arms of `examined` by set."""
        values, draws = {}, {}
        for name, arms in runs.items():
            found = [examined.draws(arm) for arm in arms]
            values[name] = float(np.mean([value for value, _ in found]))
            draws[name] = _over_seeds(np.stack([drawn for _, drawn in found]), seed)
        counts = {name: len(arms) for name, arms in runs.items()}
        return cls(examined.metric, len(examined.rows), values, draws, counts)

    @classmethod
    def reported(cls, metric: str, runs: Mapping[str, Sequence[float]], seed: int = 0) -> Repeated:
        """From one figure a run, as a trainer reports it."""
        draws = {
            name: _over_seeds(np.repeat(np.array(found)[:, np.newaxis], DRAWS, axis=1), seed)
            for name, found in runs.items()
        }
        values = {name: float(np.mean(found)) for name, found in runs.items()}
        return cls(metric, 0, values, draws, {name: len(found) for name, found in runs.items()})

    def estimate(self, name: str, level: float = LEVEL) -> Estimate:
        return percentile_interval(self.values[name], self.draws[name], level)

    def gap(self, name: str, against: str, level: float = LEVEL) -> Estimate:
        value = self.values[name] - self.values[against]
        return percentile_interval(value, self.draws[name] - self.draws[against], level)


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
    drawn = _over_seeds(draws[: len(one)], seed) - _over_seeds(draws[len(one) :], seed + 1)
    return SliceGap(
        int(inside.sum()), float(means[: len(one)].mean()), percentile_interval(value, drawn, level)
    )


def _over_seeds(draws: Floats, seed: int) -> Floats:
    """Draws of the mean over runs, shape (D,), from those of each run, shape (runs, D)."""
    runs, count = draws.shape
    if runs == 1:
        alone: Floats = draws[0]
        return alone
    picked = np.random.default_rng(seed).integers(0, runs, size=(runs, count))
    return np.asarray(np.take_along_axis(draws, picked, axis=0).mean(axis=0), dtype=np.float64)
