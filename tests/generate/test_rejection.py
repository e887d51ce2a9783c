"""`rejection`: a verifier decides, and of equal paths one is kept."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.errors import InputError, RecipeError
from seedbed.core.record import Record
from seedbed.run.planner import plan_from_scratch
from seedbed.verify.sandbox.backends import Backend
from tests.generate.bench import CLEAN, Asked, Bench

ROW = {"question": "How many seeds are in 3 packets of 8?", "solution": "3 * 8 = 24", "answer": "24"}
TASK = {"prompt": "Add one to a number.", "solution": "def add(n):\n    return n + 1\n"}


def bench_of(folder: Path, row: object, options: str, *overrides: str) -> Bench:
    folder.mkdir(exist_ok=True)
    rows = folder / "rows.jsonl"
    rows.write_text(json.dumps(row) + "\n", "utf-8")
    source = f"sources={{real: {{path: {rows}}}}}"
    return Bench.of(
        "rejection",
        folder / "bench",
        [*CLEAN, source, f"generate.methods={{rejection: {options}}}", *overrides],
    )


def made(bench: Bench, *samples: str | Choice) -> dict[int, Record]:
    """The records by the draw that each is of."""

    def spoil(at: int, reply: LoggedReply) -> LoggedReply:
        value = samples[reply.key.draw]
        return reply._replace(choice=value if isinstance(value, Choice) else Choice(value))

    (done,) = bench.make(bench.cells[:1], lambda: Asked(spoil))
    return {int(record.provenance.reply_keys[0].rpartition("/")[2]): record for record in done.records}


def reasons(records: dict[int, Record]) -> list[str]:
    return [
        "unreadable" if one.unreadable else one.rejected.reason if one.rejected else "kept"
        for _, one in sorted(records.items())
    ]


def test_right_solutions_are_kept_one_a_path(tmp_path: Path) -> None:
    samples = (
        "8 + 8 + 8 = 24\n#### 24 seeds",
        "We add them up: 8 + 8 + 8 = 24.\nThe answer is 24.",
        "It is 3 x 8 = 24 seeds.\n#### 24",
        "3 * 8 = 32\n#### 32",
        "3 * 8 = 25, less one.\n#### 24",
        "About 24.04.\n#### 24.04",
        "The answer is many.",
        Choice("8 + 8", "length"),
        "Three times eight.\n#### 24",
    )
    records = made(bench_of(tmp_path, ROW, "{samples: 9}"), *samples)
    assert reasons(records) == [
        "kept",
        "same_path",
        "same_path",
        "wrong_answer",
        "wrong_equation",
        "wrong_answer",
        "undecided_answer",
        "unreadable",
        "kept",
    ]
    assert records[0].fields == {**ROW, "solution": "8 + 8 + 8 = 24"}
    assert records[0].notes == {"verified": "answer"}
    evidence = {at: one.rejected.evidence for at, one in records.items() if one.rejected}
    assert evidence[1] == {"as": "draw 0"}
    assert evidence[2] == {"as": "the row"}
    assert evidence[3] == {"answer": "32", "right": "24"}
    assert evidence[4] == {"equations": ["3 * 8 = 25"]}


def test_a_solution_that_equals_the_row_s_is_the_model_s_own(tmp_path: Path) -> None:
    """Question and answer are the row's; its solution was shown to nobody, and may be remembered."""
    records = made(
        bench_of(tmp_path, ROW, "{samples: 2}"), f"{ROW['solution']}\n#### 24", "8 + 8 + 8 = 24\n#### 24"
    )
    assert records[0].fields == ROW
    assert {one.provenance.carried for one in records.values()} == {("question", "answer")}


def test_without_an_answer_the_equations_must_hold(tmp_path: Path) -> None:
    samples = (
        "3 * 8 = 24\n#### 24",
        "3 * 8 = 25\n#### 25",
        "It is 24.",
        "1 hour + 30 minutes = 90 minutes\n#### 90",
    )
    bench = bench_of(tmp_path, {**ROW, "solution": "Three times eight."}, "{samples: 4, verify: equations}")
    assert reasons(made(bench, *samples)) == ["kept", "wrong_equation", "no_equation", "wrong_equation"]


def test_rows_without_an_answer_are_refused_before_anything_is_asked(tmp_path: Path) -> None:
    rows = tmp_path / "asked.jsonl"
    rows.write_text(json.dumps({"question": ROW["question"]}) + "\n", "utf-8")
    source = f"sources={{asked: {{path: {rows}, unlabelled: true}}}}"
    with pytest.raises(InputError, match="the rows have no answer to verify by"):
        bench_of(tmp_path, ROW, "{source: asked}", source)


