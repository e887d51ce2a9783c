"""Calls of tools: known, with arguments that fit, each with its one result."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.verify.outcome import PASSED
from seedbed.verify.tool_calls import BadTools, check_tool_calls, schemas_of

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOLS = [
    {"type": "function", "function": {"name": "weather", "parameters": CITY}},
    {"name": "clock", "input_schema": {"type": "object", "additionalProperties": False}},
    {"name": "anything"},
]


def call(name: str = "weather", arguments: Any = '{"city": "Bremen"}', id_: Any = "a") -> dict[str, Any]:
    return {"id": id_, "type": "function", "function": {"name": name, "arguments": arguments}}


def turn(*calls: Any) -> dict[str, Any]:
    return {"role": "assistant", "content": None, "tool_calls": list(calls)}


def result(id_: str = "a") -> dict[str, Any]:
    return {"role": "tool", "tool_call_id": id_, "content": "9 °C"}


ASKS, SAYS = {"role": "user", "content": "How warm is it?"}, {"role": "assistant", "content": "It is 9 °C."}


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ([ASKS, turn(call()), result(), SAYS], ""),
        ([ASKS, turn(call(), call(id_="b")), result("b"), result("a"), SAYS], ""),
        ([ASKS, turn(call()), result(), turn(call(id_="b")), result("b")], ""),
        ([ASKS, turn(call(arguments={"city": "Bremen"})), result()], ""),
        ([ASKS, turn(call("clock", "{}")), result()], ""),
        ([ASKS, turn(call("anything", '{"x": [1]}')), result()], ""),
        ([{"name": "weather", "arguments": {"city": "Bremen"}}], ""),
        ({"name": "weather", "arguments": {"city": "Bremen"}}, ""),
        ([ASKS, SAYS], "no_tool_call"),
        ([], "no_tool_call"),
        ([ASKS, turn(call("wether")), result()], "unknown_tool"),
        ([ASKS, turn(call(arguments='{"city": 5}')), result()], "invalid_arguments"),
        ([ASKS, turn(call(arguments="{'city': 'Bremen'}")), result()], "invalid_arguments"),
        ([ASKS, turn(call(arguments='["Bremen"]')), result()], "invalid_arguments"),
        ([ASKS, turn(call("clock", '{"zone": "CET"}')), result()], "invalid_arguments"),
        ([ASKS, turn(call())], "unanswered_call"),
        ([ASKS, turn(call()), SAYS, result()], "unanswered_call"),
        ([ASKS, turn(call(), call(id_="b")), result()], "unanswered_call"),
        ([ASKS, turn(call()), result(), result()], "unasked_result"),
        ([ASKS, turn(call()), result("c")], "unasked_result"),
        ([ASKS, turn(call()), result(), turn(call()), result()], "invalid_call_id"),
        ([ASKS, turn(call(id_=None)), result("None")], "invalid_call_id"),
        ([ASKS, {"role": "assistant", "tool_calls": 5}], "invalid_calls"),
        ([ASKS, turn("weather")], "invalid_calls"),
        ([{"arguments": {}}], "invalid_calls"),
        ("weather('Bremen')", "invalid_calls"),
        ('"weather"', "invalid_calls"),
        (None, "invalid_calls"),
    ],
)
def test_calls_are_held_to_the_tools_and_to_their_results(said: Any, reason: str) -> None:
    found = check_tool_calls(said, TOOLS)
    assert found.reason == reason
    assert (found.finding == "passed") == (reason == "")
    assert (found.finding == "undecided") == (reason == "no_tool_call")
    if not isinstance(said, str):
        assert check_tool_calls(json.dumps(said), json.dumps(TOOLS)) == found


def test_evidence_names_the_tool_and_the_place() -> None:
    found = check_tool_calls([{"name": "weather", "arguments": {"city": 5}}], TOOLS)
    assert found.evidence == {"tool": "weather", "path": "city", "message": '5 is not of type "string"'}


@pytest.mark.parametrize(
    "tools",
    [
        [],
        None,
        "{",
        [5],
        [{"parameters": {}}],
        [{"name": "a"}, {"name": "a"}],
        [{"name": "a", "parameters": {"type": "objekt"}}],
        [{"name": "a", "parameters": {"$ref": "http://127.0.0.1:9/x.json"}}],
        [{"name": "a", "parameters": {"$ref": "file:///etc/passwd"}}],
        [{"name": "a", "parameters": {"pattern": "(?=a)b"}}],
    ],
)
def test_tools_of_a_record_that_are_none_fail_it_and_fetch_nothing(tools: Any) -> None:
    assert check_tool_calls([ASKS, SAYS], tools).reason == "invalid_tools"
    with pytest.raises(BadTools):
        schemas_of(tools)


def test_a_pattern_of_a_record_takes_linear_time_and_a_schema_of_itself_ends() -> None:
    slow = [{"name": "a", "parameters": {"properties": {"x": {"pattern": "^(a|a)*$"}}}}]
    began = time.monotonic()
    found = check_tool_calls([{"name": "a", "arguments": {"x": "a" * 5_000 + "b"}}], slow)
    assert found.reason == "invalid_arguments"
    assert time.monotonic() - began < 5
    assert check_tool_calls([{"name": "a"}], [{"name": "a", "parameters": {"$ref": "#"}}]) == PASSED


plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["role", "name", "function", "arguments", "tool_calls", "tool_call_id", "id", "x"]
            ),
            inner | st.sampled_from(["tool", "assistant", "weather", "a"]),
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(plain, plain)
def test_any_value_gets_an_outcome(said: Any, tools: Any) -> None:
    for outcome in (check_tool_calls(said, TOOLS), check_tool_calls(said, tools)):
        assert outcome.finding in ("passed", "failed", "undecided")
        json.dumps(dict(outcome.evidence))
