"""Every reply becomes fields or a named reason, never an exception."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.chat import Choice
from seedbed.core.record import Unreadable
from seedbed.generate.reading import read_fields


def cause(choice: Choice, fields: tuple[str, ...] = ("text",)) -> str:
    read = read_fields(choice, fields, "json")
    assert isinstance(read, Unreadable)
    return read.cause


def test_an_object_of_the_fields_is_read() -> None:
    assert read_fields(Choice('{"b": "y", "a": "x"}'), ("a", "b"), "json") == {"a": "x", "b": "y"}


def test_a_fence_is_looked_through() -> None:
    assert read_fields(Choice('```json\n{"text": "x"}\n```'), ("text",), "json") == {"text": "x"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"text": "x"', "not_json"),
        ("", "not_json"),
        ("I'm sorry, I can't.", "not_json"),
        ('{"text": "x"} Hope it helps!', "not_json"),
        ('["x"]', "invalid_schema"),
        ("{}", "invalid_schema"),
        ('{"text": "x", "note": "y"}', "invalid_schema"),
    ],
)
def test_what_cannot_be_read_is_named(text: str, expected: str) -> None:
    assert cause(Choice(text)) == expected


def test_a_reply_cut_at_its_limit_is_truncated_even_where_it_parses() -> None:
    assert cause(Choice('{"text": "x"}', finish_reason="length")) == "truncated"


def test_text_output_is_the_one_field() -> None:
    assert read_fields(Choice(" hello \n"), ("text",), "text") == {"text": "hello"}
    read = read_fields(Choice(" \n"), ("text",), "text")
    assert isinstance(read, Unreadable)
    assert read.cause == "invalid_schema"


@given(st.text())
def test_any_text_has_an_outcome(text: str) -> None:
    read = read_fields(Choice(text), ("text",), "json")
    if not isinstance(read, Unreadable):
        assert set(read) == {"text"}
    else:
        assert read.text == text


@given(st.dictionaries(st.sampled_from(["a", "b", "c"]), st.text(), min_size=3))
def test_what_was_meant_comes_back(fields: dict[str, str]) -> None:
    assert read_fields(Choice(json.dumps(fields)), ("a", "b", "c"), "json") == fields
