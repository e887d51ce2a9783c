"""Tasks for other harnesses: what they ask is what the task asks, and no text of the eval is in them.

With Inspect and the Language Model Evaluation Harness installed their own loaders and models run them.
"""

from __future__ import annotations

import csv
import json
import runpy
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import InputError
from seedbed.core.protocols import Task
from seedbed.publish.harness import EvalFile, Harness, write_harness
from seedbed.student.rows import Row, question_of, row_of
from seedbed.tasks import TASKS
from tests.tasks.kinds import EXAMPLES, ORDER, write_rows

KINDS = sorted(EXAMPLES)
CUSTOM = {"fields": {"text": "a review", "stars": {"type": "integer"}, "place": "where it was"}}


def bound(kind: str, options: Mapping[str, Any] | None = None) -> Task:
    described = {key: value for key, value in EXAMPLES[kind].task.items() if key != "kind"}
    if kind == "extraction":
        described["schema"] = ORDER
    plugin = TASKS.get(kind)
    rows = EXAMPLES[kind].real
    labels = sorted({row[described["label"]] for row in rows}) if described.get("label") else None
    task: Task = plugin.bind(plugin.Options.model_validate(options or described), labels)
    return task


def columns_of(task: Task) -> dict[str, str]:
    return {field: column for field, column in task.real_columns.items() if field != column}


def written(
    folder: Path, harness: Harness, kind: str, rows: Sequence[Mapping[str, Any]] | None = None
) -> tuple[Path, Task]:
    """The task of an example's kind over a JSONL file of its rows."""
    file = folder / "the eval.jsonl"
    write_rows(file, EXAMPLES[kind].real if rows is None else rows)
    task = bound(kind)
    eval_file = EvalFile((file,), "jsonl", columns_of(task))
    first, *_ = write_harness(harness, "our-task 1", task, eval_file, folder / "out")
    return first, task


def asked_last(task: Task, row: Row) -> str:
    """With labels all of the text is asked, else what the chat view asks."""
    return row.text if task.label_field is not None else question_of(task, row)[-1]["content"]


def fields_of(task: Task, row: Mapping[str, Any]) -> dict[str, Any]:
    """A row of the file as the task's own reader gives it."""
    return {field: row[column] for field, column in task.real_columns.items() if column in row}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "code"])
def test_what_is_asked_and_what_should_come_are_those_of_the_task(kind: str, tmp_path: Path) -> None:
    path, task = written(tmp_path, "lm-eval", kind)
    code = runpy.run_path(str(path.with_name("our_task_1_rows.py")))
    for fields in EXAMPLES[kind].real:
        row = row_of(task, "r", fields_of(task, fields))
        if len(question_of(task, row)) == 1:
            assert code["question"](fields) == asked_last(task, row)
        else:
            assert code["question"](fields).endswith(asked_last(task, row))
        if task.kind == "extraction":
            assert json.loads(code["answer"](fields)) == json.loads(row.answer)
        elif task.kind == "math":
            assert code["answer"](fields) == fields["answer"]
        else:
            assert code["answer"](fields) == row.answer
        if "score" in code:
            assert code["score"](row.answer, code["answer"](fields)) == 1.0
            assert code["score"]("", code["answer"](fields)) == 0.0
            assert code["process_results"](fields, [row.answer]) == {code["METRIC"]: 1.0}


@pytest.mark.parametrize("harness", ["inspect", "lm-eval"])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "code"])
def test_no_text_of_the_eval_is_written(kind: str, harness: Harness, tmp_path: Path) -> None:
    path, task = written(tmp_path, harness, kind)
    said = "".join(file.read_text("utf-8") for file in path.parent.iterdir())
    assert "the eval.jsonl" in said
    for fields in EXAMPLES[kind].real:
        row = row_of(task, "r", fields_of(task, fields))
        assert row.text not in said
        assert task.label_field is not None or row.answer not in said


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        ("3 + 4 = 7\n#### 7", "7", 1.0),
        ("so the answer is 1,250.", "1250", 1.0),
        ("\\boxed{3/4}", "0.75", 1.0),
        ("That makes 12 apples", "12", 1.0),
        ("#### $18", "18", 1.0),
        ("#### 8", "7", 0.0),
        ("nothing", "7", 0.0),
    ],
)
def test_an_answer_has_the_value_of_the_rows(said: str, wanted: str, expected: float, tmp_path: Path) -> None:
    path, _ = written(tmp_path, "lm-eval", "math")
    assert runpy.run_path(str(path.with_name("our_task_1_rows.py")))["score"](said, wanted) == expected


