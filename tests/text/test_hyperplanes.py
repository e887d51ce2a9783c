"""Vectors of nearly one direction share a key, and what is worked on together decides nothing."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seedbed.text.hyperplanes import MISSED, MOST_BITS, TABLES, Hyperplanes, bits_for
from seedbed.text.lexical import unit
from seedbed.text.minhash import candidate_pairs
from seedbed.text.single_linkage import joining_similarities

Vectors = NDArray[np.float32]
DIMENSIONS = 48


def vectors(count: int, seed: int = 0, cone: float = 0.0) -> Vectors:
    """Unit vectors of any direction; with `cone` all of them lean to the same side."""
    made = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    made[:, 0] += cone
    return unit(made)


def beside(each: Vectors, similarity: float, seed: int = 1) -> Vectors:
    """For each vector another at that cosine."""
    other = vectors(len(each), seed)
    across = unit(other - (other * each).sum(axis=1, keepdims=True) * each)
    return unit(similarity * each + np.float32((1 - similarity**2) ** 0.5) * across)


@pytest.mark.parametrize("similarity", [0.9, 0.97])
@pytest.mark.parametrize("cone", [0.0, 8.0])
def test_just_similar_pairs_meet_nearly_always_and_others_seldom(similarity: float, cone: float) -> None:
    ones = vectors(600, cone=cone)
    planes = Hyperplanes.through(ones, similarity)
    both = np.concatenate([ones, beside(ones, similarity)])
    met = set(candidate_pairs(planes.keys(both)))
    found = sum((at, at + 600) in met or (at + 600, at) in met for at in range(600))
    others = len(met) - found
    print(f"cosine {similarity}, cone {cone:g}: {planes.bits} bits, {found} of 600 meet, {others} others")
    assert found >= (1 - 3 * MISSED) * 600
    assert others < 0.3 * 1200 * 1199 / 2


def test_more_similar_pairs_have_longer_keys() -> None:
    bits = [bits_for(similarity) for similarity in (-1.0, 0.0, 0.5, 0.8, 0.9, 0.99, 1.0)]
    assert bits == sorted(bits)
    assert (bits[0], bits[-1]) == (1, MOST_BITS)
    assert bits_for(0.9) == 12


def test_keys_do_not_depend_on_what_is_looked_at_together() -> None:
    some = vectors(130)
    planes = Hyperplanes.through(some, 0.9)
    together = planes.keys(some)
    assert together == [planes.keys(some[at : at + 1])[0] for at in range(len(some))]
    assert {len(own) for own in together} == {TABLES}
    assert all(0 <= key < 2**63 for own in together for key in own)


def test_a_vector_of_no_direction_has_no_key_and_nothing_known_is_no_hindrance() -> None:
    planes = Hyperplanes.through(np.empty((0, 1), np.float32), 0.9)
    nowhere, somewhere = planes.keys(np.stack([np.zeros(DIMENSIONS, np.float32), vectors(1)[0]]))
    assert nowhere == []
    assert len(somewhere) == TABLES


def test_as_many_fall_at_each_similarity_as_components_lose_members() -> None:
    some = np.concatenate([vectors(40), beside(vectors(40), 0.9), beside(vectors(40), 0.95, seed=2)])
    joining = joining_similarities(some)
    assert len(joining) == len(some) - 1
    assert all(joining[:-1] >= joining[1:])
    for threshold in (0.3, 0.85, 0.93, 0.99):
        near = some @ some.T >= threshold
        reached = np.linalg.matrix_power(near.astype(float), len(some)) > 0
        components = len({row.tobytes() for row in reached})
        assert int((joining >= threshold).sum()) == len(some) - components
    assert len(joining_similarities(some[:1])) == 0
