"""`self_instruct`: what it shows, what it turns down, and the tasks of its paper run through it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.generate.self_instruct import nearest
from tests.cli.workspace import Workspace, check_accounts
from tests.generate.bench import CLEAN, Asked, Bench, saying

FIRST = ["Name the parts of a zip.", "Why does glue fail in the cold?", "Plan an evening on knots."]


def tasks(*texts: str) -> dict[str, Any]:
    return {"answers": [{"text": text, "probability": 0.01} for text in texts]}


def bench_of(folder: Path, options: str = "{}") -> Bench:
    return Bench.of(
        "self_instruct", folder / "bench", [*CLEAN, f"generate.methods={{self_instruct: {options}}}"]
    )


def made(bench: Bench, *replies: Any) -> Sequence[Record]:
    (done,) = bench.make(bench.cells[:1], lambda: Asked(saying(*replies)))
    assert len(done.asked.roles) == len(replies)
    return done.records


def test_it_shows_eight_human_tasks_and_then_six_with_two_of_its_own(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{take: 1}")
    human = {row.fields["instruction"] for row in bench.bound.train}
    replies = (tasks(*FIRST), tasks("Mend a kite."), {"response": "Sew it."})
    (done,) = bench.make(bench.cells[:1], lambda: Asked(saying(*replies)))
    first, second, _ = (
        set(re.findall("<task>(.*)</task>", request.messages[-1].content)) for request in done.asked.requests
    )
    assert (len(first), first <= human) == (8, True)
    assert len(second) == 8
    assert len(second & first) == 6
    assert len(second & set(FIRST)) == 2


@pytest.mark.parametrize("options", ["{take: 1}", "{take: 1, sampling: plain}"])
def test_a_task_that_repeats_another_of_its_cell_is_turned_down_unanswered(
    options: str, tmp_path: Path
) -> None:
    bench = bench_of(tmp_path, options)
    human = next(r for r in bench.bound.train if r.id == bench.cells[0].parents[-1]).fields["instruction"]
    for repeated in (human, FIRST[0], FIRST[0].replace("zip", "lock")):
        lists = [FIRST, [repeated]]
        said = [tasks(*texts) if "plain" not in options else {"answers": texts} for texts in lists]
        (record,) = made(bench, *said)
        assert record.rejected is not None
        assert (record.rejected.reason, record.fields) == ("same_wording", {"instruction": repeated})
        assert record.rejected.score is not None
        assert record.rejected.score > 0.7
        assert nearest(repeated, [str(record.rejected.evidence["like"])])[1] > 0.7


def test_siblings_that_repeat_each_other_do_not_both_stay(tmp_path: Path) -> None:
    alike = tasks("Describe the smell of fresh varnish.", "Describe the smell of old varnish.")
    bench = bench_of(tmp_path)
    first, second = made(bench, tasks(*FIRST), alike, {"response": "Sharp, like pears."})
    fates = [record.rejected.reason if record.rejected else "good" for record in (first, second)]
    assert fates == ["good", "same_wording"]


def test_a_list_of_nothing_ends_the_cell(tmp_path: Path) -> None:
    for replies in ([tasks()], [tasks(*FIRST), tasks()]):
        (record,) = made(bench_of(tmp_path), *replies)
        assert record.rejected is not None
        assert record.rejected.reason == "no_task"


def test_without_real_rows_it_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="self_instruct learns from real rows, and no source has any"):
        Bench.of("self_instruct", tmp_path / "bench", [*CLEAN, "sources={}"])


@pytest.mark.real_data
def test_the_tasks_of_the_paper_run_through_it(real_data: Callable[[str], Path], tmp_path: Path) -> None:
    """The 175 seed tasks as real rows; a recorded teacher lists the 252 tasks of the paper's evaluation, and
    answers each as text-davinci-003 did."""
    rows = _lines(real_data("selfinstruct/data/seed_tasks.jsonl"))
    seeds = [
        (_whole(row["instruction"], row["instances"][0]["input"]), row["instances"][0]["output"])
        for row in rows
    ]
    recorded = _lines(real_data("selfinstruct/human_eval/predictions/text-davinci-003_predictions.jsonl"))
    answers = {_whole(row["instruction"], row["input"]): row["response"].strip() for row in recorded}
    place = Workspace(tmp_path)
    _write(tmp_path / "seeds.jsonl", ({"instruction": asked, "response": said} for asked, said in seeds))
    texts = list(answers)
    lists = [texts[at::32] for at in range(32)]
    _write(
        tmp_path / "replies.jsonl",
        [
            *({"prompt": "List 8 new tasks", "reply": {"answers": few}} for few in lists),
            *({"prompt": asked, "reply": {"response": said}} for asked, said in answers.items()),
        ],
    )
    (tmp_path / "recipe.yaml").write_text(RECIPE, "utf-8")
    summary = place.run("run", ".", "--json", expect=None).json
    check_accounts(summary["accounts"])
    place.run("export", "runs/self-instruct", "--format", "jsonl")
    kept = _lines(next((tmp_path / "runs/self-instruct").rglob("*.jsonl")))
    print(json.dumps(summary["accounts"]["drafts"]))
    assert len(kept) == summary["accounts"]["drafts"]["accepted"] > 100
    assert all(answers[row["instruction"]] == row["response"] for row in kept)
    known = [asked for asked, _ in seeds]
    assert all(nearest(row["instruction"], known)[1] <= 0.7 for row in kept)
    for one, other in combinations([row["instruction"] for row in kept], 2):
        assert nearest(one, [other])[1] <= 0.7


RECIPE = r"""
name: self-instruct
task: {kind: instruction}
sources:
  seeds: {path: seeds.jsonl}
roles:
  teacher:
    recorded: replies.jsonl
    by: prompt
    match: '(?s)(?P<prompt>List \d+ new tasks|(?<=<instruction>\n).+(?=\n</instruction>))'
    licence: apache-2.0
generate:
  target: 150
  methods: {self_instruct: {sampling: plain, take: 4}}
filters: [schema, duplicates, rouge_l]
"""


def _whole(instruction: str, given: str) -> str:
    return "\n\n".join(part for part in (instruction.strip(), given.strip()) if part)


def _lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def _write(path: Path, rows: Any) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), "utf-8")
