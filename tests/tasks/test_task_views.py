"""The views of a record that each task kind gives, and the schema that a teacher is asked to keep."""

from __future__ import annotations

import json
import pickle
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from seedbed.core.protocols import Task
from seedbed.core.registry import UnknownPlugin
from seedbed.tasks import TASKS


def bound(kind: str, data_labels: list[str] | None = None, **options: Any) -> Task:
    plugin = TASKS.get(kind)
    task: Task = plugin.bind(plugin.Options(**options), data_labels)
    return task


TICKETS = bound("classification", ["billing", "returns"], input="text", label="team")
PAIRS = bound("instruction")
GROUNDED = bound("instruction", prompt="question", answer="answer", context="source")
ALL = [TICKETS, PAIRS, GROUNDED]
TICKET = {"text": "Where is my refund?", "team": "returns"}


@pytest.mark.parametrize("name", TASKS.names())
def test_a_task_kind_declares_itself(name: str) -> None:
    plugin = TASKS.get(name)
    assert plugin.name == name
    assert plugin.version >= 1
    assert issubclass(plugin.Options, BaseModel)
    assert plugin.Options.model_config["extra"] == "forbid"
    assert all(info.description for info in plugin.Options.model_fields.values())


def test_an_unknown_kind_is_answered_with_the_nearest() -> None:
    with pytest.raises(UnknownPlugin, match="no task kind is called 'clasification'; did you mean 'class"):
        TASKS.get("clasification")


@pytest.mark.parametrize("task", ALL)
def test_a_task_travels_to_other_processes(task: Task) -> None:
    assert pickle.loads(pickle.dumps(task)) == task


def test_fields() -> None:
    assert (TICKETS.fields, TICKETS.text_fields, TICKETS.label_field) == (("text", "team"), ("text",), "team")
    assert (TICKETS.compare_fields, TICKETS.optional_fields) == (("text",), ())
    assert (PAIRS.fields, PAIRS.label_field) == (("instruction", "response"), None)
    assert (GROUNDED.fields, GROUNDED.text_fields) == (("question", "source", "answer"),) * 2
    assert (GROUNDED.compare_fields, GROUNDED.optional_fields) == (("question",), ("source",))


def test_labels_of_the_data_come_before_those_of_the_recipe() -> None:
    for labels, expected in ((None, ["a", "b"]), (["c", "d"], ["c", "d"])):
        task = bound("classification", labels, input="text", label="team", labels=["a", "b"])
        assert task.schema()["properties"]["team"] == {"type": "string", "enum": expected}
    unknown = bound("classification", None, input="text", label="team")
    assert unknown.schema()["properties"]["team"] == {"type": "string", "minLength": 1}


@pytest.mark.parametrize(
    ("task", "fields", "valid"),
    [
        (TICKETS, TICKET, True),
        (TICKETS, {**TICKET, "team": "sales"}, False),
        (TICKETS, {**TICKET, "text": ""}, False),
        (TICKETS, {**TICKET, "text": 5}, False),
        (TICKETS, {**TICKET, "more": "x"}, False),
        (TICKETS, {"text": "x"}, False),
        (PAIRS, {"instruction": "a", "response": "b"}, True),
        (PAIRS, {"instruction": "a", "response": ""}, False),
        (GROUNDED, {"question": "a", "source": "", "answer": "b"}, True),
        (GROUNDED, {"question": "a", "answer": "b"}, False),
    ],
)
def test_the_schema_is_strict(task: Task, fields: dict[str, Any], valid: bool) -> None:
    assert jsonschema_rs.validator_for(task.schema()).is_valid(fields) is valid


@pytest.mark.parametrize("task", ALL)
def test_what_the_cell_decides_is_not_asked(task: Task) -> None:
    for omitted in ([], [task.fields[0]], list(task.fields), ["nowhere"]):
        schema = task.schema(omitted)
        asked = [name for name in task.fields if name not in omitted]
        assert list(schema["properties"]) == schema["required"] == asked
        assert schema["additionalProperties"] is False
        assert json.loads(json.dumps(schema)) == schema


def test_views_of_a_classification() -> None:
    assert TICKETS.as_text(TICKET) == "Where is my refund?"
    assert TICKETS.label(TICKET) == "returns"
    assert TICKETS.as_chat(TICKET) == [
        {"role": "user", "content": "Where is my refund?"},
        {"role": "assistant", "content": "returns"},
    ]


def test_views_of_an_instruction() -> None:
    fields = {"question": "How many?", "source": "There are six.", "answer": "Six."}
    assert GROUNDED.as_text(fields) == "How many?\nThere are six.\nSix."
    assert GROUNDED.label(fields) is None
    assert GROUNDED.as_chat(fields) == [
        {"role": "user", "content": "How many?\n\nThere are six."},
        {"role": "assistant", "content": "Six."},
    ]
    assert GROUNDED.as_chat({**fields, "source": ""})[0]["content"] == "How many?"


JSON_VALUE = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=2),
    max_leaves=4,
)


@pytest.mark.parametrize("task", ALL)
@given(fields=st.dictionaries(st.sampled_from(["text", "team", "instruction", "question", "x"]), JSON_VALUE))
def test_views_stand_whatever_a_reply_held(task: Task, fields: dict[str, Any]) -> None:
    assert isinstance(task.as_text(fields), str)
    assert isinstance(task.label(fields), str | None)
    assert [message["role"] for message in task.as_chat(fields)] == ["user", "assistant"]
    assert all(isinstance(message["content"], str) for message in task.as_chat(fields))


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("classification", {"input": "text"}, "label"),
        ("classification", {"input": "text", "label": "text"}, "must be two fields"),
        ("classification", {"input": "text", "label": "l", "labels": ["a"]}, "at least two labels"),
        ("classification", {"input": "text", "label": "l", "labels": ["a", "b", "a"]}, "more than once: a"),
        ("classification", {"input": "", "label": "l"}, "at least 1 character"),
        ("instruction", {"prompt": "response"}, "must be different fields"),
        ("instruction", {"context": "instruction"}, "must be different fields"),
        ("instruction", {"system": "x"}, "Extra inputs"),
    ],
)
def test_options_are_checked(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TASKS.get(kind).Options(**options)
