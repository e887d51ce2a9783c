"""The views of a record that each task kind gives, and the schema that a teacher is asked to keep."""

from __future__ import annotations

import json
import pickle
import random
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from seedbed.core.field_text import asked_in, texts_in
from seedbed.core.protocols import Task
from seedbed.core.registry import UnknownPlugin
from seedbed.models.schema_values import value_for
from seedbed.tasks import TASKS
from tests.tasks.kinds import EXAMPLES, ORDER


def bound(kind: str, data_labels: list[str] | None = None, /, **options: Any) -> Task:
    options.pop("kind", None)
    plugin = TASKS.get(kind)
    task: Task = plugin.bind(plugin.Options(**options), data_labels)
    return task


TICKETS = bound("classification", ["billing", "returns"], input="text", label="team")
PAIRS = bound("instruction")
GROUNDED = bound("instruction", prompt="question", answer="answer", context="source")
CHATS = bound("conversation")
ANSWERED = bound("preference", prompt="question", answer="answer")
ORDERS = bound("extraction", schema=ORDER)
SUMS = bound("math")
ANSWERS = bound("math", solution=False)
PROGRAMS = bound("code")
PHRASES = bound("translation", None, **{"from": "English", "to": "gsw"})
REVIEWS = bound("custom", **EXAMPLES["custom"].task)
ALL = [
    TICKETS,
    PAIRS,
    GROUNDED,
    CHATS,
    bound("preference"),
    ANSWERED,
    ORDERS,
    SUMS,
    ANSWERS,
    PROGRAMS,
    PHRASES,
    REVIEWS,
]
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
@given(
    fields=st.dictionaries(
        st.sampled_from(["text", "team", "instruction", "question", "messages", "record", "stars", "x"]),
        JSON_VALUE,
    )
)
def test_views_stand_whatever_a_reply_held(task: Task, fields: dict[str, Any]) -> None:
    assert isinstance(task.as_text(fields), str)
    assert isinstance(task.label(fields), str | None)
    roles = [message["role"] for message in task.as_chat(fields)]
    assert roles == ["user", "assistant"] or (task.kind == "conversation" and roles == [])
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
        ("preference", {"chosen": "prompt"}, "prompt, chosen and rejected must be different fields"),
        ("preference", {"answer": "rejected"}, "answer is 'rejected', which is another field"),
        ("math", {"solution": True}, "solution"),
        ("math", {"solution": "answer"}, "must be different fields"),
        ("code", {"tests": "prompt"}, "must be different fields"),
        ("translation", {"from": "en"}, "to"),
        ("translation", {"from": "en", "to": "EN"}, "a translation needs two languages"),
        ("extraction", {}, "schema"),
        ("extraction", {"schema": {"type": "string"}}, "must describe an object or a list"),
        ("extraction", {"schema": {"type": "objekt"}}, "no valid JSON Schema at type"),
        ("extraction", {"schema": "orders"}, r"neither a .json file nor module:Class"),
        ("extraction", {"schema": "nowhere.json"}, "no such file: nowhere.json"),
        ("extraction", {"schema": "no_such_module:Order"}, "cannot be imported .*No module named"),
        ("extraction", {"schema": "json:NoSuch"}, "cannot be imported .*has no attribute 'NoSuch'"),
        ("extraction", {"schema": "json:JSONDecoder"}, "json:JSONDecoder is no pydantic model"),
        ("extraction", {"schema": "pydantic:BaseModel"}, "pydantic:BaseModel is no pydantic model"),
        ("extraction", {"schema": {"type": "object"}, "record": "text"}, "must be different fields"),
        ("custom", {}, "fields"),
        ("custom", {"fields": {"a": {"type": "number"}}}, "must have a field of text"),
        ("custom", {"fields": {"a": "x", "b": {"type": "nothing"}}}, "b: no valid JSON Schema at type"),
        ("custom", {"fields": {"a": "x", "b": {"enum": [1, 2]}}}, "b: must say its type"),
        ("custom", {"fields": {"a": "x", "b": {"type": "object", "$ref": "#"}}}, r"b: \$ref is for"),
        ("custom", {"fields": {"a": "x"}, "label": "b"}, "'b' is no field; there are: a"),
        ("custom", {"fields": {"a": "x", "b": {"type": "number"}}, "label": "b"}, "'b' is no text"),
        ("custom", {"fields": {"a": "x"}, "label": "a"}, "'a' is the only text"),
        ("custom", {"fields": {"a": "x", "b": {"enum": ["c"]}}, "compare": "b"}, "the text fields are: a"),
    ],
)
def test_options_are_checked(kind: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        TASKS.get(kind).Options(**options)


def test_an_option_need_not_be_a_python_name() -> None:
    options = TASKS.get("translation").Options.model_validate({"from": "en", "to": "gsw"})
    assert options.model_dump(mode="json")["from"] == "en"
    assert TASKS.get("translation").Options.model_validate(options.model_dump(mode="json")) == options


@pytest.mark.parametrize("kind", EXAMPLES)
def test_a_bound_task_can_be_bound_again_from_what_a_run_keeps(kind: str, tmp_path: Path) -> None:
    EXAMPLES[kind].write(tmp_path)
    plugin = TASKS.get(kind)
    written = {key: value for key, value in EXAMPLES[kind].task.items() if key != "kind"}
    options = plugin.Options.model_validate(written, context={"folder": str(tmp_path)})
    again = plugin.Options.model_validate(json.loads(json.dumps(options.model_dump(mode="json"))))
    assert plugin.bind(again, None) == plugin.bind(options, None)


@pytest.mark.parametrize("task", ALL)
@given(seed=st.integers(0, 2**32))
def test_the_views_of_a_record_that_keeps_the_schema(task: Task, seed: int) -> None:
    """Each text field stands in the text or the chat, a chat begins well, what is compared is asked."""
    if task.kind == "conversation":
        turns = ["user", "assistant"] * (1 + seed % 3)
        fields: dict[str, Any] = {"messages": [{"role": role, "content": f"{role} {seed}"} for role in turns]}
    else:
        fields = value_for(task.schema(), random.Random(seed))
    assert jsonschema_rs.validator_for(task.schema()).is_valid(fields)
    text, chat = task.as_text(fields), task.as_chat(fields)
    said = "\n".join(message["content"] for message in chat)
    for name in task.text_fields:
        for part in texts_in(fields[name]):
            # The worse answer of a pair is no part of what is learnt.
            assert part in text + said or name == "rejected"
    assert [message["role"] for message in chat[:2]] == ["user", "assistant"]
    assert all(message["content"] for message in chat)
    asked = [message["content"] for message in chat if message["role"] == "user"]
    for name in task.compare_fields:
        assert all(line in "\n".join(asked) for line in asked_in(fields[name]).splitlines())


def test_views_of_a_conversation() -> None:
    turns = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "When?"},
        {"role": "assistant", "content": "At six."},
        {"role": "user", "content": "And where?"},
    ]
    fields = {"messages": turns}
    assert CHATS.as_chat(fields) == turns
    assert CHATS.as_text(fields) == "Be brief.\nWhen?\nAt six.\nAnd where?"
    assert asked_in(turns) == "When?\nAnd where?"


