"""The bootstrap: right on the plain scores, deterministic, paired, and covering the truth."""

from __future__ import annotations

import time

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as np_st
from sklearn.metrics import accuracy_score, f1_score

from seedbed.stats.bootstrap import Ints, bootstrap_scores, percentile_interval


def simulate(
    rng: np.random.Generator, rows: int, prior: list[float], skills: tuple[float, ...]
) -> tuple[Ints, list[Ints]]:
    """An eval whose hard rows are hard for every predictor; each guesses what it does not know."""
    classes = len(prior)
    truth = rng.choice(classes, size=rows, p=prior)
    hardness = rng.random(rows)
    guesses = [rng.choice(classes, size=rows, p=prior) for _ in skills]
    return truth, [
        np.where(hardness > skill, guess, truth) for skill, guess in zip(skills, guesses, strict=True)
    ]


@given(data=st.data(), classes=st.integers(2, 6), rows=st.integers(1, 40), seed=st.integers(0, 99))
@settings(max_examples=60, deadline=None)
def test_scores_equal_sklearn(data: st.DataObject, classes: int, rows: int, seed: int) -> None:
    indices = np_st.arrays(np.intp, rows, elements=st.integers(0, classes - 1))
    truth, prediction = data.draw(indices), data.draw(indices)
    scores = bootstrap_scores(truth, [prediction], classes, draws=3, seed=seed)
    labels = np.unique(truth)
    expected = f1_score(truth, prediction, labels=labels, average="macro", zero_division=0)
    assert scores.macro_f1[0] == pytest.approx(expected)
    assert scores.accuracy[0] == pytest.approx(accuracy_score(truth, prediction))
    assert ((scores.macro_f1_draws >= 0) & (scores.macro_f1_draws <= 1)).all()


def test_equal_seeds_give_equal_draws() -> None:
    truth, predictions = simulate(np.random.default_rng(0), 200, [0.5, 0.3, 0.2], (0.7, 0.8))
    first, again, other = (bootstrap_scores(truth, predictions, 3, draws=50, seed=s) for s in (7, 7, 8))
    assert (first.macro_f1_draws == again.macro_f1_draws).all()
    assert (first.macro_f1_draws != other.macro_f1_draws).any()


def test_a_predictor_is_paired_with_itself() -> None:
    """On the same draws a predictor never differs from its copy, however noisy the draws are."""
    truth, predictions = simulate(np.random.default_rng(0), 60, [0.5, 0.5], (0.6,))
    scores = bootstrap_scores(truth, predictions * 2, 2, draws=100)
    assert (scores.macro_f1_draws[0] == scores.macro_f1_draws[1]).all()
    assert scores.macro_f1_draws[0].std() > 0


def test_more_draws_only_add_draws() -> None:
    """Also past the block that bounds the memory: 900 draws of 4,000 rows are one, 1,500 are two."""
    truth, predictions = simulate(np.random.default_rng(0), 4_000, [0.4, 0.6], (0.7,))
    fewer = bootstrap_scores(truth, predictions, 2, draws=900).macro_f1_draws
    more = bootstrap_scores(truth, predictions, 2, draws=1_500).macro_f1_draws
    assert more.shape == (1, 1_500)
    assert (more[:, :900] == fewer).all()


@pytest.mark.parametrize(
    ("rows", "prior"), [(300, [0.3, 0.25, 0.2, 0.15, 0.1]), (400, [1 / 40] * 40)], ids=["few", "many classes"]
)
def test_intervals_cover_the_truth(rows: int, prior: list[float]) -> None:
    """A nominal 95 % holds the true score, and the true difference, about as often as it says."""
    skills = (0.75, 0.82)
    rng = np.random.default_rng(1)
    truth = bootstrap_scores(*simulate(rng, 100_000, prior, skills), len(prior), draws=1).macro_f1
    covered = np.zeros(2)
    trials = 250
    for trial in range(trials):
        scores = bootstrap_scores(*simulate(rng, rows, prior, skills), len(prior), draws=300, seed=trial)
        one = percentile_interval(scores.macro_f1[1], scores.macro_f1_draws[1])
        gap = percentile_interval(
            scores.macro_f1[1] - scores.macro_f1[0], scores.macro_f1_draws[1] - scores.macro_f1_draws[0]
        )
        covered += [one.low <= truth[1] <= one.high, gap.low <= truth[1] - truth[0] <= gap.high]
    assert (covered / trials > 0.90).all(), covered / trials
    assert (covered / trials < 0.995).all(), "an interval that never misses is too wide"


def test_the_bias_correction_is_what_covers_many_small_classes() -> None:
    """Most draws of a macro-F1 over small classes lie below it; the interval must not follow them."""
    truth, predictions = simulate(np.random.default_rng(3), 400, [1 / 40] * 40, (0.8,))
    scores = bootstrap_scores(truth, predictions, 40, draws=500)
    draws = scores.macro_f1_draws[0]
    assert np.median(draws) < scores.macro_f1[0]
    interval = percentile_interval(scores.macro_f1[0], draws)
    assert interval.low > np.quantile(draws, 0.025)
    assert interval.high > np.quantile(draws, 0.975)


def test_an_interval_always_holds_its_figure() -> None:
    interval = percentile_interval(0.9, [0.1, 0.2, 0.3])
    assert interval.low <= 0.9 <= interval.high
    unbiased = percentile_interval(0.5, np.linspace(0, 1, 1001))
    assert (unbiased.low, unbiased.high) == pytest.approx((0.025, 0.975), abs=2e-3)


def test_a_thousand_draws_take_under_a_second() -> None:
    rng = np.random.default_rng(0)
    for rows, classes in [(2_000, 7), (3_000, 77)]:
        truth, predictions = simulate(rng, rows, [1 / classes] * classes, (0.8, 0.85, 0.9))
        started = time.process_time()
        bootstrap_scores(truth, predictions, classes)
        assert time.process_time() - started < 1.0


def test_what_cannot_be_resampled_is_refused() -> None:
    rows = np.array([0, 1])
    with pytest.raises(ValueError, match="no rows"):
        bootstrap_scores(rows[:0], [rows[:0]], 2)
    with pytest.raises(ValueError, match="predictions for"):
        bootstrap_scores(rows, [rows[:1]], 2)
    with pytest.raises(ValueError, match="true classes"):
        bootstrap_scores(rows, [rows], 1)
    with pytest.raises(ValueError, match="at least one draw"):
        percentile_interval(0.5, [])
