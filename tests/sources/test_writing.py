"""What an audit leaves of a file, written beside it and never over what it read."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import InputError
from seedbed.sources.readers import Row, read_rows
from seedbed.sources.spec import SourceSpec
from seedbed.sources.writing import write_without

CSV = 'text,topic\n"Where is it, please?",card\nSend it back,refund\n"two\nlines",late\n'
JSONL = '{"text":"Where is it?","n":1}\n{"text":"Ünï","deep":{"a":[1,null]}}\n'
EVAL = "text\nnever to be written over\n"


def written(path: Path, out: Path, stay: Callable[[int], bool], keep: Sequence[Path] = ()) -> str:
    spec = SourceSpec("file", path)
    rows = list(read_rows(spec))
    write_without(spec, list(rows[0].values), [row for row in rows if stay(row.index)], out, keep=keep)
    return out.read_text(encoding="utf-8")


@pytest.mark.parametrize(("name", "content"), [("a.csv", CSV), ("a.jsonl", JSONL)])
def test_rows_that_all_stay_are_the_same_file(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert written(path, tmp_path / f"all-{name}", lambda row: True) == content
    second = list(read_rows(SourceSpec("file", path)))[1].values
    assert written(path, tmp_path / f"rest-{name}", lambda row: row == 1)
    assert [row.values for row in read_rows(SourceSpec("rest", tmp_path / f"rest-{name}"))] == [second]


cell = st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from("\r\n\",; '"), max_size=8
)


@given(st.lists(st.tuples(cell, cell), min_size=1, max_size=5))
def test_any_text_comes_back_from_csv(values: list[tuple[str, str]]) -> None:
    rows = [Row(index, "", {"text": text, "topic": topic}) for index, (text, topic) in enumerate(values)]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "out.csv"
        write_without(SourceSpec("file", Path("a.csv")), ["text", "topic"], rows, out)
        assert [tuple(row.values.values()) for row in read_rows(SourceSpec("out", out))] == values


def test_a_file_without_a_row_left_keeps_its_header(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text(CSV, encoding="utf-8")
    assert written(path, tmp_path / "out.csv", lambda row: False) == "text,topic\n"
    path = tmp_path / "a.jsonl"
    path.write_text(JSONL, encoding="utf-8")
    assert written(path, tmp_path / "out.jsonl", lambda row: False) == ""


@pytest.mark.parametrize(
    ("name", "content", "out", "ending"),
    [
        ("a.csv", CSV, "out.jsonl", ".csv"),
        ("a.csv", CSV, "out", ".csv"),
        ("a.jsonl", JSONL, "out.csv", ".jsonl or .ndjson"),
    ],
)
def test_a_name_of_another_format_is_refused(
    tmp_path: Path, name: str, content: str, out: str, ending: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError, match=f"{out}: .*name a file that ends in {ending}$"):
        written(path, tmp_path / out, lambda row: True)
    assert [entry.name for entry in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize(
    ("name", "content", "out"), [("a.jsonl", JSONL, "out.ndjson"), ("a.CSV", CSV, "out.csv")]
)
def test_every_suffix_of_the_format_is_accepted(tmp_path: Path, name: str, content: str, out: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert written(path, tmp_path / out, lambda row: True) == content


def itself(path: Path) -> Path:
    return path


def symlink(path: Path) -> Path:
    link = path.with_name("symlink")
    link.symlink_to(path)
    return link


def hard_link(path: Path) -> Path:
    link = path.with_name("hard-link")
    os.link(path, link)
    return link


def through_a_linked_folder(path: Path) -> Path:
    link = path.parent.with_name("linked-folder")
    link.symlink_to(path.parent)
    return link / "elsewhere" / ".." / path.name


@pytest.mark.parametrize("alias", [itself, symlink, hard_link, through_a_linked_folder])
@pytest.mark.parametrize("target", ["audited", "kept"])
def test_what_was_read_is_not_written_over(
    tmp_path: Path, target: str, alias: Callable[[Path], Path]
) -> None:
    folder = tmp_path / "data"
    (folder / "elsewhere").mkdir(parents=True)
    audited, kept = folder / "train.csv", folder / "test.csv"
    audited.write_text(CSV, encoding="utf-8")
    kept.write_text(EVAL, encoding="utf-8")
    out = alias(audited if target == "audited" else kept)
    words = "the audited file itself" if target == "audited" else f"{kept}, which is only read"
    with pytest.raises(InputError, match="name another file to write") as caught:
        written(audited, out, lambda row: row == 1, keep=[tmp_path / "not there", kept])
    assert str(out) in str(caught.value)
    assert words in str(caught.value)
    assert (audited.read_text(encoding="utf-8"), kept.read_text(encoding="utf-8")) == (CSV, EVAL)


def test_nothing_is_written_into_a_kept_folder_of_texts(tmp_path: Path) -> None:
    audited, kept = tmp_path / "train.csv", tmp_path / "texts"
    audited.write_text(CSV, encoding="utf-8")
    (kept / "deep").mkdir(parents=True)
    with pytest.raises(InputError, match="lies in"):
        written(audited, kept / "deep" / "new.csv", lambda row: True, keep=[kept])
    assert not list((kept / "deep").iterdir())
    assert written(audited, tmp_path / "texts.csv", lambda row: True, keep=[kept]) == CSV


def test_a_folder_of_texts_is_not_written_as_a_file(tmp_path: Path) -> None:
    (tmp_path / "texts").mkdir()
    (tmp_path / "texts" / "a.txt").write_text("one")
    with pytest.raises(InputError, match="cannot be written as one file"):
        written(tmp_path / "texts", tmp_path / "out", lambda row: True)
    assert not (tmp_path / "out").exists()
