"""Rows as records: fields by their task names, provenance, ids that positions do not change."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import SourceError
from seedbed.core.record import real_record_id
from seedbed.sources.readers import read_rows
from seedbed.sources.records import load_real
from seedbed.sources.spec import SourceSpec, compared_text


@pytest.fixture
def messages(tmp_path: Path) -> Path:
    path = tmp_path / "messages.csv"
    path.write_text("key,message,topic,extra\nk1,Where is it?,card,z\nk2,Send it back,refund,z\n")
    return path


def test_columns_become_task_fields_and_extras_are_left_out(messages: Path) -> None:
    spec = SourceSpec(
        "desk", messages, columns={"text": "message", "label": "topic"}, id="key", licence="CC-BY-4.0"
    )
    first, second = load_real(spec, ["text", "label"])
    assert first.fields == {"text": "Where is it?", "label": "card"}
    assert first.is_real
    assert (first.provenance.source, first.provenance.licence, first.provenance.depth) == (
        "desk",
        "CC-BY-4.0",
        0,
    )
    assert [first.id, second.id] == [real_record_id("desk", "k1"), real_record_id("desk", "k2")]


def test_one_more_row_in_front_changes_no_other_id(messages: Path) -> None:
    spec = SourceSpec("desk", messages, columns={"text": "message"})
    before = [record.id for record in load_real(spec, ["text"])]
    header, *lines = messages.read_text().splitlines()
    messages.write_text("\n".join([header, "k0,Good morning,other,z", *lines]) + "\n")
    assert [record.id for record in load_real(spec, ["text"])][1:] == before


def test_a_field_without_its_column_names_the_column(messages: Path) -> None:
    with pytest.raises(SourceError, match=r"no column 'topics'; there are: .*; did you mean 'topic'\?"):
        load_real(SourceSpec("desk", messages, columns={"label": "topics"}), ["label"])


def test_an_empty_field_may_be_allowed(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"instruction": "Add", "input": ""}\n')
    spec = SourceSpec("a", path, columns={"context": "input"})
    with pytest.raises(SourceError, match="'input' is empty"):
        load_real(spec, ["instruction", "context"])
    (record,) = load_real(spec, ["instruction", "context"], may_be_empty=["context"])
    assert record.fields["context"] == ""


def test_compared_text_is_that_of_the_columns_named(messages: Path) -> None:
    spec = SourceSpec("desk", messages, columns={"text": "message"}, compare=("text", "topic"))
    texts = [compared_text(row.values, spec.compared_columns) for row in read_rows(spec)]
    assert texts == ["Where is it?\ncard", "Send it back\nrefund"]