def _turns(*roles: str) -> list[dict[str, str]]:
    return [{"role": role, "content": "x"} for role in roles]


@pytest.mark.parametrize(
    ("turns", "valid"),
    [
        (_turns("user", "assistant"), True),
        (_turns("system", "user", "assistant"), True),
        (_turns("user", "assistant", "user", "assistant"), True),
        (_turns("user"), False),
        (_turns("system", "user"), False),
        (_turns("assistant", "user"), False),
        (_turns("user", "user", "assistant"), False),
        (_turns("system", "assistant", "user"), False),
        (_turns("user", "assistant", "system"), False),
        (_turns("human", "gpt"), False),
        ([{"from": "human", "value": "x"}, {"from": "gpt", "value": "y"}], False),
        ([{"role": "user", "content": ""}, {"role": "assistant", "content": "x"}], False),
        ("user: hello", False),
        ([], False),
    ],
)
def test_what_a_conversation_is(turns: Any, valid: bool) -> None:
    assert jsonschema_rs.validator_for(CHATS.schema()).is_valid({"messages": turns}) is valid


def test_views_of_a_preference() -> None:
    fields = {"question": "How many?", "chosen": "Six.", "rejected": "Ten."}
    assert ANSWERED.as_text(fields) == "How many?\nSix."
    assert ANSWERED.as_chat(fields)[1] == {"role": "assistant", "content": "Six."}
    assert ANSWERED.real_columns == {"question": "question", "chosen": "answer"}
    assert ANSWERED.as_text({"question": "How many?", "chosen": "Six."}) == ANSWERED.as_text(fields)


