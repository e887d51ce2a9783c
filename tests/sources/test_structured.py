"""Columns that are no text: read by their schema, from JSON and from text with JSON in it."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from seedbed.core.errors import SourceError
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.records import load_real
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import split_source
from seedbed.tasks.conversation import MESSAGES
from seedbed.tasks.fields import object_schema
from tests.tasks.kinds import write_rows

STARS = {"type": "integer", "minimum": 1, "maximum": 5}
STRUCTURED = {
    "messages": object_schema(["messages"], own={"messages": MESSAGES}),
    "stars": object_schema(["stars"], own={"stars": STARS}),
}
FIELDS = ("messages", "stars")


def chat(*said: str) -> list[dict[str, str]]:
    return [{"role": ("user", "assistant")[at % 2], "content": text} for at, text in enumerate(said)]


ROWS: list[dict[str, Any]] = [
    {"messages": chat(f"Where is parcel {number} of mine?", "At the neighbour's."), "stars": number}
    for number in range(1, 6)
]


def write(path: Path, rows: list[dict[str, Any]]) -> SourceSpec:
    texts = [{name: json.dumps(value) for name, value in row.items()} for row in rows]
    if path.suffix == ".jsonl":
        write_rows(path, rows)
    elif path.suffix == ".csv":
        with path.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, FIELDS)
            writer.writeheader()
            writer.writerows(texts)
    else:
        pq.write_table(pa.Table.from_pylist(texts), path)
    return SourceSpec("chats", path, compare=("messages",), structured=STRUCTURED)


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_values_are_what_the_schema_says(suffix: str, tmp_path: Path) -> None:
    spec = write(tmp_path / f"a.{suffix}", ROWS)
    assert [dict(row.fields) for row in load_real(spec, FIELDS)] == ROWS
    assert SourceSpec.from_json(json.loads(json.dumps(spec.to_json()))) == spec


@pytest.mark.parametrize("suffix", ["jsonl", "csv", "parquet"])
def test_a_split_keeps_the_rows_and_their_ids(suffix: str, tmp_path: Path) -> None:
    spec = write(tmp_path / f"a.{suffix}", [row | {"stars": 1} for row in ROWS])
    whole = {row.id: dict(row.fields) for row in load_real(spec, FIELDS)}
    files = split_source(spec, {"dev": 0.4}, 0, tmp_path / "out")
    sides = [load_real(files.source(spec, side), FIELDS) for side in ("train", "dev")]
    assert {row.id: dict(row.fields) for side in sides for row in side} == whole


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ('"secret words"', 'does not fit its schema: what stands there is not of type "array"'),
        ("secret words", "is no JSON at character 1"),
        ("[]", "does not fit its schema: what stands there has less than 2 items"),
        ('[{"from": "human", "value": "secret"}]', 'at 0: "role" is a required property'),
        ('[{"role": "secret", "content": "a"}, {"role": "assistant", "content": "b"}]', "at 0/role: "),
    ],
)
def test_what_does_not_fit_is_named_and_not_quoted(value: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([FIELDS, [value, "3"], [json.dumps(ROWS[0]["messages"]), "7"]])
    with pytest.raises(SourceError) as caught:
        load_real(SourceSpec("chats", path, structured=STRUCTURED), FIELDS)
    first, second = caught.value.problems
    assert message in first.message
    assert first.message.startswith("'messages' ")
    assert "secret" not in first.message
    assert first.line == 2
    assert second.message == (
        "'stars' does not fit its schema: what stands there is greater than the maximum of 5"
    )


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_a_conversation_is_compared_by_what_the_user_says(suffix: str, tmp_path: Path) -> None:
    spec = write(tmp_path / f"eval.{suffix}", ROWS)
    with EvalLockServer.start(spec) as server:
        same, shared_answer = server.client.check(
            ["where is parcel 4 of mine", "An unlike question altogether about tea.\nAt the neighbour's."]
        )
    assert [(hit.rule, hit.row) for hit in same if hit.is_leak] == [("equal", 3)]
    assert not any(hit.is_leak for hit in shared_answer)


def test_an_eval_of_another_form_is_refused(tmp_path: Path) -> None:
    rows = [{"messages": [{"from": "human", "value": "hello"}], "stars": 1}]
    with pytest.raises(SourceError, match="does not fit its schema at 0"):
        EvalLockServer.start(write(tmp_path / "eval.jsonl", rows)).close()
