"""`self_consistency`: most of the samples decide, and what lost is kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.chat import Choice, LoggedReply
from seedbed.core.errors import InputError, RecipeError
from seedbed.core.record import Record
from tests.generate.bench import CLEAN, Asked, Bench

QUESTION = {"question": "How many seedlings are on 7 trays of 24?"}
RIGHT = "7 * 24 = 168\n#### 168"
SLIPPED = "7 * 24 = 158\nNo, it is ten more.\n#### 168"
WRONG = "7 + 24 = 31\n#### 31"


def made(bench: Bench, samples: Sequence[Any], question: Any = None) -> Record:
    """The record of the first cell, of these samples, and of a question where it asks for one."""

    def spoil(at: int, reply: LoggedReply) -> LoggedReply:
        value = question if question is not None and at == 0 else samples[reply.key.draw]
        choice = (
            value
            if isinstance(value, Choice)
            else Choice(value if isinstance(value, str) else json.dumps(value))
        )
        return reply._replace(choice=choice)

    (done,) = bench.make(bench.cells[:1], lambda: Asked(spoil))
    (record,) = done.records
    return record


def bench_of(folder: Path, options: str, *overrides: str) -> Bench:
    methods = f"generate.methods={{self_consistency: {options}}}"
    return Bench.of("self_consistency", folder / "bench", [*CLEAN, methods, *overrides])


def of_task(folder: Path, task: str, options: str, row: Mapping[str, Any]) -> Bench:
    """A bench of another task, with one row to ask about."""
    folder.mkdir(exist_ok=True)
    rows = folder / "rows.jsonl"
    rows.write_text(json.dumps(row) + "\n", "utf-8")
    source = f"sources={{asked: {{path: {rows}, unlabelled: true}}}}"
    return bench_of(folder, f"{{source: asked, {options}}}", f"task={task}", source, "generate.axes={}")


def test_the_answer_of_most_samples_is_kept_with_its_votes(tmp_path: Path) -> None:
    samples = [WRONG, SLIPPED, RIGHT, "It is 168.0 seedlings.\n#### 168.0", "#### 170"]
    record = made(bench_of(tmp_path, "{samples: 5}"), samples, QUESTION)
    assert record.rejected is None
    # Of those that won the first whose equations hold.
    assert record.fields == {**QUESTION, "solution": "7 * 24 = 168", "answer": "168"}
    assert record.notes == {
        "votes": {"168": 3, "170": 1, "31": 1},
        "share": 0.6,
        "entropy": 1.371,
        "losing": ["#### 170", WRONG],
    }
    assert len(record.provenance.reply_keys) == 6


@pytest.mark.parametrize(
    ("samples", "votes"),
    [
        ([RIGHT, RIGHT, WRONG, WRONG, "#### 5"], {"168": 2, "31": 2, "5": 1}),
        ([RIGHT, RIGHT, WRONG, "#### 4", "#### 5"], {"168": 2, "31": 1, "4": 1, "5": 1}),
        ([RIGHT, RIGHT, Choice("7 * 2", "length"), "no idea", WRONG], {"168": 2, "31": 1}),
    ],
)
def test_a_tie_and_too_small_a_share_are_turned_down(
    samples: list[Any], votes: Mapping[str, int], tmp_path: Path
) -> None:
    """What cannot be read takes part in the whole."""
    record = made(bench_of(tmp_path, "{samples: 5, agree: 0.5}"), samples, QUESTION)
    assert record.rejected is not None
    assert (record.rejected.reason, record.rejected.score) == ("no_majority", 0.4)
    assert record.rejected.evidence == {"votes": votes, "share": 0.4}


def test_a_tie_is_no_majority_however_small_the_share_may_be(tmp_path: Path) -> None:
    record = made(bench_of(tmp_path, "{samples: 4, agree: 0.25}"), [RIGHT, WRONG, RIGHT, WRONG], QUESTION)
    assert record.rejected is not None
    assert record.rejected.reason == "no_majority"


def test_questions_of_a_source_are_not_asked_for(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{samples: 3, source: real}")
    assert bench.bound.methods["self_consistency"].requests() == (1, 1)
    record = made(bench, [RIGHT, RIGHT, WRONG])
    asked = {row.fields["question"] for row in bench.bound.train}
    assert record.fields["question"] in asked
    assert record.fields["answer"] == "168"
    assert record.provenance.parents


def test_an_axis_may_be_the_question(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{samples: 3}", "generate.axes={question: [How old is it?]}")
    record = made(bench, [RIGHT, RIGHT, WRONG])
    assert record.fields["question"] == "How old is it?"
    assert len(record.provenance.reply_keys) == 3


def test_a_source_without_questions_is_refused_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"sources\.asked: the rows have no question"):
        of_task(tmp_path, "{kind: math}", "samples: 3", {"answer": "7"})


def test_a_pair_has_a_sample_that_won_and_one_that_lost(tmp_path: Path) -> None:
    task, row = "{kind: preference}", {"prompt": QUESTION["question"]}
    bench = of_task(tmp_path, task, "samples: 4", row)
    record = made(bench, [WRONG, RIGHT, RIGHT, SLIPPED])
    assert record.rejected is None
    assert record.fields == {**row, "chosen": RIGHT, "rejected": WRONG}
    agreed = made(of_task(tmp_path / "agreed", task, "samples: 4", row), [RIGHT] * 4)
    assert agreed.rejected is not None
    assert agreed.rejected.reason == "nothing_lost"


@pytest.mark.parametrize(
    ("task", "options", "row", "samples", "fields"),
    [
        (
            "{kind: instruction}",
            "samples: 3",
            {"instruction": "Capital of Peru?"},
            ["Lima", "**lima**.", "Cusco"],
            {"response": "Lima"},
        ),
        (
            "{kind: extraction, input: note, record: order, schema: {type: object}}",
            "samples: 3",
            {"note": "Two lamps, please."},
            [{"order": {"n": 2, "what": "Lamp"}}, {"order": {"n": 1}}, {"order": {"what": "lamp", "n": 2.0}}],
            {"order": {"n": 2, "what": "Lamp"}},
        ),
        (
            "{kind: custom, fields: {claim: a claim, why: reasons, holds: {type: boolean}}}",
            "samples: 3, compare: holds",
            {"claim": "Rain is wet."},
            [{"why": "a", "holds": False}, {"why": "b", "holds": True}, {"why": "c", "holds": True}],
            {"why": "b", "holds": True},
        ),
        (
            "{kind: custom, fields: {claim: a claim, holds: {type: string, enum: ['yes', 'no']}}}",
            "samples: 3",
            {"claim": "Rain is wet."},
            [{"holds": "no"}, {"holds": "yes"}, {"holds": "yes"}],
            {"holds": "yes"},
        ),
    ],
)
def test_other_kinds_vote_by_what_is_answered(
    task: str,
    options: str,
    row: Mapping[str, Any],
    samples: list[Any],
    fields: Mapping[str, Any],
    tmp_path: Path,
) -> None:
    record = made(of_task(tmp_path, task, options, row), samples)
    assert record.rejected is None
    assert record.fields == {**row, **fields}


@pytest.mark.parametrize(
    ("task", "options", "message"),
    [
        ("{kind: translation, from: de, to: en}", "{}", "is for tasks of kind math"),
        ("{kind: math}", "{compare: answer}", "cannot vote; final answers do"),
        ("{kind: instruction}", "{compare: instruction}", "cannot vote; write one of response"),
        (
            "{kind: custom, fields: {a: text, b: label}, label: b}",
            "{}",
            "for which the method `label` asks",
        ),
        ("{kind: math}", "{source: nothing}", "no source is called 'nothing'"),
        ("{kind: math}", "{samples: 1}", "samples"),
    ],
)
def test_what_cannot_be_is_refused(task: str, options: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        bench_of(tmp_path, options, f"task={task}")
