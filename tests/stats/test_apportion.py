"""Shares are whole, sum exactly, and never turn the order of the weights around."""

from __future__ import annotations

import random

import pytest

from seedbed.stats.apportion import apportion


def test_any_weights_sum_exactly_and_keep_their_order() -> None:
    dice = random.Random(0)
    for _ in range(2_000):
        weights = {
            n: dice.choice([0.0, dice.random(), dice.random() * 100]) for n in range(dice.randrange(1, 12))
        }
        total = dice.randrange(200)
        given = apportion(weights, total)
        assert sum(given.values()) == total
        whole = sum(weights.values())
        for one, other in zip(weights, list(weights)[1:], strict=False):
            if weights[one] > weights[other]:
                assert given[one] >= given[other]
        if whole:
            assert all(abs(given[n] - total * weights[n] / whole) < 1 + 1e-9 for n in weights)


def test_nothing_weighs_anything() -> None:
    assert apportion({"a": 0.0, "b": 0.0, "c": 0.0}, 5) == {"a": 2, "b": 2, "c": 1}


@pytest.mark.parametrize(("weights", "total"), [({}, 3), ({"a": -1.0}, 3), ({"a": 1.0}, -1)])
def test_what_cannot_be_shared_out_is_refused(weights: dict[str, float], total: int) -> None:
    with pytest.raises(ValueError, match="cannot share out"):
        apportion(weights, total)
