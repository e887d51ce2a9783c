"""Globs: which files they are, that a row does not depend on the others, and that an eval can be one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedbed.core.errors import EvalLockError, InputError, SourceError
from seedbed.core.globs import files_below, matches
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.sources.readers import Row, read_rows
from seedbed.sources.source_hash import source_hash
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import split_source
from seedbed.sources.writing import write_without


def write(folder: Path, **files: str) -> None:
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def rows(path: Path, *columns: str, **options: str) -> list[Row]:
    return list(read_rows(SourceSpec("seeds", path, **options), text_columns=columns))  # type: ignore[arg-type]


def problems(path: Path, *columns: str, **options: str) -> list[str]:
    with pytest.raises(SourceError) as caught:
        rows(path, *columns, **options)
    return [str(problem) for problem in caught.value.problems]


def test_files_in_the_order_of_their_paths(tmp_path: Path) -> None:
    write(
        tmp_path,
        b_jsonl='{"text":"b"}\n',
        a_jsonl='{"text":"a"}\n',
        a_csv="text\nx\n",
        c__c_jsonl='{"text":"c"}\n',
    )
    write(tmp_path, **{".hidden/h_jsonl": '{"text":"h"}\n', ".h_jsonl": '{"text":"h"}\n'})
    assert [row.values["text"] for row in rows(tmp_path / "*.jsonl")] == ["a", "b"]
    deep = rows(tmp_path / "**" / "*.jsonl")
    assert [(row.index, row.values["text"]) for row in deep] == [(0, "a"), (1, "b"), (2, "c")]
    assert deep[2].file == tmp_path / "c" / "c.jsonl"
    assert [row.values["text"] for row in rows(tmp_path / "[bc]*.jsonl")] == ["b"]


def test_a_name_that_is_there_is_no_pattern(tmp_path: Path) -> None:
    odd = tmp_path / "[1]"
    write(odd, a_jsonl='{"text":"a"}\n')
    (odd / "x*.jsonl").write_text('{"text":"star"}\n')
    (odd / "xy.jsonl").write_text('{"text":"xy"}\n')
    assert matches(odd / "x*.jsonl") is None
    assert [row.values["text"] for row in rows(odd / "x*.jsonl")] == ["star"]
    assert [row.values["text"] for row in rows(odd / "?.jsonl")] == ["a"]
    assert matches(tmp_path / "none.csv") is None


def test_texts_are_a_row_each_as_in_a_folder(tmp_path: Path) -> None:
    write(tmp_path / "docs", faq__parcels_md="Where?", faq__refunds_md="How?", notes_txt="Nothing")
    found = rows(tmp_path / "docs" / "**" / "*.md", "text", "label")
    in_folder = rows(tmp_path / "docs")
    assert [row.values for row in found] == [row.values for row in in_folder[:2]]
    assert [row.key for row in found] == [row.key for row in in_folder[:2]]
    assert rows(tmp_path / "docs" / "*.txt", "text")[0].values["file"] == "notes.txt"


def test_formats_by_suffix(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_jsonl='{"text":"a"}\n',
        b_ndjson='{"text":"b"}\n',
        c_csv="text\nc\n",
        d_dat='{"text":"d"}\n',
    )
    assert len(rows(tmp_path / "*json*")) == 2
    (mixed,) = problems(tmp_path / "[ac].*")
    assert f"{tmp_path / 'a.jsonl'} is jsonl, {tmp_path / 'c.csv'} is csv" in mixed
    assert "cannot tell the format of" in problems(tmp_path / "*.dat")[0]
    assert len(rows(tmp_path / "*.dat", format="jsonl")) == 1
    assert f"no file matches *.xml in {tmp_path}" in problems(tmp_path / "*.xml")[0]


def test_problems_name_file_and_line(tmp_path: Path) -> None:
    write(tmp_path, a_jsonl='{"text":"a","id":1}\n[]\n', b_jsonl='{"text":3,"id":1}\n')
    first, second = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    assert problems(tmp_path / "*.jsonl", "text", id="id") == [
        f"{first}:2: a list, expected a JSON object; write one {{…}} a line",
        f"{second}:1: 'text' is a number, expected text; write it in quotes",
        f"{second}:1: id 'id' is the same as in {first}, line 1; ids must differ",
    ]


TEXTS = st.lists(st.sampled_from("abcd"), min_size=1, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40)
@given(st.lists(TEXTS, min_size=1, max_size=4), TEXTS)
def test_another_file_changes_no_other_row(tmp_path: Path, files: list[list[str]], more: list[str]) -> None:
    for stale in tmp_path.glob("*.jsonl"):
        stale.unlink()
    for at, texts in enumerate(files):
        (tmp_path / f"{at + 1}.jsonl").write_text("".join(f'{{"text":"{text}"}}\n' for text in texts))
    before = {(row.key, row.values["text"]) for row in rows(tmp_path / "*.jsonl")}
    (tmp_path / "0.jsonl").write_text("".join(f'{{"text":"{text}"}}\n' for text in more))
    after = {(row.key, row.values["text"]) for row in rows(tmp_path / "*.jsonl")}
    assert before < after
    assert len(after) == len(before) + len(more)


def test_files_below_are_what_reading_opens(tmp_path: Path) -> None:
    write(tmp_path, a_md="a", b__c_md="c", **{".d/e_md": "e"})
    for path in (tmp_path, tmp_path / "**" / "*.md"):
        assert sorted(files_below(path)) == [tmp_path / "a.md", tmp_path / "b" / "c.md"]
    assert list(files_below(tmp_path / "none")) == []


def test_an_eval_may_be_a_glob_and_is_locked_by_all_its_files(tmp_path: Path) -> None:
    write(
        tmp_path, a_jsonl='{"text":"Where is my parcel today?"}\n', b_jsonl='{"text":"Please send it back"}\n'
    )
    spec = SourceSpec("eval", tmp_path / "*.jsonl", compare=("text",))
    with EvalLockServer.start(spec) as server:
        assert server.info.rows == 2
        assert server.client.check(["please SEND it back!"])[0][0].row == 1
        info = server.info
    lock = tmp_path / "eval.lock.json"
    EvalLockFile.create_or_verify(lock, info)
    first = source_hash(spec)
    write(tmp_path, c_jsonl='{"text":"One more"}\n')
    assert source_hash(spec) != first
    with (
        EvalLockServer.start(spec) as server,
        pytest.raises(EvalLockError, match="changed since it was locked"),
    ):
        EvalLockFile.create_or_verify(lock, server.info)


def test_a_share_of_a_glob_may_be_the_eval(tmp_path: Path) -> None:
    for at in range(4):
        (tmp_path / f"{at}.jsonl").write_text(
            "".join(f'{{"text":"message {at}{row} of {row * 77}"}}\n' for row in range(10))
        )
    spec = SourceSpec("all", tmp_path / "*.jsonl", compare=("text",))
    files = split_source(spec, {"eval": 0.4}, 0, tmp_path / ".seedbed")
    assert sum(files.counts.values()) == 40
    assert files.counts["eval"] > 0


def test_an_audit_reads_a_glob_and_writes_none(tmp_path: Path) -> None:
    write(
        tmp_path,
        a_jsonl='{"text":"Where is it?"}\n',
        b_jsonl='{"text":"Send it back"}\n',
        e_csv="text\nwhere is it\n",
    )
    command = [
        sys.executable,
        "-m",
        "seedbed.cli",
        "audit",
        str(tmp_path / "*.jsonl"),
        "--against",
        str(tmp_path / "e.*"),
    ]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, check=False)
    assert done.returncode == 3, done.stderr
    spec = SourceSpec("file", tmp_path / "*.jsonl")
    with pytest.raises(InputError, match="several files cannot be written as one"):
        write_without(spec, ["text"], [], tmp_path / "out.jsonl")
    none = subprocess.run(
        [*command[:4], str(tmp_path / "none.csv")], capture_output=True, text=True, check=False
    )
    assert none.returncode == 2
    assert "no such file or folder" in none.stderr
