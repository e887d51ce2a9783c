"""Frames arrive whole or not at all."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.sources import wire

JSON: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("abc"), inner),
    max_leaves=20,
)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    one, other = socket.socketpair()
    with one, other:
        yield one, other


@given(st.lists(JSON, max_size=5))
def test_values_arrive_in_order(values: list[Any]) -> None:
    one, other = socket.socketpair()
    with one, other:
        for value in values:
            wire.send(one, [value])
        one.close()
        assert [wire.receive(other) for _ in values] == [[value] for value in values]
        assert wire.receive(other) is None


@pytest.mark.parametrize("cut", [1, 3, 4, 7])
def test_a_frame_that_breaks_off(ends: tuple[socket.socket, socket.socket], cut: int) -> None:
    one, other = ends
    one.sendall((struct.pack(">I", 6) + b'"text"')[:cut])
    one.close()
    with pytest.raises(wire.BrokenFrame):
        wire.receive(other)


def test_a_frame_larger_than_allowed_is_not_read(ends: tuple[socket.socket, socket.socket]) -> None:
    one, other = ends
    wire.send(one, "x" * 2_000)
    with pytest.raises(wire.BrokenFrame, match="too large"):
        wire.receive(other, largest=1_024)


def test_lone_surrogates_are_replaced_wherever_they_stand(ends: tuple[socket.socket, socket.socket]) -> None:
    one, other = ends
    wire.send(one, {"do": ("a\ud800b", ["\udfff"], 3)})
    assert wire.receive(other) == {"do": ["a?b", ["?"], 3]}
