"""GSM8K's test questions with the recorded solutions of four models, each marked right or wrong."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.evidence.datasets import data, read_jsonl, write_jsonl

SET = "gsm8k"


@dataclass(frozen=True, slots=True)
class Solution:
    """What a model answered, whether people called it right, and the solution that people wrote."""

    question: str
    text: str
    right: bool
    reference: str


def questions() -> list[str]:
    """Each question once, in file order."""
    rows = read_jsonl(data(SET) / "grade_school_math" / "data" / "test.jsonl")
    return list(dict.fromkeys(row["question"].strip() for row in rows))


def solutions() -> Iterator[Solution]:
    """Four of each question, in file order."""
    for row in read_jsonl(data(SET) / "grade_school_math" / "data" / "example_model_solutions.jsonl"):
        for answer in row.values():
            if isinstance(answer, dict) and answer["solution"].strip():
                yield Solution(
                    row["question"].strip(), answer["solution"], answer["is_correct"], row["ground_truth"]
                )


def recorded(path: Path) -> Path:
    """The solutions as replies of a recorded teacher, by their question."""
    return write_jsonl(path, ({"prompt": one.question, "reply": one.text} for one in solutions()))
