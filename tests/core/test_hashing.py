"""Identities are pinned: a change of any of these hashes would repay every run there is."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, Hints, Message, ReplyKey, Sampling
from seedbed.core.hashing import digest, digests_after, normal_form, seed_from, seeds_after, short_id
from seedbed.core.record import generated_record_id, real_record_id

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)

REQUEST = ChatRequest(
    model="m",
    messages=(Message("system", "Write."), Message("user", "About cäts \U0001f408.")),
    sampling=Sampling(temperature=0.7, max_tokens=64),
    schema={"type": "object", "properties": {"text": {"type": "string"}}},
)


def test_golden_hashes() -> None:
    assert REQUEST.hash.hex() == "8b499949521de6a7aab6af5600cef6df"
    text = ChatRequest("m", (Message("raw", "<|user|>\n"),), Sampling(1.0, 1.0, 64, ("<|end|>",)))
    assert text.hash.hex() == "69c91d9ae3c8c774722556911ac891a4"
    assert (
        Cell("template", "a.j2", {"label": "x", "temperature": 1.0}, ("r1",), 3).id
        == "3fa971ee9ba5403c15d58ac4"
    )
    assert real_record_id("real", "k") == "9cb2cb9b0e9630cf0871e0ae"
    assert generated_record_id({"text": "hi"}, "", "c", 0) == "ce293efd76a1973f832ab329"
    assert seed_from("a", 1, b"\x00\xff") == 4508541145630450977


def test_what_a_request_is_not_identified_by() -> None:
    same = ChatRequest(
        REQUEST.model, REQUEST.messages, REQUEST.sampling, REQUEST.schema, n=8, seed=5, hints=Hints()
    )
    assert same.hash == REQUEST.hash


@pytest.mark.parametrize(
    "changed",
    [
        {"model": "other"},
        {"revision": "r2"},
        {"sampling": Sampling(temperature=0.8, max_tokens=64)},
        {"sampling": Sampling(temperature=0.7, max_tokens=65)},
        {"sampling": Sampling(temperature=0.7, max_tokens=64, stop=("<|end|>",))},
        {"schema": None},
        {"messages": (Message("user", "About cäts \U0001f408."),)},
    ],
)
def test_what_a_request_is_identified_by(changed: dict[str, Any]) -> None:
    values = {
        name: getattr(REQUEST, name) for name in ("model", "messages", "sampling", "schema", "revision")
    }
    assert ChatRequest(**(values | changed)).hash != REQUEST.hash


@given(plain)
def test_equal_values_have_one_normal_form(value: Any) -> None:
    def shuffled(item: Any) -> Any:
        if isinstance(item, dict):
            return {key: shuffled(item[key]) for key in reversed(item)}
        return [shuffled(x) for x in item] if isinstance(item, list) else item

    assert normal_form(shuffled(value)) == normal_form(value)


@given(st.lists(st.text(), max_size=4), st.lists(st.text(), max_size=4))
def test_unlike_lists_of_texts_differ(a: list[str], b: list[str]) -> None:
    assert (normal_form(a) == normal_form(b)) == (a == b)


@given(st.lists(plain, max_size=3), st.lists(st.text(st.characters(exclude_categories=())), max_size=3))
def test_what_is_hashed_after_a_beginning_is_hashed_as_a_whole(first: list[Any], lasts: list[str]) -> None:
    finish = digests_after("kind", *first)
    assert [finish(last) for last in lasts] == [digest("kind", [*first, last]) for last in lasts]
    seed = seeds_after("kind", 1)
    assert [seed(last) for last in lasts] == [seed_from("kind", 1, last) for last in lasts]


def test_what_has_no_normal_form() -> None:
    with pytest.raises(ValueError, match="finite"):
        normal_form(math.inf)
    with pytest.raises(TypeError):
        normal_form({1: "a"})
    with pytest.raises(TypeError):
        normal_form(b"bytes")


def test_a_lone_surrogate_has_an_id() -> None:
    assert short_id("x", "\ud800") != short_id("x", "\udfff")


def test_reply_key_round_trips() -> None:
    key = ReplyKey(REQUEST.hash, b"\x01" * 16, 7)
    assert ReplyKey.parse(str(key)) == key
