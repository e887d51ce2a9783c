"""HumanEval's problems with a hundred recorded programs and a hundred recorded blocks of tests each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.evidence.datasets import data, read_jsonl
from seedbed.verify.consensus import assertions

SET = "codet"
_GENERATED = "HumanEval_codegen16B_temp0.8_topp0.95_num100_max300"
# As CodeT takes them: what stands far down in a reply seldom is about the problem.
_ASSERTIONS_A_BLOCK = 5


@dataclass(frozen=True, slots=True)
class CodingProblem:
    """What was asked, the tests of those who asked, and what a model wrote: programs and blocks of tests."""

    name: str
    entry_point: str
    tests: str
    programs: Sequence[str]
    blocks: Sequence[str]

    def assertions(self, blocks: int) -> list[str]:
        """Single assertions from the first so many blocks, each once."""
        found = (
            assertions(f"assert {block}", self.entry_point)[:_ASSERTIONS_A_BLOCK]
            for block in self.blocks[:blocks]
        )
        return list(dict.fromkeys(one for block in found for one in block))


def problems() -> list[CodingProblem]:
    """All, in file order."""
    folder = data(SET) / "CodeT" / "data"
    programs = _samples(folder / "generated_data" / f"{_GENERATED}_code_solution.jsonl")
    blocks = _samples(folder / "generated_data" / f"{_GENERATED}_test_case.jsonl")
    tests = _by(folder / "dataset" / "HumanEval_for_test_case_generation.jsonl", "task_id")
    return [
        CodingProblem(
            row["task_id"],
            row["entry_point"],
            row["test"],
            [row["prompt"] + sample for sample in programs[row["prompt"]]],
            blocks[tests[row["task_id"]]["prompt"]],
        )
        for row in read_jsonl(folder / "dataset" / "HumanEval_for_code_generation.jsonl")
    ]


def _samples(path: Path) -> Mapping[str, Sequence[str]]:
    return {prompt: row["samples"] for prompt, row in _by(path, "prompt").items()}


def _by(path: Path, name: str) -> dict[str, dict[str, Any]]:
    return {row[name]: row for row in read_jsonl(path)}
