"""What trainers are handed of a row of every kind of task, and what they are asked."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.protocols import Task
from seedbed.student.lesson_files import answers_in, as_bytes, asked, is_pair, taught
from seedbed.student.rows import Row, row_of
from seedbed.tasks import TASKS
from tests.tasks.kinds import EXAMPLES


def bound(kind: str, **options: Any) -> Task:
    plugin = TASKS.get(kind)
    described = {key: value for key, value in EXAMPLES[kind].task.items() if key != "kind"}
    if kind == "extraction":
        described["schema"] = json.loads(EXAMPLES[kind].files["order.json"])
    task: Task = plugin.bind(plugin.Options.model_validate(described | options), None)
    return task


def fields_of(kind: str) -> Mapping[str, Any]:
    fields = dict(EXAMPLES[kind].real[0])
    return (
        fields | {"chosen": fields["answer"], "rejected": "Nobody knows."} if kind == "preference" else fields
    )


def leaves(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [leaf for inner in value.values() for leaf in leaves(inner)]
    return [leaf for inner in value for leaf in leaves(inner)] if isinstance(value, list) else []


@pytest.mark.parametrize("kind", EXAMPLES)
class TestEveryKind:
    def test_a_question_has_what_is_asked_and_nothing_of_the_answer(self, kind: str) -> None:
        task, fields = bound(kind), fields_of(kind)
        row = row_of(task, "row-1", fields)
        question = asked(task, row)
        assert question["id"] == "row-1"
        assert question["messages"] == task.as_chat(fields)[:-1]
        assert question["messages"][-1]["role"] == "user"
        said = json.dumps(question)
        hidden = [value for name, value in fields.items() if name not in task.asked_fields] + [row.answer]
        kept = [leaf for leaf in leaves(hidden) if leaf in said and len(leaf) > 4]
        # An extraction's value may be a word of the text that it is taken from.
        assert [leaf for leaf in kept if leaf not in row.text] == []
        assert row.answer not in said

    def test_a_lesson_has_the_whole_row(self, kind: str) -> None:
        task, fields = bound(kind), fields_of(kind)
        line = taught(task, row_of(task, "row-1", fields))
        pair = {"prompt", "chosen", "rejected"} if kind == "preference" else set()
        assert set(line) == {*fields, "id", "messages", *pair}
        assert line["messages"] == task.as_chat(fields)
        assert all(line[name] == fields[name] for name in set(fields) - pair - {"messages"})


def test_a_conversation_under_another_name_stays_out_of_its_question() -> None:
    task = bound("conversation", messages="turns")
    turns = EXAMPLES["conversation"].real[0]["messages"]
    question = asked(task, row_of(task, "a", {"turns": turns}))
    assert set(question) == {"id", "messages"}
    assert question["messages"] == turns[:-1]


def test_a_pair_is_written_as_trl_reads_it() -> None:
    task = bound("preference")
    row = row_of(task, "a", {"question": "Why?", "chosen": "Because.", "rejected": "Why not?"})
    line = taught(task, row)
    assert line["prompt"] == [{"role": "user", "content": "Why?"}]
    assert line["chosen"] == [{"role": "assistant", "content": "Because."}]
    assert line["rejected"] == [{"role": "assistant", "content": "Why not?"}]
    assert is_pair(task, row)
    assert not is_pair(task, row_of(task, "a", {"question": "Why?", "chosen": "Because."}))
    assert not is_pair(bound("instruction"), row)


IDS = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=8, unique=True)


@given(ids=IDS, data=st.data())
def test_answers_come_back_in_the_order_of_the_rows(ids: list[str], data: st.DataObject) -> None:
    texts = {id_: data.draw(st.text(st.characters(exclude_categories=()), max_size=20)) for id_ in ids}
    lines = data.draw(st.permutations([{"id": id_, "answer": text} for id_, text in texts.items()]))
    rows = [Row(id_, "", "") for id_ in ids]
    assert answers_in(as_bytes(lines), rows) == [texts[id_] for id_ in ids]
    with pytest.raises(ValueError, match="left 1 of the"):
        answers_in(as_bytes(lines[1:]), rows)
    with pytest.raises(ValueError, match="answered before"):
        answers_in(as_bytes([*lines, lines[0]]), rows)


SAID = st.one_of(
    st.binary(max_size=60),
    st.text().map(lambda text: json.dumps({"id": text}).encode()),
    st.text().map(lambda text: json.dumps({"id": text, "answer": text}).encode()),
    st.text().map(lambda text: json.dumps({"id": "asked", "answer": [text]}).encode()),
)
REFUSALS = re.compile(
    r"(gave in line \d+ (an id that it was not asked|no text as `(id|answer)`))"
    r"|(wrote in line \d+ of standard output no JSON.*)"
    r"|(left 1 of the 1 ids that it was asked without an answer)"
)


@given(said=SAID)
def test_whatever_is_said_is_refused_without_a_word_of_it(said: bytes) -> None:
    with pytest.raises(ValueError) as caught:
        answers_in(said, [Row("asked", "", "")])
    assert REFUSALS.fullmatch(str(caught.value))