def test_several_answered_fields_are_one_record(tmp_path: Path) -> None:
    task = bound("custom", CUSTOM)
    eval_file = EvalFile((tmp_path / "e.csv",), "csv", {"stars": "given stars"})
    path, rows = write_harness("lm-eval", "reviews", task, eval_file, tmp_path)
    code = runpy.run_path(str(rows))
    row = {"text": "Fine soup.", "given stars": 4, "place": "Bern"}
    assert code["question"](row) == "Fine soup."
    assert json.loads(code["answer"](row)) == {"stars": 4, "place": "Bern"}
    assert code["score"]('```json\n{"place": "Bern", "stars": 4}\n```', code["answer"](row)) == 1.0
    assert "process_results: !function reviews_rows.process_results" in path.read_text("utf-8")


@pytest.mark.parametrize("answer", [None, "said"])
def test_of_a_pair_the_better_answer_should_come(answer: str | None, tmp_path: Path) -> None:
    """Of rows that are pairs, and of such as have one answer in a column of its own."""
    task = bound("preference", {"prompt": "question", "chosen": "good", "rejected": "bad", "answer": answer})
    eval_file = EvalFile((tmp_path / "e.jsonl",), "jsonl", columns_of(task))
    row = {"question": "Who signs?", answer or "good": "The head.", "bad": "Nobody knows."}
    path, rows = write_harness("lm-eval", "pairs", task, eval_file, tmp_path)
    code = runpy.run_path(str(rows))
    assert (code["question"](row), code["answer"](row)) == ("Who signs?", "The head.")
    assert "JSON" not in path.read_text("utf-8")
    (inspect,) = write_harness("inspect", "pairs", task, eval_file, tmp_path)
    assert f"ANSWER = {{'good': '{answer or 'good'}'}}" in inspect.read_text("utf-8")


def test_what_a_harness_cannot_do_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="take --harness inspect, which runs them in a sandbox"):
        written(tmp_path, "lm-eval", "code")
    task = bound("classification")
    parquet = EvalFile((tmp_path / "e.parquet",), "parquet", {})
    with pytest.raises(InputError, match="Inspect reads CSV and JSONL"):
        write_harness("inspect", "t", task, parquet, tmp_path)
    unlisted = TASKS.get("classification").bind(
        TASKS.get("classification").Options(input="text", label="team"), None
    )
    with pytest.raises(InputError, match="must know the labels of team"):
        write_harness("inspect", "t", unlisted, EvalFile((tmp_path / "e.csv",), "csv", {}), tmp_path)


def test_programs_run_in_a_sandbox_of_inspect(tmp_path: Path) -> None:
    path, _ = written(tmp_path, "inspect", "code")
    text = path.read_text("utf-8")
    compile(text, str(path), "exec")
    assert 'sandbox="docker"' in text
    assert "sandbox().exec(" in text


INSPECT = """
import json, sys
from inspect_ai import eval
from inspect_ai.model import ModelOutput, ModelUsage, get_model

path, log_dir, answers, sandbox = sys.argv[1], sys.argv[2], json.loads(sys.argv[3]), sys.argv[4] or None
outputs = [ModelOutput.from_content("mockllm/model", said) for said in answers]
for output in outputs:
    output.usage = ModelUsage(input_tokens=1, output_tokens=1, total_tokens=2)  # else it fetches a tokenizer
(log,) = eval(path, model=get_model("mockllm/model", custom_outputs=outputs), log_dir=log_dir,
              display="none", max_connections=1, max_samples=1, **({"sandbox": sandbox} if sandbox else {}))
assert log.status == "success", log.error.message[:2000]
print("RESULT" + json.dumps({
    "scores": {score.name: {name: metric.value for name, metric in score.metrics.items()}
               for score in log.results.scores},
    "asked": [sample.input if isinstance(sample.input, str) else [turn.text for turn in sample.input]
              for sample in log.samples],
}))
"""


