"""`python -m benchmarks.filters`: its table, and what must hold of its figures."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest

from benchmarks.filters import MODULES, defaults, near_duplicates, refusal, toolformer
from benchmarks.filters.figure import Figure, Rate, precision_and_recall, table
from benchmarks.self_tests import NOTHING_PLANTED, REHEARSALS
from seedbed.filters import FILTERS
from seedbed.models.fault_plan import VARIANTS
from seedbed.stats.intervals import wilson
from tests.conftest import ROOT

RealData = Callable[[str], Path]


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks.filters", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)


def test_a_figure_is_a_row_with_its_intervals() -> None:
    figure = Figure("refusal", "a set", 1500, Rate(9, 10), None, Rate(0, 1000), 1234.5)
    assert table([figure]).splitlines()[2] == (
        "| `refusal` | a set | 1,500 | 90.0 % (59.6–98.2; 9 of 10) |  | 0.0 % (0.0–0.4; 0 of 1,000) | 1,234 |"
    )


def test_precision_is_of_what_was_found_and_recall_of_what_is_there() -> None:
    found, truth = [True, True, False, False], [True, False, True, True]
    assert precision_and_recall(found, truth) == (Rate(1, 2), Rate(1, 3))


def test_an_unknown_filter_is_an_error_that_names_those_there_are() -> None:
    done = benchmark("refusals")
    assert done.returncode == 2
    assert "no benchmark of 'refusals'" in done.stderr
    assert all(name in done.stderr for name in MODULES)


@pytest.mark.real_data
def test_refusals_are_found_better_than_by_string_matching_where_that_fails(real_data: RealData) -> None:
    for name in ("xstest", "anthropic_evals", "banking77"):
        real_data(name)
    gpt_4, mistral = refusal.measure()
    print(table([gpt_4, mistral]))
    assert gpt_4.precision
    assert gpt_4.recall
    assert gpt_4.precision.value >= 0.90
    assert gpt_4.recall.value >= 0.96
    assert mistral.precision
    assert mistral.recall
    assert mistral.precision.value > 0.70  # string matching: .63
    assert mistral.recall.value > 0.40  # string matching: .25


@pytest.mark.real_data
def test_down_the_ladder_fewer_are_kept_and_the_author_agrees_better_than_chance(
    real_data: RealData,
) -> None:
    for name in ("gpteacher", "anthropic_evals", "banking77"):
        real_data(name)
    rungs = near_duplicates.measure()
    print(table(rungs))
    for above, below in pairwise(rungs):
        assert above.precision
        assert below.precision
        assert above.precision.of < below.precision.of
    for rung, similarity in zip(rungs, toolformer.SIMILARITIES, strict=True):
        truth = toolformer.dropped_by_its_author(similarity)
        assert rung.precision
        assert wilson(rung.precision.hits, rung.precision.of).low > sum(truth) / len(truth)


@pytest.mark.real_data
def test_the_defaults_drop_at_most_two_percent_of_what_people_wrote(real_data: RealData) -> None:
    for name in ("anthropic_evals", "banking77"):
        real_data(name)
    figures = defaults.measure()
    print(table(figures))
    (together,) = (figure for figure in figures if figure.filter == "default")
    assert together.false_drop
    assert together.false_drop.value <= 0.02


def test_the_demo_shows_every_filter_that_a_rehearsal_plants_faults_for() -> None:
    shown = {name for rehearsal in REHEARSALS for name in rehearsal.shown()}
    planted = {way.filters[0] for ways in VARIANTS.values() for way in ways.values()}
    assert planted <= shown
    assert set(FILTERS.built_in) == (shown & set(FILTERS.built_in)) | set(NOTHING_PLANTED)
    assert planted.isdisjoint(NOTHING_PLANTED)
