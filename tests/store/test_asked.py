"""The contents that a run asked about: noted before the question, whole after a crash."""

from __future__ import annotations

from pathlib import Path

import pytest

from seedbed.core.errors import StoreError
from seedbed.store.asked import AskedContents

ONE, TWO, THREE = (bytes([n]) * 16 for n in (1, 2, 3))


def test_it_only_grows_and_holds_each_once(tmp_path: Path) -> None:
    path = tmp_path / "asked.bin"
    assert AskedContents(path).read() == set()
    AskedContents(path).note([ONE, TWO, ONE])
    asked = AskedContents(path)
    asked.note([TWO, THREE])
    asked.note([THREE])
    assert asked.read() == {ONE, TWO, THREE}
    assert path.stat().st_size == 48


def test_a_torn_end_is_taken_for_not_written(tmp_path: Path) -> None:
    path = tmp_path / "asked.bin"
    path.write_bytes(ONE + TWO[:7])
    asked = AskedContents(path)
    assert asked.read() == {ONE}
    asked.note([TWO])
    assert path.read_bytes() == ONE + TWO


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=tmp_path.name):
        AskedContents(tmp_path).read()