def run_inspect(path: Path, folder: Path, answers: Sequence[str], sandbox: str = "") -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-c", INSPECT, str(path.relative_to(folder)), "logs", json.dumps(answers), sandbox],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(ended.stdout.partition("RESULT")[2])
    return found


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "code"])
def test_inspect_runs_the_task_and_scores_it(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("inspect_ai")
    path, task = written(tmp_path, "inspect", kind)
    rows = [row_of(task, "r", fields_of(task, fields)) for fields in EXAMPLES[kind].real]
    right = run_inspect(path, tmp_path, [row.answer for row in rows])
    for metrics in right["scores"].values():
        assert metrics.get("accuracy", metrics.get("mean")) == pytest.approx(1.0)
    for row, asked in zip(rows, right["asked"], strict=True):
        assert asked[-1] == asked_last(task, row)
    wrong = run_inspect(path, tmp_path, ["I cannot say."] * len(rows))
    for metrics in wrong["scores"].values():
        assert metrics.get("accuracy", metrics.get("mean")) < 0.5


def test_inspect_runs_the_tests_of_programs(tmp_path: Path) -> None:
    """With its local sandbox in the place of the container, which is for a test alone."""
    pytest.importorskip("inspect_ai")
    rows = [row for row in EXAMPLES["code"].real if row["tests"]]
    path, _ = written(tmp_path, "inspect", "code", rows)
    right = run_inspect(path, tmp_path, [f"So:\n```python\n{row['solution']}```" for row in rows], "local")
    assert right["scores"]["tests_passed"]["accuracy"] == 1.0
    wrong = run_inspect(path, tmp_path, ["def first(values):\n    return 3\n"] * len(rows), "local")
    assert wrong["scores"]["tests_passed"]["accuracy"] == 0.0


LM_EVAL = """
import json, sys
from lm_eval.api.model import LM
from lm_eval.evaluator import simple_evaluate
from lm_eval.tasks import TaskManager

name, folder, answers = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
asked = []

class Pupil(LM):
    def loglikelihood(self, requests):
        asked.extend(request.args[0] for request in requests)
        return [(0.0 if request.args[1].strip() == answers[request.doc_id] else -9.0, False)
                for request in requests]
    def loglikelihood_rolling(self, requests):
        raise NotImplementedError
    def generate_until(self, requests):
        asked.extend(request.args[0] for request in requests)
        return [answers[request.doc_id] for request in requests]

tasks = TaskManager(include_path=folder, include_defaults=False)
found = simple_evaluate(model=Pupil(), tasks=[name], task_manager=tasks, bootstrap_iters=0, log_samples=False)
print("RESULT" + json.dumps({"scores": found["results"][name], "asked": asked}, default=str))
"""


def run_lm_eval(path: Path, folder: Path, answers: Sequence[str]) -> dict[str, Any]:
    ended = subprocess.run(
        [sys.executable, "-c", LM_EVAL, path.stem, str(path.parent), json.dumps(answers)],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": str(folder), "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr[-2000:]
    found: dict[str, Any] = json.loads(ended.stdout.partition("RESULT")[2])
    return found


METRICS = {"classification": "acc", "math": "answer_match", "extraction": "record_match"}


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "code"])
def test_lm_eval_runs_the_task_and_scores_it(kind: str, tmp_path: Path) -> None:
    pytest.importorskip("lm_eval")
    path, task = written(tmp_path, "lm-eval", kind)
    rows = [row_of(task, "r", fields_of(task, fields)) for fields in EXAMPLES[kind].real]
    metric = METRICS.get(kind, "acc" if task.label_field else "exact_match")
    right = run_lm_eval(path, tmp_path, [row.answer for row in rows])
    assert right["scores"][f"{metric},none"] == 1.0
    assert all(any(asked_last(task, row) in asked for asked in right["asked"]) for row in rows)
    wrong = run_lm_eval(path, tmp_path, ["I cannot say."] * len(rows))
    assert wrong["scores"][f"{metric},none"] < 1.0


def test_lm_eval_reads_csv_as_it_stands(tmp_path: Path) -> None:
    pytest.importorskip("lm_eval")
    file = tmp_path / "eval.csv"
    with file.open("w", newline="", encoding="utf-8") as out:
        csv.writer(out).writerows([["text", "team"], ["NA", "billing"], ["None at all", "delivery"]])
    eval_file = EvalFile((file,), "csv", {})
    path, _ = write_harness("lm-eval", "csv", bound("classification"), eval_file, tmp_path / "out")
    found = run_lm_eval(path, tmp_path, ["billing", "delivery"])
    assert found["scores"]["acc,none"] == 1.0
    assert sorted({asked.rpartition("\n")[2] for asked in found["asked"]}) == ["NA", "None at all"]
