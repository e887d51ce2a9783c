"""Groups keep near-duplicates together; the side of a group depends on nothing but itself and the seed."""

from __future__ import annotations

import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.sources.grouping import NEAR, Shares, group_rows, split_groups
from seedbed.text.normalise import normalise

WORDS = ["card", "lost", "where", "my", "refund", "is", "please", "late", "transfer", "again"]
SENTENCES = st.lists(st.sampled_from(WORDS), min_size=0, max_size=12).map(" ".join)


def jaccard(a: str, b: str) -> float:
    """Similarity of two normalised texts by the definition, beside the search that must not miss any."""

    def grams(text: str) -> set[str]:
        padded = f" {text} "
        return {padded[at : at + 5] for at in range(max(1, len(padded) - 4))}

    return len(grams(a) & grams(b)) / len(grams(a) | grams(b))


@given(st.lists(SENTENCES, max_size=25), st.sampled_from([0.5, 0.8, 0.95]))
def test_groups_are_the_components_of_the_nearness_graph(texts: list[str], near: float) -> None:
    norms = [normalise(text) for text in texts]
    expected: list[set[int]] = []
    for row in range(len(texts)):
        kin = [
            group
            for group in expected
            if any(
                norms[row] and norms[other] and jaccard(norms[row], norms[other]) >= near for other in group
            )
        ]
        expected = [group for group in expected if group not in kin] + [{row}.union(*kin)]
    assert {frozenset(group) for group in group_rows(texts, near=near)} == {frozenset(g) for g in expected}


def test_near_long_texts_meet() -> None:
    rng = random.Random(5)
    text = " ".join(rng.choice(WORDS) + str(rng.randrange(50)) for _ in range(200))
    almost = text.replace(text.split()[100], "changed", 1)
    other = " ".join(rng.choice(WORDS) + str(rng.randrange(50)) for _ in range(200))
    assert jaccard(text, almost) >= NEAR
    assert group_rows([text, other, almost]) == [[0, 2], [1]]


@pytest.mark.parametrize("kept", range(1, 40))
def test_a_pair_is_found_at_exactly_the_threshold(kept: int) -> None:
    """The hardest pair: the longer has every shingle of the shorter, and all of them after its own."""
    words = [f"w{at:03}" for at in range(40)]
    whole, start = " ".join(words), " ".join(words[:kept])
    similarity = jaccard(whole, start)
    assert group_rows([whole, start], near=similarity) == [[0, 1]]
    assert group_rows([whole, start], near=similarity + 0.001) == [[0], [1]]


def test_equal_labels_join_and_empty_ones_do_not() -> None:
    texts = ["one apple", "two pears", "three plums", "four figs"]
    assert group_rows(texts, ["x", None, "x", None]) == [[0, 2], [1], [3]]
    assert group_rows(texts, ["", "", "", ""]) == [[0], [1], [2], [3]]


def test_texts_without_a_word_are_near_to_nothing() -> None:
    assert group_rows(["", "!!", "", "?"]) == [[0], [1], [2], [3]]


@given(st.lists(SENTENCES, min_size=1, max_size=25), SENTENCES, st.integers(0, 9))
@settings(max_examples=60)
def test_one_more_row_moves_only_the_groups_that_it_joins(texts: list[str], new: str, seed: int) -> None:
    keys = [f"row {at}" for at in range(len(texts))]
    shares: Shares = {"dev": 0.3, "eval": 0.3}
    before_groups = group_rows(texts)
    after_groups = group_rows([*texts, new])
    before = split_groups([[keys[at] for at in group] for group in before_groups], shares, seed)
    names = [*keys, "the new row"]
    after = split_groups([[names[at] for at in group] for group in after_groups], shares, seed)
    joined = next(group for group in after_groups if len(texts) in group)
    assert {key: after[key] for at, key in enumerate(keys) if at not in joined} == {
        key: before[key] for at, key in enumerate(keys) if at not in joined
    }
    assert len({after[names[at]] for at in joined}) == 1


@given(st.integers(0, 50), st.sampled_from([0.1, 0.25, 0.5]))
@settings(max_examples=20)
def test_shares_are_met_within_four_standard_deviations(seed: int, share: float) -> None:
    groups = [[f"{group}/{member}" for member in range(1 + group % 5)] for group in range(2_000)]
    rows = sum(map(len, groups))
    sides = split_groups(groups, {"dev": 0.2, "eval": share}, seed)
    spread = math.sqrt(share * (1 - share) * sum(len(group) ** 2 for group in groups)) / rows
    found = sum(side == "eval" for side in sides.values()) / rows
    assert abs(found - share) < 4.5 * spread
    assert {sides[member] for member in groups[4]} == {sides[groups[4][0]]}


def test_a_changed_share_moves_rows_between_train_and_that_side_alone() -> None:
    groups = [[str(row)] for row in range(500)]
    small = split_groups(groups, {"dev": 0.1, "eval": 0.2}, 0)
    large = split_groups(groups, {"dev": 0.3, "eval": 0.2}, 0)
    moved = {(small[key], large[key]) for key in small if small[key] != large[key]}
    assert moved == {("train", "dev")}


def test_another_seed_is_another_split() -> None:
    groups = [[str(row)] for row in range(200)]
    assert split_groups(groups, {"eval": 0.5}, 0) != split_groups(groups, {"eval": 0.5}, 1)
    assert set(split_groups(groups, {}, 0).values()) == {"train"}
