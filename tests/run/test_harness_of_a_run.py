"""A run's eval, wherever its rows lie, as the files that a harness task names."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from seedbed.core.errors import InputError
from seedbed.run.harness import write_for
from seedbed.run.loading import load_bound
from tests.tasks.kinds import EXAMPLES, write_rows


def test_the_files_of_a_glob_and_the_columns_of_its_source_are_named(tmp_path: Path) -> None:
    example = EXAMPLES["classification"]
    (tmp_path / "held").mkdir()
    for name, text in (("a", "My lamp came broken."), ("b", "Why was I charged?")):
        write_rows(tmp_path / "held" / f"{name}.jsonl", [{"text": text, "desk": "billing"}])
    locked = {"path": "held/*.jsonl", "lock": True, "columns": {"team": "desk"}}
    example.write(tmp_path, sources={"real": {"path": "real.jsonl"}, "eval": locked})
    path, rows = write_for(load_bound(tmp_path, ()), "lm-eval", tmp_path / "out")
    text = path.read_text("utf-8")
    for name in ("a", "b"):
        assert f'      - "{tmp_path / "held" / name}.jsonl"\n' in text
    code = runpy.run_path(str(rows))
    assert code["answer"]({"text": "t", "desk": "billing"}) == "billing"
    assert "broken" not in text + rows.read_text("utf-8")


def test_an_eval_that_was_split_off_is_the_file_that_the_split_wrote(tmp_path: Path) -> None:
    rows = [
        {"text": f"Ticket {at} about {topic} number {at * 7}", "team": topic}
        for at, topic in enumerate(("billing", "delivery") * 30)
    ]
    example = EXAMPLES["classification"]
    example.write(tmp_path, sources={"real": {"path": "real.jsonl", "split": {"eval": 0.3}}})
    write_rows(tmp_path / "real.jsonl", rows)
    bound = load_bound(tmp_path, ())
    (path,) = write_for(bound, "inspect", tmp_path / "out")
    assert bound.eval_spec is not None
    assert str(bound.eval_spec.path.absolute()) in path.read_text("utf-8")


def test_without_an_eval_there_is_nothing_to_write(tmp_path: Path) -> None:
    EXAMPLES["classification"].write(tmp_path, sources={"real": {"path": "real.jsonl"}})
    with pytest.raises(InputError, match="there is no eval; write lock: true"):
        write_for(load_bound(tmp_path, ()), "inspect", tmp_path / "out")
