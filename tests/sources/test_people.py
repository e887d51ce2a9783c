"""What people say of records, read from their file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import SourceError
from seedbed.sources.people import read_labelled
from seedbed.tasks.classification import Classification
from seedbed.tasks.preference import Preference

TICKETS = Classification.bind(Classification.Options(input="text", label="label"), ["lost", "fee"])
PAIRS = Preference.bind(Preference.Options(chosen="better", rejected="worse"), None)


def write(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


def test_words_and_scores_are_read_and_other_columns_left_alone(tmp_path: Path) -> None:
    rows = [
        {"text": "Where is it?", "label": "lost", "by": "Ann", "human": said} for said in ("accept", 3, "5")
    ]
    found = read_labelled(write(tmp_path / "l.jsonl", *rows), TICKETS)
    assert [each.said for each in found] == ["accept", 3, 5]
    assert found[0].record.fields == {"text": "Where is it?", "label": "lost"}
    assert len({each.record.id for each in found}) == 3


def test_csv_and_a_column_of_another_name(tmp_path: Path) -> None:
    path = tmp_path / "l.csv"
    path.write_text("verdict,label,text\n Reject ,fee,Too much.\n4,lost,Gone.\n")
    assert [each.said for each in read_labelled(path, TICKETS, "verdict")] == ["reject", 4]


def test_of_a_pair_the_better_answer_may_be_named(tmp_path: Path) -> None:
    pair = {"prompt": "Why?", "better": "Because.", "worse": "No."}
    path = write(tmp_path / "l.jsonl", {**pair, "human": "better"}, {**pair, "human": "worse"})
    assert [each.said for each in read_labelled(path, PAIRS)] == ["accept", "reject"]


@pytest.mark.parametrize("said", ["fine", "", 0, 6, 4.5, True, None, "chosen", ["accept"]])
def test_anything_else_is_refused_at_its_line(tmp_path: Path, said: Any) -> None:
    good = {"text": "Where?", "label": "lost", "human": "accept"}
    path = write(tmp_path / "l.jsonl", good, {**good, "human": said})
    with pytest.raises(
        SourceError, match=r"l\.jsonl:2: 'human' must be one of accept, reject, or a whole"
    ) as caught:
        read_labelled(path, TICKETS)
    assert len(caught.value.problems) == 1


def test_a_missing_column_or_field_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "l.jsonl", {"text": "Where?", "label": "lost", "humans": "accept"})
    with pytest.raises(SourceError, match=r"no column 'human'.* did you mean 'humans'"):
        read_labelled(path, TICKETS)
    path = write(tmp_path / "l.jsonl", {"text": "Where?", "human": "accept"})
    with pytest.raises(SourceError, match="label"):
        read_labelled(path, TICKETS)
