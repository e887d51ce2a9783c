"""Exporters: rows whole and exact, ids that come back, files that are whole or absent."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.errors import InputError, SeedbedError, StoreError
from seedbed.core.record import Provenance, Record, Unreadable
from seedbed.publish import EXPORTERS
from seedbed.publish.csv_table import FORMULA_STARTS
from seedbed.publish.exporter import Changes
from seedbed.tasks.classification import Classification
from seedbed.tasks.instruction import Instruction
from seedbed.tasks.preference import Preference

TASK = Classification.bind(Classification.Options(input="text", label="intent"), None)


def record(number: int, text: str, intent: str = "refund") -> Record:
    provenance = Provenance("generated", "tests", parents=("p",), depth=1)
    return Record(f"{number:024x}", {"text": text, "intent": intent}, provenance)


def export(name: str, rows: Sequence[Record], out: Path, *, rehearsal: bool = False) -> Changes:
    exporter, changes = EXPORTERS.get(name), Changes()
    written = exporter(exporter.Options()).write(iter(rows), TASK, out, rehearsal=rehearsal, changes=changes)
    assert written == len(rows)
    return changes


def read(name: str, path: Path) -> list[dict[str, Any]]:
    if name == "csv":
        with path.open(newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))
    with path.open(encoding="utf-8", newline="\n") as file:
        return [json.loads(line) for line in file]


def test_every_exporter_declares_itself() -> None:
    assert EXPORTERS.names()[:3] == ["jsonl", "csv", "trl-sft"]
    for name in EXPORTERS:
        exporter = EXPORTERS.get(name)
        assert exporter.name == name
        assert exporter.version >= 1
        assert exporter.suffix in (".jsonl", ".csv")
        with pytest.raises(ValidationError):
            exporter.Options.model_validate({"no such option": 1})


@pytest.mark.parametrize("name", ["jsonl", "csv", "trl-sft"])
def test_rows_and_ids_come_back(name: str, tmp_path: Path) -> None:
    rows = [record(n, f'text {n}, with a comma,\na "quote" and ünïcode') for n in range(5)]
    out = tmp_path / "deep" / "er" / "train"
    changes = export(name, rows, out)
    assert changes.notes() == []
    back = read(name, out)
    assert [row["seedbed_id"] for row in back] == [f"sbd-{row.id}" for row in rows]
    for row, original in zip(back, rows, strict=True):
        if name == "trl-sft":
            assert row["messages"] == TASK.as_chat(original.fields)
            assert set(row) == {"messages", "seedbed_id", "origin"}
        else:
            assert list(row) == ["text", "intent", "seedbed_id", "origin"]
            assert row["text"] == original.fields["text"]
        assert row["origin"] == "generated"
    assert [path.name for path in out.parent.iterdir()] == ["train"]


@pytest.mark.parametrize("name", ["jsonl", "csv", "trl-sft"])
def test_a_rehearsal_stamps_every_row(name: str, tmp_path: Path) -> None:
    export(name, [record(n, "text") for n in range(3)], tmp_path / "out", rehearsal=True)
    assert [row["rehearsal"] for row in read(name, tmp_path / "out")] == (
        ["true"] * 3 if name == "csv" else [True] * 3
    )


@given(text=st.text(st.characters(), max_size=40))
@settings(max_examples=80, deadline=None)
def test_any_text_survives_in_jsonl(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.jsonl"
        changes = export("jsonl", [record(1, text)], out)
        back = read("jsonl", out)[0]["text"]
    surrogates = [char for char in text if "\ud800" <= char <= "\udfff"]
    assert back == "".join("\ufffd" if char in surrogates else char for char in text)
    assert changes.counts.total() == bool(surrogates)


@given(text=st.text(st.characters(codec="utf-8"), max_size=40) | st.sampled_from(FORMULA_STARTS))
@settings(max_examples=80, deadline=None)
def test_any_text_in_csv_comes_back_but_for_what_is_counted(text: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.csv"
        changes = export("csv", [record(1, text)], out)
        back = read("csv", out)
    assert len(back) == 1
    without_nul = text.replace("\0", "")
    began = without_nul.startswith(FORMULA_STARTS)
    assert back[0]["text"] == ("'" if began else "") + without_nul
    assert changes.counts.total() == began + ("\0" in text)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0=", "＝"])
def test_no_csv_cell_begins_like_a_formula(start: str, tmp_path: Path) -> None:
    changes = export(
        "csv", [record(1, f'{start}HYPERLINK("http://x","y")', f"{start}intent")], tmp_path / "a.csv"
    )
    row = read("csv", tmp_path / "a.csv")[0]
    assert row["text"].startswith("'")
    assert row["intent"].startswith("'")
    assert "2 values: a leading ' added, as the text began like a formula" in changes.notes()


def test_values_that_are_no_text_keep_their_kind(tmp_path: Path) -> None:
    fields = {"text": ["a", {"b": "\ud800"}], "intent": -3}
    odd = Record("f" * 24, fields, Provenance("real", "tests"))
    export("jsonl", [odd], tmp_path / "a.jsonl")
    assert read("jsonl", tmp_path / "a.jsonl")[0]["text"] == ["a", {"b": "\ufffd"}]
    changes = export(
        "csv", [odd, Record("e" * 24, {"text": None, "intent": True}, odd.provenance)], tmp_path / "a.csv"
    )
    first, second = read("csv", tmp_path / "a.csv")
    assert (json.loads(first["text"]), first["intent"], first["origin"]) == (
        ["a", {"b": "\ufffd"}],
        "-3",
        "real",
    )
    assert (second["text"], second["intent"]) == ("", "true")
    assert changes.notes() == ["1 value: lone surrogates replaced by U+FFFD"]


def test_an_absent_optional_field_is_empty(tmp_path: Path) -> None:
    """So that every row has the same columns, of the same type, as trainers want it."""
    task = Instruction.bind(Instruction.Options(context="document"), None)
    fields = {"instruction": "Say hello.", "response": "Hello."}
    row = Record("c" * 24, fields, Provenance("real", "tests"))
    for name in ("jsonl", "csv", "trl-sft"):
        exporter = EXPORTERS.get(name)
        exporter(exporter.Options()).write([row], task, tmp_path / name)
    assert read("jsonl", tmp_path / "jsonl")[0]["document"] == ""
    assert read("csv", tmp_path / "csv")[0]["document"] == ""
    assert read("trl-sft", tmp_path / "trl-sft")[0]["messages"] == [
        {"role": "user", "content": "Say hello."},
        {"role": "assistant", "content": "Hello."},
    ]


def test_a_field_named_like_an_added_column_is_refused(tmp_path: Path) -> None:
    clashing = Classification.bind(Classification.Options(input="text", label="origin"), None)
    for name in ("jsonl", "csv"):
        exporter = EXPORTERS.get(name)
        with pytest.raises(
            InputError, match=r"task field 'origin' has the name of a column .* rename the field"
        ):
            exporter(exporter.Options()).write([], clashing, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["jsonl", "csv", "trl-sft"])
def test_a_failure_on_the_way_leaves_the_old_file(name: str, tmp_path: Path) -> None:
    out = tmp_path / "train"
    out.write_text("what was there")
    unreadable = Record(
        "d" * 24, {}, Provenance("generated", "t"), unreadable=Unreadable("not_json", "", "x")
    )
    with pytest.raises(SeedbedError, match=r"record d{24} has no field 'text' \(not_json\); only accepted"):
        export(name, [record(1, "fine"), unreadable], out)
    assert out.read_text() == "what was there"
    assert [path.name for path in tmp_path.iterdir()] == ["train"]


def test_a_refused_disk_names_the_path(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match=r"file/out.jsonl: cannot be written"):
        export("jsonl", [record(1, "x")], tmp_path / "file" / "out.jsonl")
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="folder: cannot be written"):
        export("jsonl", [record(1, "x")], tmp_path / "folder")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_is_a_named_failure(tmp_path: Path) -> None:
    """The unfinished file is a link to a device that is always full."""
    (tmp_path / "out.jsonl.tmp").symlink_to("/dev/full")
    with pytest.raises(StoreError, match=r"out.jsonl: cannot be written: No space left"):
        export("jsonl", [record(1, "x" * 100_000)], tmp_path / "out.jsonl")
    assert list(tmp_path.iterdir()) == []


def test_rows_are_streamed(tmp_path: Path) -> None:
    """Row 20,000 is asked for only after earlier ones have reached the disk."""
    out = tmp_path / "out.jsonl"
    written: list[int] = []

    def rows() -> Iterator[Record]:
        for number in range(20_000):
            if number == 19_999:
                written.append((tmp_path / "out.jsonl.tmp").stat().st_size)
            yield record(number, "a text of some length " * 4)

    exporter = EXPORTERS.get("jsonl")
    assert exporter(exporter.Options()).write(rows(), TASK, out) == 20_000
    assert written[0] > 0.9 * out.stat().st_size


def test_every_export_loads_in_datasets(tmp_path: Path) -> None:
    """In a process of its own that is told to stay offline, as `datasets` reads that at import."""
    rows = [
        record(n, f'line {n}\nsecond, "line"' if n % 2 else f"=text {n}", "ja" if n % 3 else "nein")
        for n in range(50)
    ]
    for name in ("jsonl", "csv", "trl-sft"):
        export(name, rows, tmp_path / f"{name}.data", rehearsal=True)
    pairs = [
        row._replace(fields={"question": row.fields["text"], "chosen": "Yes.", "rejected": "No."})
        for row in rows
    ]
    exporter = EXPORTERS.get("trl-dpo")
    exporter(exporter.Options()).write(pairs, PAIRS, tmp_path / "trl-dpo.data", rehearsal=True)
    code = """
