"""One hash for a source, by which the eval lock and the evaluator know that it is still the same."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from seedbed.core.errors import SourceError
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.source_hash import source_hash
from seedbed.sources.spec import SourceSpec


def test_a_file_has_the_hash_that_other_tools_give_and_the_lock_keeps(tmp_path: Path) -> None:
    path = tmp_path / "eval.csv"
    path.write_text("text\nWhere is it?\n")
    spec = SourceSpec("eval", path)
    assert source_hash(spec) == hashlib.sha256(path.read_bytes()).hexdigest()
    with EvalLockServer.start(spec) as lock:
        assert lock.info.sha256 == source_hash(spec)


def test_of_a_folder_every_text_and_its_name_count_and_hidden_files_do_not(tmp_path: Path) -> None:
    spec = SourceSpec("eval", tmp_path)
    for name in ("b.txt", "a.txt"):
        (tmp_path / name).write_text(f"text of {name}")
    whole = source_hash(spec)
    with EvalLockServer.start(spec) as lock:
        assert lock.info.sha256 == whole
    (tmp_path / ".hidden").write_text("not a row")
    assert source_hash(spec) == whole
    (tmp_path / "b.txt").rename(tmp_path / "c.txt")
    renamed = source_hash(spec)
    (tmp_path / "c.txt").write_text("text of c.txt")
    changed = source_hash(spec)
    (tmp_path / "c.txt").unlink()
    assert len({whole, renamed, changed, source_hash(spec)}) == 4


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=r"none\.csv: cannot be read: no such file"):
        source_hash(SourceSpec("eval", tmp_path / "none.csv"))
