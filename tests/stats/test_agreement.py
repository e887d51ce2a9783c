"""Cohen's kappa: as others compute it, defined or None, and an interval that covers the truth."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from seedbed.stats.agreement import cohens_kappa

LABELS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40)


def table_of(pairs: list[tuple[int, int]], classes: int = 3) -> np.ndarray:
    table = np.zeros((classes, classes))
    for a, b in pairs:
        table[a, b] += 1
    return table


def test_a_textbook_table() -> None:
    """50 items, 35 agreed on, 25 by chance."""
    kappa = cohens_kappa([[20, 5], [10, 15]])
    assert kappa is not None
    assert kappa.value == pytest.approx(0.4)
    assert kappa.low < 0.2 < 0.6 < kappa.high


@given(LABELS)
def test_it_is_what_others_compute_and_never_divides_by_zero(pairs: list[tuple[int, int]]) -> None:
    kappa = cohens_kappa(table_of(pairs), draws=200)
    if len({label for pair in pairs for label in pair}) == 1:
        assert kappa is None
        return
    ours, theirs = zip(*pairs, strict=True)
    assert kappa is not None
    assert kappa.value == pytest.approx(cohen_kappa_score(ours, theirs), abs=1e-12)
    assert -1 <= kappa.low <= kappa.value <= kappa.high <= 1


@given(LABELS)
def test_who_is_who_does_not_matter(pairs: list[tuple[int, int]]) -> None:
    one, other = (cohens_kappa(table, draws=200) for table in (table_of(pairs), table_of(pairs).T))
    assert (one is None) == (other is None)
    assert one is None or (other is not None and one.value == pytest.approx(other.value))


@pytest.mark.parametrize("table", [[[0, 0], [0, 0]], [[7, 0], [0, 0]], [[5]]])
def test_without_two_classes_it_is_not_defined(table: list[list[int]]) -> None:
    assert cohens_kappa(table) is None


def test_a_rater_of_one_class_knows_nothing_and_full_agreement_is_not_certain() -> None:
    constant = cohens_kappa([[60, 0], [40, 0]])
    assert constant is not None
    assert constant.value == 0
    assert constant.low < 0 < constant.high
    whole = cohens_kappa([[60, 0], [0, 40]])
    assert whole is not None
    assert whole.high == whole.value == 1
    assert 0.85 < whole.low < 1


@pytest.mark.parametrize(
    ("prevalence", "sensitivity", "specificity"),
    [(0.5, 0.95, 0.98), (0.5, 0.7, 0.85), (0.1, 0.7, 0.85), (0.5, 0.5, 0.6)],
)
def test_the_interval_covers_the_truth_in_1000_runs(
    prevalence: float, sensitivity: float, specificity: float
) -> None:
    cells = np.array(
        [
            [prevalence * sensitivity, prevalence * (1 - sensitivity)],
            [(1 - prevalence) * (1 - specificity), (1 - prevalence) * specificity],
        ]
    )
    agreed, chance = np.trace(cells), cells.sum(0) @ cells.sum(1)
    truth = (agreed - chance) / (1 - chance)
    samples = np.random.default_rng(0).multinomial(100, cells.ravel(), size=1000).reshape(-1, 2, 2)
    covered = 0
    for sample in samples:
        kappa = cohens_kappa(sample)
        covered += kappa is None or kappa.low <= truth <= kappa.high
    print(f"kappa {truth:.2f}, 100 items: {covered} of 1,000 intervals hold it")
    assert covered >= 930


@pytest.mark.parametrize("table", [[1, 2], [[1, 2]], [[1, -1], [0, 3]]])
def test_what_is_no_table_is_refused(table: object) -> None:
    with pytest.raises(ValueError, match="square table"):
        cohens_kappa(table)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="confidence level"):
        cohens_kappa([[1, 0], [0, 1]], level=1.0)