import json, sys
from datasets import load_dataset
folder = sys.argv[1]
result = {}
for name, kind in [("jsonl", "json"), ("csv", "csv"), ("trl-sft", "json"), ("trl-dpo", "json")]:
    data = load_dataset(kind, data_files=f"{folder}/{name}.data", split="train", cache_dir=f"{folder}/cache")
    result[name] = [dict(row) for row in data]
print(json.dumps(result))
"""
    environment = os.environ | {
        "PYTHONPATH": "",  # with the pandas that `datasets` has brought
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_OFFLINE": "1",
        "HF_HOME": str(tmp_path / "home"),
        "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    }
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )
    loaded = json.loads(done.stdout.splitlines()[-1])
    for name, back in loaded.items():
        assert [row["seedbed_id"] for row in back] == [f"sbd-{row.id}" for row in rows], name
        assert all(row["rehearsal"] is True for row in back)
    assert [row["text"] for row in loaded["jsonl"]] == [row.fields["text"] for row in rows]
    assert [row["text"].removeprefix("'") for row in loaded["csv"]] == [row.fields["text"] for row in rows]
    assert [row["messages"] for row in loaded["trl-sft"]] == [TASK.as_chat(row.fields) for row in rows]
    for row, pair in zip(loaded["trl-dpo"], pairs, strict=True):
        assert row["prompt"] + row["chosen"] == PAIRS.as_chat(pair.fields)
        assert row["rejected"] == [{"role": "assistant", "content": "No."}]


PAIRS = Preference.bind(Preference.Options(prompt="question"), None)


def test_pairs_are_written_as_turns(tmp_path: Path) -> None:
    fields = {"question": "How many?", "chosen": "Six.", "rejected": "Many, \ud800 perhaps."}
    row = Record("a" * 24, fields, Provenance("generated", "tests"))
    changes = Changes()
    exporter = EXPORTERS.get("trl-dpo")
    exporter(exporter.Options()).write([row], PAIRS, tmp_path / "a.jsonl", rehearsal=True, changes=changes)
    assert read("trl-dpo", tmp_path / "a.jsonl") == [
        {
            "prompt": [{"role": "user", "content": "How many?"}],
            "chosen": [{"role": "assistant", "content": "Six."}],
            "rejected": [{"role": "assistant", "content": "Many, \ufffd perhaps."}],
            "seedbed_id": f"sbd-{'a' * 24}",
            "origin": "generated",
            "rehearsal": True,
        }
    ]
    assert changes.notes() == ["1 value: lone surrogates replaced by U+FFFD"]


def test_only_pairs_are_written_as_pairs(tmp_path: Path) -> None:
    exporter = EXPORTERS.get("trl-dpo")
    with pytest.raises(InputError, match=r"this task is of the kind classification; export trl-sft or jsonl"):
        exporter(exporter.Options()).write([], TASK, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_a_real_row_without_a_worse_answer_is_no_pair(tmp_path: Path) -> None:
    row = Record("b" * 24, {"question": "How many?", "chosen": "Six."}, Provenance("real", "tests"))
    exporter = EXPORTERS.get("trl-dpo")
    with pytest.raises(SeedbedError, match="has no field 'rejected'"):
        exporter(exporter.Options()).write([row], PAIRS, tmp_path / "out")
