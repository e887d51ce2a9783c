"""Mixtures: shares and slices exact to one row, and an error that says what there is."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from seedbed.student.arms import build_arms, in_order
from seedbed.student.mixture import Mixed, Mixture, MixtureError, SliceRule, is_in, mix
from seedbed.student.rows import Row

labels = st.lists(st.sampled_from("abc"), min_size=1, max_size=60)
shares = st.sampled_from([0.1, 0.25, 1 / 3, 0.5, 0.75, 0.9])


def rows_of(kind: str, labelled: Sequence[str]) -> list[Row]:
    return [
        Row(f"{kind}-{at}", f"text {at}", label, {"tone": label * 2}) for at, label in enumerate(labelled)
    ]


def counted(mixed: Mixed, label: str) -> tuple[int, int]:
    """Real and generated rows of a label."""
    real, synthetic = (sum(row.answer == label for row in side) for side in (mixed.real, mixed.synthetic))
    return real, synthetic


@given(real=labels, synthetic=labels, share=shares, least=shares)
def test_a_slice_has_its_real_share_to_one_row(
    real: list[str], synthetic: list[str], share: float, least: float
) -> None:
    ordered = in_order(rows_of("r", real), 0), in_order(rows_of("s", synthetic), 0)
    plain = mix(*ordered, Mixture(share))
    try:
        ruled = mix(*ordered, Mixture(share, slices={"a": SliceRule(real_at_least=least)}))
    except MixtureError:
        # Too few real rows of the label, or too few of the others to make up for it.
        return
    of_real, of_synthetic = counted(ruled, "a")
    size = of_real + of_synthetic
    assert of_real >= least * size - 1e-9
    whole = len(ruled.real) + len(ruled.synthetic)
    assert abs(len(ruled.synthetic) - share * whole) <= 0.5 + 1e-9
    if "outside mix.slices" in ruled.note:
        assert whole < len(plain.real) + len(plain.synthetic)
        return
    assert len(ruled.real) == len(plain.real)
    assert len(ruled.synthetic) == len(plain.synthetic)
    assert size == sum(counted(plain, "a"))
    # No more than was asked for, unless the plain mix had more already.
    assert of_real < least * size + 1 or of_real == counted(plain, "a")[0]


@given(real=labels, synthetic=labels, share=shares, most=shares)
def test_a_slice_has_no_more_generated_rows_than_it_may(
    real: list[str], synthetic: list[str], share: float, most: float
) -> None:
    ordered = in_order(rows_of("r", real), 0), in_order(rows_of("s", synthetic), 0)
    try:
        ruled = mix(*ordered, Mixture(share, slices={"a": SliceRule(synthetic_at_most=most)}))
    except MixtureError:
        return
    of_real, of_synthetic = counted(ruled, "a")
    assert of_synthetic <= most * (of_real + of_synthetic) + 1e-9


@given(real=st.integers(1, 80), synthetic=st.integers(0, 400), share=shares)
def test_beside_all_real_rows_the_share_is_exact_to_one_row(real: int, synthetic: int, share: float) -> None:
    mixed = mix(rows_of("r", "a" * real), rows_of("s", "a" * synthetic), Mixture(share, fixed="real"))
    assert len(mixed.real) == real
    wanted = share / (1 - share) * real
    if mixed.note:
        assert len(mixed.synthetic) == synthetic < wanted
        assert f"{synthetic:,} synthetic rows instead of" in mixed.note
    else:
        assert abs(len(mixed.synthetic) - wanted) <= 0.5 + 1e-9


def test_a_number_is_of_rows_and_a_float_is_a_share() -> None:
    real, synthetic = rows_of("r", "ab" * 50), rows_of("s", "ab" * 150)
    by_rows = mix(real, synthetic, Mixture(0.75, 100, slices={"a": SliceRule(real_at_least=20)}))
    assert counted(by_rows, "a")[0] == 20
    by_share = mix(real, synthetic, Mixture(0.75, 100, slices={"a": SliceRule(real_at_least=0.4)}))
    assert counted(by_share, "a") == (21, 30)
    capped = mix(real, synthetic, Mixture(0.75, 100, slices={"a": SliceRule(synthetic_at_most=5)}))
    assert counted(capped, "a")[1] == 5
    assert len(capped.real) + len(capped.synthetic) == 100


def test_too_little_real_data_says_what_there_is() -> None:
    real, synthetic = rows_of("r", "a" * 5 + "b" * 95), rows_of("s", "ab" * 150)
    with pytest.raises(
        MixtureError, match=r"mix.slices.a: real_at_least wants 0.5 of .*there are 5 real train"
    ):
        mix(real, synthetic, Mixture(0.75, 100, slices={"a": SliceRule(real_at_least=0.5)}))


@pytest.mark.parametrize(
    ("slices", "message"),
    [
        ({"nothing": SliceRule(real_at_least=0.5)}, "no row, real or generated, is in 'nothing'"),
        ({"a": SliceRule(real_at_least=0.5), "tone=aa": SliceRule(real_at_least=0.5)}, "no row in common"),
        ({"a": SliceRule(real_at_least=45)}, "want 45 real rows, and at this synthetic share the mix has 25"),
    ],
)
def test_rules_that_cannot_be_kept_are_named(slices: dict[str, SliceRule], message: str) -> None:
    real, synthetic = rows_of("r", "ab" * 50), rows_of("s", "ab" * 150)
    with pytest.raises(MixtureError, match=message):
        mix(real, synthetic, Mixture(0.75, 100, slices=slices))


def test_a_mix_shrinks_where_other_slices_have_too_few_rows() -> None:
    ordered = in_order(rows_of("r", "a" * 40 + "b" * 60), 0), in_order(rows_of("s", "a" * 90 + "b" * 10), 0)
    mixed = mix(*ordered, Mixture(0.75, 100, slices={"a": SliceRule(real_at_least=0.3)}))
    size = len(mixed.real) + len(mixed.synthetic)
    assert f"{size} rows instead of 100: there are no more rows outside mix.slices" in mixed.note
    of_real, of_synthetic = counted(mixed, "a")
    assert 0.3 * (of_real + of_synthetic) <= of_real < 0.3 * (of_real + of_synthetic) + 1
    assert abs(len(mixed.synthetic) - 0.75 * size) <= 0.5


def test_a_slice_may_be_a_field_with_its_value() -> None:
    real, synthetic = rows_of("r", "ab" * 50), rows_of("s", "ab" * 150)
    mixed = mix(real, synthetic, Mixture(0.75, 100, slices={"tone=aa": SliceRule(real_at_least=0.4)}))
    assert counted(mixed, "a") == (21, 30)
    assert is_in(real[0], "tone=aa")
    assert not is_in(real[1], "tone=aa")


@given(ranked=st.permutations([f"s-{at}" for at in range(12)]))
def test_ranked_rows_come_in_their_order(ranked: list[str]) -> None:
    synthetic = rows_of("s", "a" * 12)
    rank = {id_: place for place, id_ in enumerate(ranked)}
    assert [row.id for row in in_order(synthetic, 3, rank)] == ranked


@given(real=labels, synthetic=labels, seed=st.integers(0, 5))
def test_arms_beside_all_real_rows_have_no_false_note(
    real: list[str], synthetic: list[str], seed: int
) -> None:
    assume(len(synthetic) >= len(real))
    arms = build_arms(rows_of("r", real), rows_of("s", synthetic), Mixture(0.5, fixed="real"), seed)
    real_only, _, mixed = arms
    assert real_only.note == ""
    assert len(real_only.rows) == len(real)
    assert mixed.real == len(real)
