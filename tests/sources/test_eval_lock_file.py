"""`eval.lock.json` binds a run to one eval set and counts its openings."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from pathlib import Path

import orjson
import pytest

from seedbed.core.errors import EvalLockError
from seedbed.sources.eval_lock import EvalInfo
from seedbed.sources.eval_lock_file import EvalLockFile

INFO = EvalInfo("data/test.csv", "ab" * 32, 120, ("text",), None, None)


def test_created_once_then_verified(tmp_path: Path) -> None:
    path = tmp_path / "eval.lock.json"
    created = EvalLockFile.create_or_verify(path, INFO)
    content = path.read_bytes()
    assert EvalLockFile.create_or_verify(path, INFO) == created
    assert path.read_bytes() == content
    value = orjson.loads(content)
    assert value["sha256"] == INFO.sha256
    assert (value["rows"], value["compare"], value["openings"]) == (120, ["text"], [])
    assert datetime.fromisoformat(value["created"]).utcoffset() is not None


@pytest.mark.parametrize(
    ("canary", "remedy"),
    [(None, "restore the file, or give"), ("seedbed-canary", "put the split and its source back, or give")],
)
def test_another_file_is_refused(tmp_path: Path, canary: str | None, remedy: str) -> None:
    path = tmp_path / "eval.lock.json"
    info = replace(INFO, canary=canary)
    lock = EvalLockFile.create_or_verify(path, info)
    content = path.read_bytes()
    with pytest.raises(EvalLockError) as caught:
        EvalLockFile.create_or_verify(path, replace(info, sha256="cd" * 32))
    assert path.read_bytes() == content
    assert caught.value.exit_code == 2
    assert str(caught.value).startswith(
        f"data/test.csv: the eval file changed since it was locked on {lock.created}"
    )
    assert str(caught.value).endswith(f"{remedy} the recipe another name (a run folder belongs to one eval)")


def test_what_is_compared_may_change_and_the_lock_tells_the_newest(tmp_path: Path) -> None:
    path = tmp_path / "eval.lock.json"
    EvalLockFile.create_or_verify(path, INFO).record_opening("check", "run")
    EvalLockFile.create_or_verify(path, replace(INFO, ignore_after="Options:"))
    lock = EvalLockFile.read(path)
    assert lock.ignore_after == "Options:"
    assert len(lock.openings) == 1


def test_openings_add_up_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "eval.lock.json"
    EvalLockFile.create_or_verify(path, INFO).record_opening("check", "run tickets")
    EvalLockFile.create_or_verify(path, INFO).record_opening("evaluate", "run tickets")
    openings = EvalLockFile.read(path).openings
    assert [(opening.purpose, opening.by) for opening in openings] == [
        ("check", "run tickets"),
        ("evaluate", "run tickets"),
    ]
    assert all(opening.at.endswith("Z") for opening in openings)
    assert [entry.name for entry in tmp_path.iterdir()] == ["eval.lock.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"sha256": "x", "openings": []}'])
def test_a_damaged_lock_is_refused_not_replaced(tmp_path: Path, content: str) -> None:
    path = tmp_path / "eval.lock.json"
    path.write_text(content)
    with pytest.raises(EvalLockError, match=r"eval\.lock\.json: not an eval lock"):
        EvalLockFile.create_or_verify(path, INFO)
    assert path.read_text() == content
