"""The eval as a task for other harnesses: Inspect, and the Language Model Evaluation Harness.

What is written names the user's eval file by its path and holds no text of it. The rows are read by the
harness, whose own logs will hold them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias

from seedbed.core.errors import InputError
from seedbed.core.field_text import as_json
from seedbed.core.protocols import Task
from seedbed.publish import harness_parts as parts
from seedbed.publish.whole_file import whole_file
from seedbed.tasks.fields import labels_of

Harness: TypeAlias = Literal["inspect", "lm-eval"]
FileFormat: TypeAlias = Literal["csv", "jsonl", "parquet"]

SECONDS = 30
"""That a program and its tests may take in Inspect's sandbox."""
_MOST_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class EvalFile:
    """The eval's files, absolute and of one format; `columns` has the column of a field where they differ."""

    files: tuple[Path, ...]
    format: FileFormat
    columns: Mapping[str, str]

    def column(self, field: str) -> str:
        return self.columns.get(field, field)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a task asks and how it is scored. `metric` is that of the code in `score`, "" for the harness's.

    `constants` stand at the head of the written code.
    """

    constants: Mapping[str, Any]
    instruction: str = ""
    rows: str = parts.ROWS
    score: str = ""
    metric: str = ""
    labels: tuple[str, ...] = ()


def write_harness(kind: Harness, name: str, task: Task, eval_file: EvalFile, out: Path) -> list[Path]:
    """Write the task `name` into the folder `out`; the paths of what was written, the task itself first.

    Raises InputError where the harness cannot do what the task or its eval needs.
    """
    plan, own = _plan(task, eval_file), _identifier(name)
    if kind == "inspect":
        path = out / f"{own}.py"
        _write(path, _inspect(own, task, plan, eval_file))
        return [path]
    rows = out / f"{own}_rows.py"
    text = _lm_eval(own, task, plan, eval_file)
    _write(rows, _rows_module(plan))
    _write(out / f"{own}.yaml", text)
    return [out / f"{own}.yaml", rows]


def _plan(task: Task, eval_file: EvalFile) -> _Plan:
    labels = _labels(task)
    if task.kind == "conversation":
        return _Plan({"TURNS": eval_file.column(task.fields[0])}, rows=parts.CONVERSATION_ROWS)
    if task.label_field is not None:
        listed = "\n".join(f"- {label}" for label in labels)
        instruction = f"Answer with the label of the text alone, and nothing else. The labels are:\n{listed}"
        return _Plan(
            _constants(eval_file, task.text_fields, [task.label_field], between="\n"),
            instruction,
            labels=labels,
        )
    if task.kind == "math":
        instruction = "Work the problem out. End with a line of its own: #### and the final answer."
        constants = _constants(eval_file, task.fields[:1], task.fields[-1:])
        return _Plan(constants, instruction, score=parts.MATH, metric="answer_match")
    if task.kind == "code":
        if len(task.fields) == 3:
            instruction = "Answer with the program alone, in one fenced block."
            constants = _constants(eval_file, task.fields[:1], task.fields[1:2])
            tests = {"TESTS": eval_file.column(task.fields[2]), "SECONDS": SECONDS}
            return _Plan({**constants, **tests}, instruction, metric="tests_passed")
        return _Plan(_constants(eval_file, task.fields[:1], task.fields[1:2]))
    if task.kind == "translation":
        source, target = task.prompt_values["source_language"], task.prompt_values["target_language"]
        before = f"Translate from {source} to {target}:\n\n"
        return _Plan(_constants(eval_file, task.fields[:1], task.fields[1:], before=before))
    if task.kind == "preference":
        # A model is asked for an answer, not for a pair: what should come is the better one.
        return _Plan(_constants(eval_file, task.fields[:1], task.fields[1:2]))
    answered = [field for field in task.real_columns if field not in task.asked_fields]
    if task.kind == "extraction" or len(answered) > 1:
        schema = (
            task.prompt_values["schema"]
            if task.kind == "extraction"
            else as_json(task.schema(task.compare_fields))
        )
        instruction = f"Answer with one JSON value and nothing else. It keeps this JSON Schema:\n{schema}"
        constants = _constants(eval_file, task.asked_fields, answered)
        return _Plan(constants, instruction, score=parts.RECORD, metric="record_match")
    return _Plan(_constants(eval_file, task.asked_fields, answered))


def _constants(
    eval_file: EvalFile,
    asked: Sequence[str],
    answered: Sequence[str],
    *,
    before: str = "",
    between: str = "\n\n",
) -> dict[str, Any]:
    return {
        "BEFORE": before,
        "BETWEEN": between,
        "ASKED": [eval_file.column(field) for field in asked],
        "ANSWER": {field: eval_file.column(field) for field in answered},
    }


def _labels(task: Task) -> tuple[str, ...]:
    labels = labels_of(task)
    if task.label_field is not None and not labels:
        raise InputError(f"a harness must know the labels of {task.label_field}; list them: labels: [a, b]")
    return labels


def _inspect(name: str, task: Task, plan: _Plan, eval_file: EvalFile) -> str:
    if eval_file.format == "parquet":
        raise InputError(
            f"{eval_file.files[0]}: Inspect reads CSV and JSONL; save the eval as one of these, or take "
            "--harness lm-eval"
        )
    reader = {"csv": "csv_dataset", "jsonl": "json_dataset"}[eval_file.format]
    more, scorers = "", "[f1(), exact()]"
    imports = ["Score", "mean", "scorer", "stderr"]
    samples = parts.INSPECT_CONVERSATIONS if task.kind == "conversation" else parts.INSPECT_SAMPLES
    if plan.metric == "tests_passed":
        samples, scorers, more = parts.INSPECT_PROGRAMS, "tests_passed()", ', sandbox="docker"'
        imports = ["CORRECT", "INCORRECT", "Score", "accuracy", "scorer", "stderr"]
    elif plan.score:
        samples += "\n" + parts.INSPECT_SCORE.format(metric=plan.metric)
        scorers = f"{plan.metric}()"
    elif plan.labels:
        scorers, imports = "exact()", ["exact"]
    else:
        imports = ["exact", "f1"]
    said = ["ChatMessageAssistant"] if task.kind == "conversation" else []
    chat = ", ".join(sorted({"ChatMessageSystem", "ChatMessageUser", *said}))
    head = [
        *_imports(plan, samples),
        "",
        "from inspect_ai import Task, task",
        f"from inspect_ai.dataset import MemoryDataset, Sample, {reader}",
        f"from inspect_ai.model import {chat}",
        f"from inspect_ai.scorer import {', '.join(imports)}",
        "from inspect_ai.solver import generate",
        *(["from inspect_ai.util import sandbox"] if more else []),
    ]
    constants = {
        "FILES": [str(file) for file in eval_file.files],
        **plan.constants,
        "INSTRUCTION": plan.instruction,
    }
    made = parts.INSPECT_TASK.format(name=name, reader=reader, scorer=scorers, more=more)
    about = f'"""The eval as a task for Inspect: `inspect eval {name}.py --model …`. Written by Seedbed."""'
    return _module(about, head, constants, [plan.rows, plan.score, samples, made])


def _rows_module(plan: _Plan) -> str:
    about = '"""What the rows ask and what should come, for the YAML beside this file. Written by Seedbed."""'
    constants = {**plan.constants, **({"METRIC": plan.metric} if plan.score else {})}
    code = [plan.rows, plan.score, parts.PROCESS_RESULTS if plan.score else ""]
    return _module(about, _imports(plan, ""), constants, code)


def _imports(plan: _Plan, samples: str) -> list[str]:
    code = plan.rows + plan.score + samples
    found = ["import json"] if "json." in code else []
    found += ["import re"] if "re." in code else []
    return [*found, *(["from fractions import Fraction"] if "Fraction" in code else [])]


def _module(about: str, head: Sequence[str], constants: Mapping[str, Any], code: Sequence[str]) -> str:
    said = "\n".join(f"{name} = {value!r}" for name, value in constants.items())
    blocks = [about, "\n".join(head), said]
    return "\n\n".join(blocks) + "\n\n\n" + "\n\n\n".join(part.strip() for part in code if part) + "\n"


def _lm_eval(name: str, task: Task, plan: _Plan, eval_file: EvalFile) -> str:
    if plan.metric == "tests_passed":
        raise InputError(
            "the Language Model Evaluation Harness would run programs of a model on this machine as they "
            "are; take --harness inspect, which runs them in a sandbox"
        )
    rows = f"{name}_rows"
    config = {"csv": "csv", "jsonl": "json", "parquet": "parquet"}[eval_file.format]
    lines = [
        "# The eval as a task of the Language Model Evaluation Harness. Written by Seedbed.",
        f"# lm-eval run --model … --tasks {name} --include_path FOLDER",
        f"task: {name}",
        f"dataset_path: {config}",
        "dataset_kwargs:",
        *(["  keep_default_na: false"] if config == "csv" else []),  # a text may be NA, or None
        "  data_files:",
        "    test:",
        *(f"      - {as_json(str(file))}" for file in eval_file.files),
        "test_split: test",
        f"output_type: {'multiple_choice' if plan.labels else 'generate_until'}",
        *([f"description: {as_json(plan.instruction + chr(10) * 2)}"] if plan.instruction else []),
        f"doc_to_text: !function {rows}.question",
        f"doc_to_target: !function {rows}.answer",
    ]
    if plan.labels:
        lines += ["doc_to_choice:", *(f"  - {as_json(label)}" for label in plan.labels)]
        metrics = [("acc", "mean"), ("acc_norm", "mean")]
    else:
        lines += [
            "generation_kwargs:",
            "  until: []",
            "  do_sample: false",
            "  temperature: 0.0",
            f"  max_gen_toks: {_MOST_TOKENS}",
        ]
        metrics = [("chrf", "chrf"), ("exact_match", "mean")]
    if plan.score:
        lines.append(f"process_results: !function {rows}.process_results")
        metrics = [(plan.metric, "mean")]
    lines.append("metric_list:")
    for metric, aggregation in metrics:
        lines += [f"  - metric: {metric}", f"    aggregation: {aggregation}", "    higher_is_better: true"]
    return "\n".join([*lines, "metadata:", "  version: 1.0", ""])


def _identifier(name: str) -> str:
    """The recipe's name as one of Python."""
    bare = re.sub(r"\W", "_", name, flags=re.ASCII)
    return bare if not bare[:1].isdigit() else f"task_{bare}"


def _write(path: Path, text: str) -> None:
    with whole_file(path) as file:
        file.write(text)
