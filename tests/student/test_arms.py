"""Arms: exact shares, equal totals, samples in proportion that hardly move when a row is added."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.student.arms import Arm
from seedbed.student.arms import build_arms as arms_by_mixture
from seedbed.student.mixture import Mixture
from seedbed.student.rows import Row

Labels = list[str]
labels = st.lists(st.sampled_from("abcde"), max_size=60)
shares = st.sampled_from([0.0, 0.1, 0.25, 1 / 3, 0.5, 0.7, 0.75, 0.9, 0.999, 1.0])


def rows_of(kind: str, labelled: Sequence[str]) -> list[Row]:
    return [Row(f"{kind}-{index}", f"text {index}", label) for index, label in enumerate(labelled)]


def build_arms(
    real: Sequence[Row], synthetic: Sequence[Row], share: float, size: int | None = None, seed: int = 0
) -> list[Arm]:
    return arms_by_mixture(real, synthetic, Mixture(share, size), seed)


def ids(arm: Arm) -> set[str]:
    return {row.id for row in arm.rows}


def by_name(arms: Sequence[Arm]) -> tuple[Arm, Arm, Arm]:
    assert [arm.name for arm in arms] == ["real_only", "synthetic_only", "mix"]
    return arms[0], arms[1], arms[2]


@given(real=labels, synthetic=labels, mix=shares, size=st.none() | st.integers(1, 80), seed=st.integers(0, 9))
def test_every_arm_is_what_it_says(
    real: Labels, synthetic: Labels, mix: float, size: int | None, seed: int
) -> None:
    arms = build_arms(rows_of("r", real), rows_of("s", synthetic), mix, size, seed)
    real_only, synthetic_only, mixed = by_name(arms)
    for arm in arms:
        assert len(ids(arm)) == len(arm.rows) == arm.real + arm.synthetic
        assert sum(row.id.startswith("r") for row in arm.rows) == arm.real
    assert real_only.synthetic == synthetic_only.real == 0
    assert abs(mixed.synthetic - mix * len(mixed.rows)) <= 0.5 + 1e-9
    asked = size or min(len(real), len(synthetic)) or max(len(real), len(synthetic))
    assert len(real_only.rows) == min(asked, len(real))
    assert len(synthetic_only.rows) == min(asked, len(synthetic))
    assert all((arm.note == "") == (0 < len(arm.rows) == asked) for arm in arms)


@given(real=labels, synthetic=labels, mix=shares, size=st.integers(1, 80))
def test_a_mix_is_short_only_where_one_row_more_is_impossible(
    real: Labels, synthetic: Labels, mix: float, size: int
) -> None:
    mixed = by_name(build_arms(rows_of("r", real), rows_of("s", synthetic), mix, size))[2]
    if not mixed.note or not mixed.rows:
        return
    assert mixed.real == len(real) or mixed.synthetic == len(synthetic)


@given(real=labels, size=st.integers(1, 60))
def test_labels_come_in_proportion(real: Labels, size: int) -> None:
    """Each label is within a row of its share, and none is left out while there is room for all."""
    chosen = by_name(build_arms(rows_of("r", real), [], 0.5, size))[0].rows
    kept, had = Counter(row.answer for row in chosen), Counter(real)
    depth = max((kept[label] - 1) / had[label] for label in had) if chosen else 0
    for label in had:
        assert kept[label] >= depth * had[label] - 1e-9
    if size >= len(had):
        assert set(kept) == set(had)


@given(
    real=st.lists(st.sampled_from("abcde"), min_size=20, max_size=60),
    size=st.integers(5, 15),
    extra=st.sampled_from("abcde"),
    seed=st.integers(0, 5),
)
def test_one_more_row_moves_little(real: Labels, size: int, extra: str, seed: int) -> None:
    rows = rows_of("r", real)
    before = by_name(build_arms(rows, [], 0.5, size, seed))[0]
    after = by_name(build_arms([*rows, Row("new", "new", extra)], [], 0.5, size, seed))[0]
    assert len(ids(before) - ids(after)) <= 2


@given(real=labels, synthetic=labels, seed=st.integers(0, 5), data=st.data())
@settings(max_examples=50)
def test_the_order_of_the_rows_does_not_matter(
    real: Labels, synthetic: Labels, seed: int, data: st.DataObject
) -> None:
    rows = rows_of("r", real)
    shuffled = data.draw(st.permutations(rows))
    generated = rows_of("s", synthetic)
    assert build_arms(rows, generated, 0.5, seed=seed) == build_arms(shuffled, generated, 0.5, seed=seed)


@given(real=labels, small=st.integers(1, 30), more=st.integers(0, 30))
def test_a_larger_arm_contains_the_smaller(real: Labels, small: int, more: int) -> None:
    rows = rows_of("r", real)
    fewer = by_name(build_arms(rows, [], 0.5, small))[0]
    assert ids(fewer) <= ids(by_name(build_arms(rows, [], 0.5, small + more))[0])


def test_another_seed_chooses_other_rows() -> None:
    rows = rows_of("r", ["a"] * 100)
    one, two = (by_name(build_arms(rows, [], 0.0, 20, seed))[0] for seed in (1, 2))
    assert ids(one) != ids(two)


def test_without_a_size_all_arms_are_equal() -> None:
    arms = build_arms(rows_of("r", ["a", "b"] * 75), rows_of("s", ["a", "b"] * 200), 0.75)
    assert [len(arm.rows) for arm in arms] == [150, 150, 150]
    assert (arms[2].real, arms[2].synthetic) == (38, 112) or (arms[2].real, arms[2].synthetic) == (37, 113)
    assert not any(arm.note for arm in arms)


def test_too_few_rows_shrink_the_mix_and_never_its_share() -> None:
    real, synthetic = rows_of("r", ["a", "b"] * 100), rows_of("s", ["a", "b"] * 1500)
    real_only, synthetic_only, mixed = by_name(build_arms(real, synthetic, 0.75, 2_168))
    assert (real_only.real, synthetic_only.synthetic) == (200, 2_168)
    assert (mixed.real, mixed.synthetic) == (200, 602)
    assert real_only.note == "200 rows instead of 2,168: there are no more real rows"
    expected = "802 rows instead of 2,168: the 200 real rows allow no more at a synthetic share of 0.75"
    assert mixed.note == expected


def test_too_few_synthetic_rows_are_named_as_such() -> None:
    mixed = by_name(build_arms(rows_of("r", ["a"] * 90), rows_of("s", ["a"] * 30), 0.5, 90))[2]
    assert (mixed.real, mixed.synthetic) == (30, 30)
    assert "the 30 synthetic rows allow no more" in mixed.note


def test_a_missing_side_is_said() -> None:
    real_only, synthetic_only, mixed = by_name(build_arms([], rows_of("s", ["a", "b"] * 10), 0.75))
    assert (len(real_only.rows), len(synthetic_only.rows), len(mixed.rows)) == (0, 20, 0)
    assert real_only.note == "there are no real rows"
    assert mixed.note == "there are no real rows for a mix with a synthetic share of 0.75"
    nothing = by_name(build_arms([], [], 0.5))
    assert [len(arm.rows) for arm in nothing] == [0, 0, 0]


@pytest.mark.parametrize(("mix", "size"), [(-0.1, None), (1.1, None), (0.5, 0)])
def test_impossible_arms_are_refused(mix: float, size: int | None) -> None:
    with pytest.raises(ValueError, match=r"lies in 0\.\.1|at least one row"):
        build_arms([], [], mix, size)
