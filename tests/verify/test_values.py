"""What crosses between a program and its tests comes out as it went in, or does not cross."""

from __future__ import annotations

import json
import math
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.verify.sandbox.inside.frames import packed, unpacked
from seedbed.verify.sandbox.inside.values import Encoder, Unsupported, decode

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(st.characters(exclude_categories=[])),  # lone surrogates among them
    st.binary(),
    st.complex_numbers(allow_nan=False),
    st.fractions(),
    st.decimals(allow_nan=False),
    st.builds(range, st.integers(-9, 9), st.integers(-9, 9), st.sampled_from([1, 2, -3])),
)
HASHABLE = st.recursive(SCALARS, lambda own: st.tuples(own, own) | st.frozensets(own), max_leaves=4)
VALUES = st.recursive(
    HASHABLE,
    lambda own: st.lists(own) | st.tuples(own) | st.dictionaries(HASHABLE, own) | st.sets(HASHABLE),
    max_leaves=8,
)


def encode(value: Any) -> Any:
    return Encoder().encode(value)


def crossed(value: Any) -> Any:
    return decode(unpacked(packed(encode(value))))


def kinds(value: Any) -> Any:
    """The types throughout: 1, 1.0 and True are equal to Python."""
    if isinstance(value, list | tuple):
        return type(value), [kinds(item) for item in value]
    if isinstance(value, set | frozenset):
        return type(value), sorted(repr(kinds(item)) for item in value)
    if isinstance(value, dict):
        return type(value), [(kinds(k), kinds(v)) for k, v in value.items()]
    return type(value), repr(value)


@given(VALUES)
def test_a_value_comes_out_as_it_went_in(value: Any) -> None:
    assert kinds(crossed(value)) == kinds(value)


@given(VALUES)
def test_what_is_sent_is_plain_json(value: Any) -> None:
    encoded = encode(value)
    assert json.loads(json.dumps(encoded, allow_nan=False)) == encoded


def test_odd_numbers() -> None:
    assert math.isnan(crossed(math.nan))
    assert math.copysign(1, crossed(-0.0)) == -1
    assert crossed([math.inf, -math.inf, 10**3000, -(16**2000)]) == [
        math.inf,
        -math.inf,
        10**3000,
        -(16**2000),
    ]


def test_collections_of_the_library_become_dicts() -> None:
    values = (Counter("aab"), OrderedDict(a=1), defaultdict(list, a=[1]))
    assert [crossed(value) for value in values] == [{"a": 2, "b": 1}, {"a": 1}, {"a": [1]}]


class Liar(int):
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = int.__hash__


Pair = namedtuple("Pair", "a b")


@pytest.mark.parametrize(
    "value",
    [Liar(1), [Liar(1)], {Liar(1): 1}, Pair(1, 2), deque([1]), object(), len, int],
    ids=lambda value: type(value).__name__,
)
def test_nothing_else_crosses(value: Any) -> None:
    with pytest.raises(Unsupported):
        encode(value)


def test_deep_and_large_values_do_not_cross() -> None:
    deep: list[Any] = []
    for _ in range(1000):
        deep = [deep]
    holds_itself: list[Any] = []
    holds_itself.append(holds_itself)
    for value in (deep, holds_itself, [0] * 300_000):
        with pytest.raises(Unsupported):
            encode(value)


@given(st.fractions(), st.decimals(allow_nan=True))
def test_exact_numbers_stay_exact(fraction: Fraction, number: Decimal) -> None:
    assert crossed(fraction) == fraction
    assert str(crossed(number)) == str(number)
