"""Parquet: types by stated rules, problems by row, and what an audit writes back."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.core.errors import SourceError, StoreError
from seedbed.sources.parquet_file import write_parquet_rows
from seedbed.sources.readers import read_rows
from seedbed.sources.records import load_real
from seedbed.sources.spec import SourceSpec


def written(folder: Path, table: pa.Table | dict[str, Any], name: str = "a.parquet") -> Path:
    path = folder / name
    pq.write_table(table if isinstance(table, pa.Table) else pa.table(table), path, row_group_size=3)
    return path


def refused(path: Path, *columns: str, **options: Any) -> list[str]:
    with pytest.raises(SourceError) as caught:
        list(read_rows(SourceSpec("seeds", path, **options), text_columns=columns))
    assert all(problem.file == str(path) for problem in caught.value.problems)
    return [problem.message for problem in caught.value.problems]


def test_types_come_as_json_has_them_or_as_text(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": pa.array(["a"], pa.large_string()),
            "topic": pa.array(["b"]).dictionary_encode(),
            "whole": pa.array([3], pa.int8()),
            "number": pa.array([float("nan")], pa.float32()),
            "yes": [True],
            "nothing": pa.nulls(1),
            "day": [dt.date(2024, 2, 29)],
            "moment": pa.array([dt.datetime(2024, 2, 29, 12, 30, tzinfo=dt.UTC)], pa.timestamp("us", "UTC")),
            "money": [Decimal("12.50")],
        }
    )
    (row,) = read_rows(SourceSpec("seeds", written(tmp_path, table)), text_columns=["text", "topic"])
    assert row.values == {
        "text": "a",
        "topic": "b",
        "whole": 3,
        "number": None,
        "yes": True,
        "nothing": None,
        "day": "2024-02-29",
        "moment": "2024-02-29 12:30:00.000000Z",
        "money": "12.50",
    }


def test_rows_have_the_keys_that_jsonl_gives_them(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": ["one", "two", "one"], "n": [1, None, 1]})
    lines = tmp_path / "a.jsonl"
    lines.write_text('{"text":"one","n":1}\n{"text":"two","n":null}\n{"text":"one","n":1}\n')
    keys = [[row.key for row in read_rows(SourceSpec("s", file))] for file in (path, lines)]
    assert keys[0] == keys[1]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([["a"]]), "column 'odd' is nested (list<"),
        (pa.array([{"a": 1}]), "column 'odd' is nested (struct<"),
        (pa.array([b"a"]), "column 'odd' holds bytes (binary)"),
    ],
)
def test_columns_that_are_no_text_are_refused_by_name(tmp_path: Path, column: Any, message: str) -> None:
    path = written(tmp_path, pa.table({"text": ["a"], "odd": column}))
    (found,) = refused(path, "text")
    assert found.startswith(message)


def test_problems_name_their_row(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": ["a", None, " ", "b"], "id": ["1", "2", "1", "1"]})
    assert refused(path, "text", id="id") == [
        "row 1 (from 0): 'text' is null, expected text; write it in quotes",
        "row 2 (from 0): 'text' is empty; fill it in or delete the row",
        "row 2 (from 0): id 'id' is the same as in row 0 (from 0); ids must differ",
        "row 3 (from 0): id 'id' is the same as in row 0 (from 0); ids must differ",
    ]
    assert "did you mean 'text'?" in refused(path, "texts")[0]
    assert "expected text" in refused(written(tmp_path, {"text": [1]}), "text")[0]
    with pytest.raises(SourceError, match="no rows; this Parquet file is empty"):
        list(read_rows(SourceSpec("seeds", written(tmp_path, {"text": pa.array([], pa.string())}))))


def test_what_is_no_parquet_or_is_cut_off(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": [f"text number {at}" for at in range(5000)]})
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert "not readable as Parquet from its first byte" in refused(path, "text")[0]
    path.write_bytes(whole[:200] + b"\0" * 200 + whole[400:])
    assert "not readable as Parquet" in refused(path, "text")[0]
    not_utf8 = pa.Array.from_buffers(
        pa.string(), 1, [None, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe")]
    )
    assert (
        "row 0 (from 0): 'text' is not UTF-8"
        in refused(written(tmp_path, pa.table({"text": not_utf8})), "text")[0]
    )


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.text(max_size=9), st.lists(st.integers(), max_size=2)), max_size=8), st.data())
def test_what_stays_is_written_with_its_types(
    tmp_path: Path, rows: list[tuple[str, list[int]]], data: st.DataObject
) -> None:
    schema = pa.schema([("text", pa.large_string()), ("small", pa.int16())], metadata={b"made": b"by hand"})
    table = pa.table({"text": [text for text, _ in rows], "small": [len(more) for _, more in rows]}, schema)
    path = written(tmp_path, table)
    stay = data.draw(st.sets(st.integers(0, max(0, len(rows) - 1)), max_size=8)) if rows else set()
    write_parquet_rows(path, stay, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(
        table.take(pa.array(sorted(stay), pa.int64())), check_metadata=True
    )


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    path = written(tmp_path, {"text": ["a"]})
    with pytest.raises(StoreError, match="cannot be written"):
        write_parquet_rows(path, {0}, tmp_path / "none" / "out.parquet")


def test_an_audit_drops_leaks_from_parquet(tmp_path: Path) -> None:
    train = written(tmp_path, {"text": ["Where is it?", "Send it back", "A third one"], "n": [1, 2, 3]})
    against = written(tmp_path, {"text": ["where is IT"]}, "eval.parquet")
    command = [sys.executable, "-m", "seedbed.cli", "audit", str(train), "--against", str(against)]
    done = subprocess.run(
        [*command, "--drop", str(tmp_path / "o.parquet")], capture_output=True, text=True, check=False
    )
    assert done.returncode == 3, done.stderr
    assert pq.read_table(tmp_path / "o.parquet").to_pydict() == {
        "text": ["Send it back", "A third one"],
        "n": [2, 3],
    }
    wrong = subprocess.run(
        [*command, "--drop", str(tmp_path / "o.csv")], capture_output=True, text=True, check=False
    )
    assert wrong.returncode == 2
    assert "ends in .parquet" in wrong.stderr


def test_many_rows_load(tmp_path: Path) -> None:
    texts = [f"message {at} about parcel {at * 7919 % 100_003}, which has not come" for at in range(20_000)]
    path = written(tmp_path, {"text": texts, "label": ["a", "b"] * 10_000})
    records = load_real(SourceSpec("seeds", path), ["text", "label"])
    assert [record.fields["text"] for record in records] == texts
    assert len({record.id for record in records}) == 20_000
