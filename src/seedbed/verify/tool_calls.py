"""Calls of tools: tools that there are, arguments that they take, and one result for each call.

Read are conversations in the form of the OpenAI wire (turns with `tool_calls`, results in turns of the role
`tool`), and plain lists of calls, which have no results. Arguments may be an object or the text of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from seedbed.verify.json_values import first_error, plain_value, validator
from seedbed.verify.outcome import PASSED, Outcome, failed, undecided

_ANY_ARGUMENTS = {"type": "object"}


class BadTools(ValueError):
    """A list of tools that is none; the message says where."""


class _Wrong(Exception):
    def __init__(self, outcome: Outcome) -> None:
        self.outcome = outcome


def check_tool_calls(said: Any, tools: Any) -> Outcome:
    """Whether all calls in a conversation, or in a list of calls, are calls of these tools.

    Of a text or list without any call nothing can be said.
    """
    try:
        schemas = schemas_of(tools)
    except BadTools as error:
        return failed("invalid_tools", message=str(error))
    try:
        checked = sum(1 for _ in _checked_calls(said, schemas))
    except _Wrong as wrong:
        return wrong.outcome
    return PASSED if checked else undecided("no_tool_call")


def schemas_of(tools: Any) -> dict[str, bytes]:
    """The schema of each tool's arguments by its name. Raises BadTools."""
    try:
        listed = plain_value(tools)
    except ValueError as error:
        raise BadTools(f"no JSON: {error}") from None
    if not isinstance(listed, Sequence) or not listed:
        raise BadTools("must be a list of tools, each with a name and parameters")
    schemas: dict[str, bytes] = {}
    for number, tool in enumerate(listed):
        inner = tool.get("function", tool) if isinstance(tool, Mapping) else None
        name = inner.get("name") if isinstance(inner, Mapping) else None
        if not isinstance(inner, Mapping) or not isinstance(name, str) or not name:
            raise BadTools(f"tool {number} has no name")
        if name in schemas:
            raise BadTools(f"{name} is there twice")
        try:
            parameters = inner.get("parameters") or inner.get("input_schema") or _ANY_ARGUMENTS
            schemas[name] = orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)
            validator(schemas[name], trusted=False)
        except (ValueError, TypeError) as error:
            raise BadTools(f"the parameters of {name} are no JSON Schema: {error}") from None
    return schemas


def _checked_calls(said: Any, schemas: Mapping[str, bytes]) -> Iterator[str]:
    """The id of each call, "" where it has none, once it is found to be right. Raises _Wrong."""
    try:
        turns = plain_value(said)
    except ValueError as error:
        raise _Wrong(failed("invalid_calls", message=str(error))) from None
    turns = [turns] if isinstance(turns, Mapping) else turns
    if not isinstance(turns, list) or not all(isinstance(turn, Mapping) for turn in turns):
        raise _Wrong(failed("invalid_calls", message="neither a list of turns nor a list of calls"))
    if not any("role" in turn for turn in turns):
        for call in turns:
            _check_call(call, schemas)
            yield ""
        return
    known: set[str] = set()
    waiting: dict[str, None] = {}
    for turn in turns:
        if turn.get("role") == "tool":
            if (answered := str(turn.get("tool_call_id"))) not in waiting:
                raise _Wrong(failed("unasked_result", id=answered))
            del waiting[answered]
            continue
        _all_answered(waiting)
        calls = turn.get("tool_calls") or ()
        if not isinstance(calls, Sequence):
            raise _Wrong(failed("invalid_calls", message="tool_calls is no list"))
        for call in calls:
            _check_call(call, schemas)
            own = call.get("id")
            if not isinstance(own, str) or own in known:
                raise _Wrong(failed("invalid_call_id", id=str(own)))
            known.add(own)
            waiting[own] = None
            yield own
    _all_answered(waiting)


def _all_answered(waiting: Mapping[str, None]) -> None:
    if waiting:
        raise _Wrong(failed("unanswered_call", id=next(iter(waiting))))


def _check_call(call: Any, schemas: Mapping[str, bytes]) -> None:
    inner = call.get("function", call) if isinstance(call, Mapping) else None
    name = inner.get("name") if isinstance(inner, Mapping) else None
    if not isinstance(inner, Mapping) or not isinstance(name, str):
        raise _Wrong(failed("invalid_calls", message="a call has no name"))
    if name not in schemas:
        raise _Wrong(failed("unknown_tool", tool=name))
    try:
        arguments = plain_value(inner.get("arguments", {}))
        found = first_error(schemas[name], arguments, trusted=False)
    except ValueError as refused:
        found = "", str(refused)
    if found is not None:
        raise _Wrong(failed("invalid_arguments", tool=name, path=found[0], message=found[1]))
