"""M-IFEval: responses to prompts with checkable instructions, and what its strict check said of each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.evidence.datasets import data, read_jsonl

MODELS = ("Qwen__Qwen2.5-0.5B-Instruct-GPTQ-Int4", "claude-3-haiku-20240307")


@dataclass(frozen=True)
class Checked:
    """One instruction of one response; `followed` is the recorded result."""

    key: str
    instruction: str
    kwargs: Mapping[str, Any]
    response: str
    followed: bool


def checked() -> Iterator[Checked]:
    """Every instruction of every response. Raises DataMissing."""
    asked = {row["prompt"]: row for row in read_jsonl(data("mifeval") / "data" / "en_input_data.jsonl")}
    for model in MODELS:
        folder = data("mifeval") / "evaluations" / f"en_input_response_data_{model}"
        for at, row in enumerate(read_jsonl(folder / "eval_results_strict.jsonl")):
            kwargs = asked[row["prompt"]]["kwargs"]
            names, results = row["instruction_id_list"], row["follow_instruction_list"]
            for number, (name, given, followed) in enumerate(zip(names, kwargs, results, strict=True)):
                yield Checked(
                    f"{model}-{at}-{number}", name.removeprefix("en:"), given, row["response"], followed
                )
