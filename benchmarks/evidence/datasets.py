"""The public data sets: where they lie, which repository and commit they came from."""

from __future__ import annotations

import csv
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

REPOSITORIES: Mapping[str, str] = {
    "anthropic_evals": "https://github.com/anthropics/evals",
    "banking77": "https://github.com/PolyAI-LDN/task-specific-datasets",
    "clinc150": "https://github.com/clinc/oos-eval",
    "codet": "https://github.com/microsoft/CodeT",
    "gsm8k": "https://github.com/openai/grade-school-math",
    "llmbar": "https://github.com/princeton-nlp/LLMBar",
}


class DataMissing(Exception):
    """A data set is not where it should be."""


def data(name: str) -> Path:
    """The folder of a set. Raises DataMissing with the place that was looked at."""
    base = Path(os.environ.get("SEEDBED_REAL_DATA") or ROOT.parent / "shared" / "data")
    if not (base / name).is_dir():
        raise DataMissing(f"{name} is not at {base}; set SEEDBED_REAL_DATA to the folder of the data sets")
    return (base / name).resolve()


def commit(name: str) -> str:
    """The commit that a set was taken from, as its SOURCE_COMMIT has it."""
    return (data(name) / "SOURCE_COMMIT").read_text(encoding="utf-8").split()[0]


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    with path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.strip()]


def read_rows(path: Path) -> list[dict[str, Any]]:
    """The rows of a JSONL or a CSV file."""
    if path.suffix == ".jsonl":
        return read_jsonl(path)
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def write_jsonl(path: Path, rows: Iterable[Mapping[str, Any]]) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row) + "\n" for row in rows)
    return path
