"""A split runs in a process of its own, leaks nothing across its sides, and is found again."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest

from seedbed.core.errors import SourceError, StoreError
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.grouping import Shares
from seedbed.sources.readers import read_rows
from seedbed.sources.records import load_real
from seedbed.sources.spec import SourceSpec
from seedbed.sources.split import SplitFiles, split_source
from seedbed.text.normalise import normalise

HALF: Shares = {"dev": 0.2, "eval": 0.4}
COLOURS = ("red", "green", "blue", "grey", "black", "white", "brown")
NOUNS = ("kite", "boat", "lamp", "drum", "clock", "spoon", "ladder", "pillow", "engine")


@pytest.fixture
def source(tmp_path: Path) -> SourceSpec:
    """126 rows in 63 pairs: the second of a pair differs in case and punctuation alone."""
    path = tmp_path / "toys.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "shop"])
        for colour in COLOURS:
            for noun in NOUNS:
                writer.writerow([f"I want the {colour} {noun} in the window", noun, f"{colour} house"])
                writer.writerow([f"I WANT the {colour} {noun}, in the window!", noun, f"{colour} house"])
    return SourceSpec("toys", path, compare=("text",))


def texts(spec: SourceSpec) -> list[str]:
    return [row.values["text"] for row in read_rows(spec)]


def whole(spec: SourceSpec, files: SplitFiles) -> dict[str, list[str]]:
    return {side: texts(files.source(spec, side)) for side in ("train", "dev", "eval")}


def test_sides_hold_every_row_once_and_no_text_twice(source: SourceSpec, tmp_path: Path) -> None:
    files = split_source(source, HALF, 3, tmp_path / "split")
    sides = whole(source, files)
    assert sorted(text for side in sides.values() for text in side) == sorted(texts(source))
    assert {side: len(rows) for side, rows in sides.items()} == files.counts
    norms = [{normalise(text) for text in side} for side in sides.values()]
    assert not norms[0] & norms[1] | norms[0] & norms[2] | norms[1] & norms[2]


def test_records_of_a_side_have_the_ids_of_the_whole_source(source: SourceSpec, tmp_path: Path) -> None:
    files = split_source(source, HALF, 3, tmp_path / "split")
    ids = {record.id for record in load_real(source, ["text", "label"])}
    sides = [load_real(files.source(source, side), ["text", "label"]) for side in ("train", "dev", "eval")]
    assert {record.id for side in sides for record in side} == ids


def test_equal_group_values_stay_together(source: SourceSpec, tmp_path: Path) -> None:
    grouped = SourceSpec("toys", source.path, compare=("text",), group="shop")
    files = split_source(grouped, {"eval": 0.4}, 3, tmp_path / "split")
    shops = [
        {row.values["shop"] for row in read_rows(files.source(source, side))} for side in ("train", "eval")
    ]
    assert shops[0] | shops[1] == {f"{colour} house" for colour in COLOURS}
    assert not shops[0] & shops[1]


def test_what_follows_the_marker_does_not_keep_items_apart(tmp_path: Path) -> None:
    path = tmp_path / "items.jsonl"
    questions = [f"What does the {colour} {noun} cost?" for colour in COLOURS for noun in NOUNS]
    lines = [
        {"text": f"{question}\nAnswers:\n{filler}"}
        for question in questions
        for filler in ("a) a great deal of money, I fear, more than you think", "a) nothing at all")
    ]
    path.write_bytes(b"".join(orjson.dumps(line) + b"\n" for line in lines))
    spec = SourceSpec("items", path, compare=("text",), ignore_after="Answers:")
    files = split_source(spec, {"eval": 0.5}, 0, tmp_path / "split")
    asked = [
        {text.partition("\n")[0] for text in texts(files.source(spec, side))} for side in ("train", "eval")
    ]
    assert asked[0] | asked[1] == set(questions)
    assert not asked[0] & asked[1]


def test_eval_rows_carry_a_canary_that_content_decides(source: SourceSpec, tmp_path: Path) -> None:
    found = []
    for folder in ("one", "two"):
        files = split_source(source, HALF, 3, tmp_path / folder)
        assert files.eval_path is not None
        found.append(files.eval_path.read_bytes())
        canaries = [orjson.loads(line)["seedbed_canary"] for line in found[-1].splitlines()]
        assert len({canary.rpartition("-")[0] for canary in canaries}) == 1
        assert [int(canary.rpartition("-")[2]) for canary in canaries] == list(range(files.counts["eval"]))
        assert canaries[0].encode() not in files.train.read_bytes()
    assert found[0] == found[1]
    other = split_source(source, HALF, 4, tmp_path / "other")
    assert other.eval_path is not None
    assert found[0].splitlines()[0].rpartition(b"-")[0] not in other.eval_path.read_bytes()


def test_an_unchanged_request_touches_no_file(source: SourceSpec, tmp_path: Path) -> None:
    files = split_source(source, HALF, 3, tmp_path / "split")
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "split").iterdir()}
    assert split_source(source, HALF, 3, tmp_path / "split") == files
    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "split").iterdir()} == before
    assert {path.name for path in before} == {"train.jsonl", "dev.jsonl", "eval.jsonl", "split.json"}


def test_a_missing_file_is_written_again_and_a_changed_one_refused(
    source: SourceSpec, tmp_path: Path
) -> None:
    files = split_source(source, HALF, 3, tmp_path / "split")
    content = files.train.read_bytes()
    files.train.unlink()
    split_source(source, HALF, 3, tmp_path / "split")
    assert files.train.read_bytes() == content
    assert files.eval_path is not None
    files.eval_path.write_bytes(files.eval_path.read_bytes().replace(b"I", b"J", 1))
    with pytest.raises(SourceError, match=r"eval\.jsonl: changed since the split wrote it"):
        split_source(source, HALF, 3, tmp_path / "split")


def test_one_more_row_moves_no_other(source: SourceSpec, tmp_path: Path) -> None:
    before = whole(source, split_source(source, HALF, 3, tmp_path / "split"))
    with source.path.open("a") as file:
        file.write("Something else altogether is asked here,other,none\n")
    after = whole(source, split_source(source, HALF, 3, tmp_path / "split"))
    new = {side: set(after[side]) - set(before[side]) for side in before}
    assert sorted(map(len, new.values())) == [0, 0, 1]
    assert all(set(before[side]) <= set(after[side]) for side in before)


def test_without_an_eval_share_there_is_no_eval_file(source: SourceSpec, tmp_path: Path) -> None:
    files = split_source(source, {"dev": 0.3}, 3, tmp_path / "split")
    assert files.eval_path is None
    assert not (tmp_path / "split" / "eval.jsonl").exists()
    with pytest.raises(ValueError, match="no eval side"):
        files.source(source, "eval")


def test_problems_cross_the_border_with_file_and_line_and_without_text(
    source: SourceSpec, tmp_path: Path
) -> None:
    source.path.write_bytes(
        b"text,label\nthe unmistakable walrus,a\nthe unmistakable \xff walrus,a\nwalrus\n"
    )
    with pytest.raises(SourceError) as caught:
        split_source(source, HALF, 3, tmp_path / "split")
    first, second = caught.value.problems
    assert (first.file, first.line, second.line) == (str(source.path), 3, 4)
    assert "walrus" not in str(caught.value)
    assert list((tmp_path / "split").iterdir()) == []


@pytest.mark.parametrize("shares", [{"dev": 0.5, "eval": 0.5}, {"eval": 1.2}, {"dev": -0.1}])
def test_shares_that_leave_nothing_are_refused(source: SourceSpec, tmp_path: Path, shares: Shares) -> None:
    with pytest.raises(SourceError, match="leave nothing to train on"):
        split_source(source, shares, 0, tmp_path / "split")


def test_a_side_without_a_row_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "same.csv"
    path.write_text("text\n" + "always the same\n" * 9)
    with pytest.raises(SourceError, match="9 rows fall into 1 groups of near-duplicates"):
        split_source(SourceSpec("same", path, compare=("text",)), HALF, 0, tmp_path / "split")


def test_a_source_that_is_not_there(tmp_path: Path) -> None:
    spec = SourceSpec("none", tmp_path / "none.csv", compare=("text",))
    with pytest.raises(SourceError, match=r"none\.csv: cannot be read: no such file"):
        split_source(spec, HALF, 0, tmp_path / "split")
    with pytest.raises(SourceError, match="needs `compare`"):
        split_source(SourceSpec("none", spec.path), HALF, 0, tmp_path / "split")


def test_an_own_error_keeps_its_kind_and_message(source: SourceSpec, tmp_path: Path) -> None:
    (tmp_path / "split").mkdir()
    (tmp_path / "split" / "train.jsonl.tmp").mkdir()
    with pytest.raises(StoreError, match=r"train\.jsonl: cannot be written"):
        split_source(source, HALF, 3, tmp_path / "split")


def test_compared_columns_that_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("prompt,context\n" + "".join(f"{word} it,\n" for word in (*NOUNS, *COLOURS)))
    spec = SourceSpec("a", path, columns={"instruction": "prompt"}, compare=("instruction", "context"))
    with pytest.raises(SourceError, match="'context' is empty"):
        split_source(spec, HALF, 3, tmp_path / "split")
    files = split_source(spec, HALF, 3, tmp_path / "split", may_be_empty=["context"])
    with pytest.raises(SourceError, match="'context' is empty"):
        EvalLockServer.start(files.source(spec, "eval"))
    with EvalLockServer.start(files.source(spec, "eval"), may_be_empty=["context"]) as lock:
        assert lock.info.rows == files.counts["eval"]


def test_a_folder_of_texts_is_split_too(tmp_path: Path) -> None:
    for noun in NOUNS:
        folder = tmp_path / "texts" / noun
        folder.mkdir(parents=True)
        for colour in COLOURS:
            (folder / f"{colour}.txt").write_text(f"A text about a {colour} {noun}, {colour} as can be.")
    spec = SourceSpec("texts", tmp_path / "texts", compare=("text",))
    files = split_source(spec, {"eval": 0.5}, 0, tmp_path / "split")
    ids = {record.id for record in load_real(spec, ["text", "label"])}
    assert {record.id for record in load_real(files.source(spec, "train"), ["text", "label"])} < ids
    assert files.counts["train"] + files.counts["eval"] == len(ids)
