"""Reading a source: streaming rows, stable keys, and every problem of a file in one error."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import SourceError
from seedbed.sources.readers import Row, longest_text_column, read_rows
from seedbed.sources.spec import SourceSpec


def rows_of(path: Path, *text_columns: str, **options: Any) -> list[Row]:
    may_be_empty = options.pop("may_be_empty", ())
    return list(
        read_rows(SourceSpec("seeds", path, **options), text_columns=text_columns, may_be_empty=may_be_empty)
    )


def problems_of(path: Path, *text_columns: str, **options: Any) -> list[str]:
    """The problems as `line: message`, without the file's name, which each must begin with."""
    with pytest.raises(SourceError) as caught:
        rows_of(path, *text_columns, **options)
    texts = [str(problem) for problem in caught.value.problems]
    assert all(text.startswith(str(path)) for text in texts)
    return [text.removeprefix(str(path)).lstrip(": ") for text in texts]


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


class TestCsv:
    def test_rows_carry_index_values_and_the_line_they_start_at(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", '\ufefftext,label\r\n"two\r\nlines, one row",x\r\n\r\nplain,y\r\n')
        rows = rows_of(path, "text", "label")
        assert [(row.index, row.line, dict(row.values)) for row in rows] == [
            (0, 2, {"text": "two\r\nlines, one row", "label": "x"}),
            (1, 5, {"text": "plain", "label": "y"}),
        ]

    def test_all_problems_come_together_with_their_lines(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "a.csv",
            b'text,label\ngood,x\nonly one\nbad \xff byte,x\n"a"b,x\n'
            b'nul\0,x\n  ,x\n"never closed,x\nmore,x\n',
        )
        found = problems_of(path, "text", "label")
        assert [text.split(":")[0] for text in found] == ["3", "4", "5", "6", "7", "8"]
        assert "this row has 1 fields, the header has 2" in found[0]
        assert "byte 5 (0xFF) is not UTF-8; save the file as UTF-8" in found[1]
        assert "double each quote" in found[2]
        assert "NUL" in found[3]
        assert "'text' is empty" in found[4]
        assert "never closed" in found[5]

    def test_stops_at_twenty_problems_and_says_so(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "text,label\n" + "short\n" * 500)
        found = problems_of(path, "text")
        assert len(found) == 21
        assert "reading stopped here" in found[-1]

    def test_header_problems_come_together(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "text,,text\na,b,c\n")
        found = problems_of(path, "label")
        assert "no name for column 2" in found[0]
        assert "columns 1, 3 have the same name" in found[1]
        assert "no column 'label'" in found[2]

    def test_wrong_column_names_the_nearest_and_all(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "message,category\na,b\n")
        (found,) = problems_of(path, "mesage")
        assert found == "1: no column 'mesage'; there are: message, category; did you mean 'message'?"

    def test_a_wrong_hint_is_not_given(self, tmp_path: Path) -> None:
        (found,) = problems_of(written(tmp_path, "a.csv", "context,note\na,b\n"), "text")
        assert found == "1: no column 'text'; there are: context, note"

    @pytest.mark.parametrize("columns", [("text", "label"), ()])
    @pytest.mark.parametrize(
        ("header", "separator"),
        [
            ("text;label", "';'"),
            ("\ufefftext;label", "';'"),
            ('"text";"label"', "';'"),
            ("Full text;Label (old)", "';'"),
            ("text\tlabel", "a tab"),
        ],
    )
    def test_another_separator_is_named(
        self, tmp_path: Path, header: str, separator: str, columns: tuple[str, ...]
    ) -> None:
        other = "\t" if separator == "a tab" else ";"
        path = written(tmp_path, "a.csv", f"{header}\r\nwhere, please{other}x\r\n")
        assert problems_of(path, *columns) == [f"1: separated by {separator}: save it with commas"]

    def test_a_separator_within_a_cell_is_none(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "text,a;b\nx,y\n")
        assert rows_of(path, "text", "a;b")[0].values == {"text": "x", "a;b": "y"}
        path = written(tmp_path, "b.csv", "text;label\nx\n")
        assert rows_of(path, "text;label")[0].values == {"text;label": "x"}
        path = written(tmp_path, "c.csv", "Where is it?; tell me at once\nx\n")
        assert "has the file a header line?" in problems_of(path, "text")[0]

    def test_a_missing_header_line_is_not_quoted(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "where is my card please,card_arrival\na b c,card_arrival\n")
        (found,) = problems_of(path, "text")
        assert "where is my card" not in found
        assert "has the file a header line?" in found

    @pytest.mark.parametrize("content", ["", "\ufeff", "text,label\n", "\n\n"])
    def test_no_rows(self, tmp_path: Path, content: str) -> None:
        (found,) = problems_of(written(tmp_path, "a.csv", content), "text")
        assert found.startswith("no rows; a CSV file needs a header line")

    def test_a_field_of_a_megabyte_is_read(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.csv", "text\n" + "x" * 1_000_000 + "\n")
        assert len(rows_of(path, "text")[0].values["text"]) == 1_000_000

    def test_old_mac_line_ends_are_named(self, tmp_path: Path) -> None:
        (found,) = problems_of(written(tmp_path, "a.csv", "text,label\ra,b\rc,d\r"), "text")
        assert "carriage return" in found

    @given(
        st.lists(
            st.lists(
                st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
                min_size=2,
                max_size=2,
            ),
            min_size=1,
        )
    )
    def test_reads_what_a_csv_writer_wrote(
        self, tmp_path_factory: pytest.TempPathFactory, cells: list[list[str]]
    ) -> None:
        buffer = io.StringIO(newline="")
        writer = csv.writer(buffer, quoting=csv.QUOTE_ALL)
        writer.writerows([["one", "two"], *cells])
        path = written(tmp_path_factory.mktemp("csv"), "a.csv", buffer.getvalue())
        assert [[row.values["one"], row.values["two"]] for row in rows_of(path)] == cells


class TestJsonl:
    def test_rows(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.jsonl", '\ufeff{"text": "a", "n": 3}\n\n{"text": "b", "n": [1]}\n')
        rows = rows_of(path, "text")
        assert [(row.index, row.line, row.values["text"]) for row in rows] == [(0, 1, "a"), (1, 3, "b")]

    def test_all_problems_come_together_with_their_lines(self, tmp_path: Path) -> None:
        path = written(
            tmp_path,
            "a.jsonl",
            b'{"text": "fine"}\n{"text": \n[1]\n{"text": 5}\n{"text": null}\n'
            b'{"texte": "a"}\n{"text": "\xe9"}\n{"text": "\\ud800"}\n{"text": NaN}\n',
        )
        found = problems_of(path, "text")
        assert [text.split(":")[0] for text in found] == ["2", "3", "4", "5", "6", "7", "8", "9"]
        assert "not JSON at character" in found[0]
        assert "a list, expected a JSON object" in found[1]
        assert "'text' is a number, expected text; write it in quotes" in found[2]
        assert "'text' is null" in found[3]
        assert "did you mean 'texte'?" in found[4]
        assert "byte 11 (0xE9) is not UTF-8" in found[5]

    def test_deep_nesting_is_a_problem_of_its_line(self, tmp_path: Path) -> None:
        deep = "[" * 1_000 + "]" * 1_000
        path = written(tmp_path, "a.jsonl", f'{{"text": "a"}}\n{{"text": "b", "more": {deep}}}\n')
        (found,) = problems_of(path, "text")
        assert found.startswith("2: ")

    def test_a_wrong_column_is_told_once_not_for_every_row(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.jsonl", '{"question": "a", "answer": "b"}\n' * 30)
        assert len(problems_of(path, "qestion")) == 1

    def test_no_rows(self, tmp_path: Path) -> None:
        (found,) = problems_of(written(tmp_path, "a.jsonl", "\n\n"), "text")
        assert found.startswith("no rows; a JSONL file needs a JSON object on a line")


class TestTextFolder:
    def test_each_file_is_a_row_in_the_order_of_paths(self, tmp_path: Path) -> None:
        for name in ("ham/b.txt", "ham/a.txt", "spam/c.txt", "spam/.hidden", ".git/x.txt"):
            (tmp_path / name).parent.mkdir(exist_ok=True)
            written(tmp_path, name, f"text of {name}")
        assert [dict(row.values) for row in rows_of(tmp_path, "text", "label")] == [
            {"text": "text of ham/a.txt", "file": "ham/a.txt", "label": "ham"},
            {"text": "text of ham/b.txt", "file": "ham/b.txt", "label": "ham"},
            {"text": "text of spam/c.txt", "file": "spam/c.txt", "label": "spam"},
        ]

    def test_problems_name_the_file(self, tmp_path: Path) -> None:
        (tmp_path / "ham").mkdir()
        written(tmp_path, "ham/bad.txt", b"abc\xff")
        written(tmp_path, "ham/empty.txt", "")
        written(tmp_path, "loose.txt", "text")
        found = problems_of(tmp_path, "text", "label")
        assert found[0].startswith("/ham/bad.txt: byte 4 (0xFF) is not UTF-8")
        assert found[1].startswith("/ham/empty.txt: 'text' is empty")
        assert found[2].startswith("/loose.txt: no label")

    def test_no_rows_and_wrong_column(self, tmp_path: Path) -> None:
        assert problems_of(tmp_path, "text")[0].startswith("no rows; the folder needs a text file")
        assert "no column 'body'; there are: text, file, label" in problems_of(tmp_path, "body")[0]

    @pytest.mark.parametrize(
        ("columns", "remedies"),
        [
            (("text", "category"), ["columns: {category: label}"]),
            (("body", "label"), ["columns: {body: text}"]),
            (("body", "category"), ["columns: {INPUT: text, LABEL: label}"] * 2),
        ],
    )
    def test_fields_that_a_folder_calls_otherwise(
        self, tmp_path: Path, columns: tuple[str, ...], remedies: list[str]
    ) -> None:
        found = problems_of(tmp_path, *columns)
        assert [text.partition("; map ")[2].partition(": ")[2] for text in found] == remedies

    def test_where_nothing_is_left_to_map_nothing_is_offered(self, tmp_path: Path) -> None:
        (found,) = problems_of(tmp_path, "text", "label", id="key")
        assert found == "no column 'key'; there are: text, file, label"


class TestKeys:
    def test_content_keys_do_not_depend_on_position_and_count_copies(self, tmp_path: Path) -> None:
        before = [row.key for row in rows_of(written(tmp_path, "a.csv", "t\nx\ny\nx\n"))]
        after = [row.key for row in rows_of(written(tmp_path, "b.csv", "t\nnew\ny\nx\nx\n"))]
        assert len(set(before)) == 3
        assert set(after) >= set(before)

    def test_id_column_is_the_key(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.jsonl", '{"id": 7, "t": "x"}\n{"id": "b", "t": "x"}\n')
        assert [row.key for row in rows_of(path, id="id")] == ["7", "b"]

    def test_ids_that_repeat_or_are_no_ids(self, tmp_path: Path) -> None:
        path = written(tmp_path, "a.jsonl", '{"id": 7}\n{"id": "7"}\n{"id": null}\n{"id": ""}\n{"id": 1.5}\n')
        found = problems_of(path, id="id")
        assert [text.split(":")[0] for text in found] == ["2", "3", "4", "5"]
        assert "the same as in line 1" in found[0]
        assert "is empty" in found[2]

    def test_missing_id_and_group_columns_are_problems(self, tmp_path: Path) -> None:
        found = problems_of(written(tmp_path, "a.csv", "t\nx\n"), id="key", group="author")
        assert ["no column 'key'" in found[0], "no column 'author'" in found[1]] == [True, True]


def test_paths_that_cannot_be_read(tmp_path: Path) -> None:
    assert "cannot be read: no such file" in problems_of(tmp_path / "none.csv")[0]
    assert "is a directory" in problems_of(tmp_path, format="csv")[0]
    assert "cannot tell the format" in problems_of(written(tmp_path, "a.dat", "x"))[0]
    assert "name a folder" in problems_of(written(tmp_path, "a.txt", "x"), format="text")[0]


def test_format_may_be_said_where_the_suffix_says_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, "rows.data", orjson.dumps({"text": "a"}))
    assert rows_of(path, "text", format="jsonl")[0].values == {"text": "a"}


def test_reading_streams(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "text\nfirst\n" + "bad,row\n")
    rows = read_rows(SourceSpec("seeds", path), text_columns=["text"])
    assert next(rows).values == {"text": "first"}
    with pytest.raises(SourceError):
        next(rows)


def test_fields_that_may_be_empty(tmp_path: Path) -> None:
    path = written(tmp_path, "a.csv", "text,context\na,\n")
    assert rows_of(path, "text", "context", may_be_empty=["context"])[0].values["context"] == ""


def test_longest_text_column() -> None:
    rows = [{"label": "short", "text": "much longer text", "n": 12345678901234567890}]
    assert longest_text_column(rows) == "text"
    assert longest_text_column([{"a": "x", "b": "y"}]) == "a"
    with pytest.raises(ValueError, match="no column holds text"):
        longest_text_column([{"a": "x"}, {"a": None}])