def test_views_of_an_extraction() -> None:
    record = {"express": True, "items": [{"count": 2, "name": "lamp"}], "customer": "Vane"}
    said = ORDERS.as_chat({"text": "Two lamps.", "record": record})[1]["content"]
    assert said == '{"customer": "Vane", "items": [{"name": "lamp", "count": 2}], "express": true}'
    assert (ORDERS.text_fields, ORDERS.compare_fields) == (("text",), ("text",))


def test_views_of_a_sum() -> None:
    fields = {"question": "How many?", "solution": "2 * 3 = 6", "answer": "6"}
    assert SUMS.as_chat(fields)[1]["content"] == "2 * 3 = 6\n#### 6"
    assert SUMS.as_chat({**fields, "solution": ""})[1]["content"] == "6"
    assert ANSWERS.fields == ("question", "answer")
    assert ANSWERS.as_chat(fields)[1]["content"] == "6"


def test_a_program_stands_in_a_fence_longer_than_its_own() -> None:
    said = PROGRAMS.as_chat({"prompt": "Do it.", "solution": "x = 1\n", "tests": "assert x"})[1]["content"]
    assert said == "```python\nx = 1\n```"
    odd = PROGRAMS.as_chat({"prompt": "Do it.", "solution": '"""\n````\n"""'})[1]["content"]
    assert odd.startswith("`````python\n")
    assert odd.endswith("\n`````")


def test_a_translation_says_its_languages() -> None:
    chat = PHRASES.as_chat({"source": "Good day.", "target": "Grüezi."})
    assert chat[0]["content"] == "Translate from English to gsw:\n\nGood day."


def test_fields_of_the_recipe_own() -> None:
    assert (REVIEWS.text_fields, REVIEWS.label_field) == (("review", "reply"), "mood")
    assert REVIEWS.schema()["properties"]["mood"] == {"enum": ["glad", "cross"], "type": "string"}
    fields = {"review": "Fine.", "reply": "Thanks.", "stars": 4, "topics": ["food"], "mood": "glad"}
    assert REVIEWS.label(fields) == "glad"
    answered = '{"reply": "Thanks.", "stars": 4, "topics": ["food"], "mood": "glad"}'
    assert REVIEWS.as_chat(fields)[1]["content"] == answered
    two = bound("custom", fields={"a": "x", "b": "y"}, compare=["b"])
    assert two.compare_fields == ("b",)
    assert two.as_chat({"a": "1", "b": "2"}) == [
        {"role": "user", "content": "2"},
        {"role": "assistant", "content": "1"},
    ]


def test_a_schema_from_a_file_and_from_a_class(tmp_path: Path) -> None:
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    (tmp_path / "order_of_a_test.py").write_text(
        "from pydantic import BaseModel\n\nclass Order(BaseModel):\n    customer: str\n    count: int\n"
    )
    options, context = TASKS.get("extraction").Options, {"folder": str(tmp_path)}
    of_file = options.model_validate({"schema": "order.json"}, context=context)
    assert of_file.record_schema == ORDER
    of_class = options.model_validate({"schema": "order_of_a_test:Order"}, context=context)
    assert list(of_class.record_schema["properties"]) == ["customer", "count"]
    (tmp_path / "order.json").write_text("{")
    with pytest.raises(ValidationError, match=r"order.json:1: no JSON"):
        options.model_validate({"schema": "order.json"}, context=context)
