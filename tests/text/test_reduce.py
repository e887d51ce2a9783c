from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.text.reduce import reduce

IDS = [f"r{n:02}" for n in range(12)]
edge_lists = st.lists(st.tuples(st.sampled_from(IDS), st.sampled_from(IDS), st.floats(0, 1)), max_size=25)


@given(edge_lists, st.permutations(IDS), st.randoms(use_true_random=False))
def test_the_answer_does_not_depend_on_the_order_or_direction_of_edges(
    edges: list[tuple[str, str, float]], ranked: list[str], rng: random.Random
) -> None:
    turned = [(b, a, score) if rng.random() < 0.5 else (a, b, score) for a, b, score in edges]
    rng.shuffle(turned)
    assert reduce(ranked, turned) == reduce(ranked, edges)


@given(edge_lists, st.permutations(IDS))
def test_each_component_keeps_its_first_ranked_member(
    edges: list[tuple[str, str, float]], ranked: list[str]
) -> None:
    component = {key: {key} for key in ranked}
    for a, b, _ in edges:
        merged = component[a] | component[b]
        component.update(dict.fromkeys(merged, merged))
    losers = reduce(ranked, edges)
    for key in ranked:
        first = min(component[key], key=ranked.index)
        assert (losers[key][0] if key in losers else key) == first


def test_a_loser_carries_the_score_of_its_own_strongest_edge() -> None:
    chain = [("a", "b", 0.8), ("b", "c", 0.9), ("c", "d", 0.7)]
    assert reduce(["a", "b", "c", "d"], chain) == {"b": ("a", 0.9), "c": ("a", 0.9), "d": ("a", 0.7)}


def test_losers_come_in_order_of_rank() -> None:
    assert list(reduce(["z", "m", "a"], [("a", "z", 1.0), ("m", "z", 1.0)])) == ["m", "a"]


def test_an_edge_to_itself_joins_nothing() -> None:
    assert reduce(["a"], [("a", "a", 1.0)]) == {}


def test_an_id_without_a_rank_is_refused() -> None:
    with pytest.raises(ValueError, match="'b'"):
        reduce(["a"], [("a", "b", 1.0)])