def of_code(folder: Path, options: str, *overrides: str) -> Bench:
    return bench_of(folder, TASK, options, "task={kind: code, tests: false}", *overrides)


def test_programs_are_told_apart_by_their_syntax_and_not_run(tmp_path: Path) -> None:
    samples = (
        "Here it is:\n```python\ndef add(n):\n    # one more\n    return n+1\n```",
        "def add(n):\n    return 1 + n",
        "```\ndef add(number): return 1 + number\n```",
        "def add(n):\n  return (n + 1",
        "I cannot.",
    )
    records = made(of_code(tmp_path, "{samples: 5, verify: parses}"), *samples)
    assert reasons(records) == ["same_path", "kept", "kept", "does_not_parse", "does_not_parse"]
    assert records[2].fields == {**TASK, "solution": "def add(number): return 1 + number"}
    assert records[2].notes == {"verified": "parses"}


def test_programs_are_run_against_the_tests_of_their_row(tmp_path: Path, sandbox: Backend) -> None:
    samples = (
        "def add(n):\n    return n + 1",
        "def add(n):\n    return 1 + n",
        "def add(n):\n    return n + 2",
        "def add(n):\n    while True: pass",
        "import os\nos._exit(0)",
        "def add(n:",
    )
    row = {**TASK, "tests": "assert add(1) == 2\nassert add(-1) == 0"}
    records = made(bench_of(tmp_path, row, "{samples: 6, verify: tests}", "task={kind: code}"), *samples)
    wanted = ["same_path", "kept", "fails_tests", "fails_tests", "fails_tests", "does_not_parse"]
    assert reasons(records) == wanted
    assert records[1].fields == {**row, "solution": samples[1]}
    assert records[1].notes == {"verified": "tests"}


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("{kind: code, tests: false}", "{}", "write verify: tests, or verify: parses"),
        ("{kind: code, tests: false}", "{verify: tests}", "no field for tests"),
        (
            "{kind: code, tests: false, language: Rust}",
            "{verify: parses}",
            "only Python can be run and parsed",
        ),
        ("{kind: math}", "{verify: tests}", "a solution is no program"),
        ("{kind: math}", "{verify: parses}", "a solution is no program"),
        ("{kind: math, solution: false}", "{}", "no field for solutions"),
        ("{kind: instruction}", "{}", "is for tasks of kind math, code"),
    ],
)
def test_what_cannot_be_verified_is_refused(task: str, options: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        bench_of(tmp_path, ROW, options, f"task={task}")


def test_a_rehearsal_of_programs_has_some_that_parse_and_some_that_do_not(tmp_path: Path) -> None:
    bench = of_code(tmp_path, "{samples: 32, verify: parses}")
    (done,) = bench.make(bench.cells[:1])
    found = Counter(reasons(dict(enumerate(done.records))))
    assert found["kept"] == 6
    assert found["does_not_parse"] > 0
    assert found["same_path"] > 0


@pytest.mark.real_data
@pytest.mark.timeout(600)
def test_recorded_programs_of_codet(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    """100 for each of 164 prompts, each a prompt's continuation, by a recorded teacher."""
    name = "HumanEval_codegen16B_temp0.8_topp0.95_num100_max300_code_solution.jsonl"
    lines = (real_data("codet") / "CodeT/data/generated_data" / name).read_text("utf-8").splitlines()
    asked = [json.loads(line) for line in lines]
    replies = [
        {"prompt": row["prompt"], "reply": row["prompt"] + sample}
        for row in asked
        for sample in row["samples"]
    ]
    for file, rows in (("replies", replies), ("prompts", [{"prompt": row["prompt"]} for row in asked])):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (tmp_path / f"{file}.jsonl").write_text(text, "utf-8")
    match = r"(?s)<prompt>\n(?P<prompt>.+)\n</prompt>"
    recorded = {"recorded": str(tmp_path / "replies.jsonl"), "by": "prompt", "match": match, "licence": "mit"}
    bench = of_code(
        tmp_path / "codet",
        "{source: asked, samples: 100, verify: parses}",
        f"sources={{asked: {{path: {tmp_path / 'prompts.jsonl'}, unlabelled: true}}}}",
        f"roles={json.dumps({'teacher': recorded})}",
        "generate.target=164",
    )
    cells = plan_from_scratch(bench.bound.space, bench.bound.quotas, 164)
    found = Counter(reason for done in bench.make(cells) for reason in reasons(dict(enumerate(done.records))))
    assert len({(row["prompt"], row["reply"]) for row in replies}) == 12_410
    assert found == {"kept": 10_810, "does_not_parse": 787, "same_path": 4_803}
