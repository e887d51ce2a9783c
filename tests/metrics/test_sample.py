"""The sample: bounded, the same in any order, and equal in number and length."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.metrics.axes import axis_coverage
from seedbed.metrics.sample import CALIPER, FEWEST, SAMPLE, SAMPLE_CHARACTERS, Pool, draw_sample


@given(st.permutations(range(40)), st.integers(1, 50))
def test_a_pool_keeps_the_same_rows_in_any_order(order: list[int], most: int) -> None:
    def kept(rows: list[int]) -> list[str]:
        pool = Pool(most=most, seed=3)
        for row in rows:
            pool.add(f"id-{row}", f"text {row}")
        assert pool.count == 40
        return pool.texts()

    found = kept(order)
    assert found == kept(sorted(order))
    assert len(found) == min(40, most)


def test_one_more_row_takes_one_place_at_most() -> None:
    rows = [f"id-{row}" for row in range(500)]

    def kept(ids: list[str]) -> set[str]:
        pool = Pool(most=100)
        for row in ids:
            pool.add(row, row)
        return set(pool.texts())

    assert len(kept(rows) - kept([*rows, "new"])) <= 1


lengths = st.lists(st.integers(1, 60), min_size=1, max_size=200)


@given(lengths, lengths)
def test_pairs_are_of_one_length_and_nobody_stands_twice(generated: list[int], real: list[int]) -> None:
    ours = [f"g{i} " + "w " * (n - 1) for i, n in enumerate(generated)]
    theirs = [f"r{i} " + "w " * (n - 1) for i, n in enumerate(real)]
    sample = draw_sample(ours, theirs)
    if not sample.twins:
        assert sample.notes
        return
    assert FEWEST <= len(sample.twins) == len(sample.generated) <= min(len(ours), len(theirs))
    assert len(set(sample.twins)) == len(sample.twins)
    assert len(set(sample.generated)) == len(sample.generated)
    for text, twin in zip(sample.generated, sample.twins, strict=True):
        one, other = len(text.split()), real[twin]
        assert max(one, other) <= CALIPER * min(one, other)


def test_equal_lengths_are_all_paired() -> None:
    rng = random.Random(0)
    texts = [" ".join("abcdefgh"[: rng.randint(1, 8)]) for _ in range(300)]
    sample = draw_sample(texts, texts[::-1])
    assert len(sample.twins) == 300
    assert not sample.notes


def test_the_sample_is_bounded_in_rows_and_characters() -> None:
    many = [f"row {n} of many" for n in range(SAMPLE + 500)]
    assert len(draw_sample(many, many).generated) == SAMPLE
    long = ["long words " * 200 + str(n) for n in range(600)]
    sample = draw_sample(long, long)
    assert FEWEST <= len(sample.generated) < 600
    assert sum(map(len, sample.generated)) <= SAMPLE_CHARACTERS


def test_rows_without_a_partner_are_told() -> None:
    short, long = [f"short {n}" for n in range(200)], ["w " * 50 + str(n) for n in range(100)]
    sample = draw_sample([*long, *short], [f"real {n}" for n in range(400)])
    assert len(sample.twins) == 200
    assert "100 of 300 rows were left out" in sample.notes[0]


def test_a_lone_surrogate_can_be_handed_on() -> None:
    pool = Pool()
    pool.add("a", "\ud800 text")
    (text,) = pool.texts()
    assert text.encode().endswith(b" text")


@pytest.mark.parametrize(
    ("real", "beside"), [({}, None), ({"tone": Counter(calm=3, rude=1)}, {"calm": 3, "cross": 0})]
)
def test_axis_coverage(real: dict[str, Counter[str]], beside: dict[str, int] | None) -> None:
    assert axis_coverage({"tone": ["calm", "cross"]}, {"tone": Counter(calm=5)}, real) == {
        "tone": {"values": 2, "covered": 1, "counts": {"calm": 5, "cross": 0}, "real_counts": beside}
    }
