"""`critique`: what the critic finds is revised, and what it does not find stays."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from seedbed.generate.critique import PRINCIPLES
from tests.generate.bench import CLEAN, Asked, Bench, saying

FIRST = {"instruction": "May I paint my shed?", "response": "Yes."}
FOUND = {"critique": "'Yes.' leaves out the colours.", "revise": True}
NOTHING = {"critique": "It says what was asked.", "revise": False}
PAIRS = ("task={kind: preference, prompt: instruction, answer: response}", "generate.templates=[]")


def bench_of(folder: Path, *overrides: str) -> Bench:
    return Bench.of("critique", folder / "bench", [*CLEAN, *overrides])


def made(bench: Bench, *replies: Any) -> Record:
    (done,) = bench.make(bench.cells[:1], lambda: Asked(saying(*replies)))
    assert len(done.asked.roles) == len(replies)
    (record,) = done.records
    return record


def test_a_revision_keeps_what_was_before(tmp_path: Path) -> None:
    record = made(bench_of(tmp_path), FIRST, FOUND, {"response": "Yes, in green or brown."})
    assert record.rejected is None
    assert record.fields == {**FIRST, "response": "Yes, in green or brown."}
    principle = record.notes["principle"]
    assert principle in PRINCIPLES
    assert record.notes == {
        "principle": principle,
        "critique": FOUND["critique"],
        "revised": True,
        "before": {"response": "Yes."},
    }
    assert record.provenance.steps == (
        "ask.j2 by teacher",
        "library/critique/critique by teacher",
        "library/critique/revision by teacher",
    )


@pytest.mark.parametrize("replies", [(NOTHING,), (FOUND, {"response": "Yes."})], ids=["no fault", "the same"])
def test_where_nothing_changes_the_draft_stays(replies: Sequence[Any], tmp_path: Path) -> None:
    record = made(bench_of(tmp_path), FIRST, *replies)
    assert (record.rejected, record.fields) == (None, FIRST)
    assert record.notes["revised"] is False
    assert "before" not in record.notes


def test_a_pair_prefers_the_revision(tmp_path: Path) -> None:
    first = {"instruction": FIRST["instruction"], "chosen": "Yes."}
    bench = bench_of(tmp_path, *PAIRS, "generate.axes={}")
    record = made(bench, first, FOUND, {"chosen": "Yes, in green."})
    assert record.rejected is None
    assert record.fields == {**first, "chosen": "Yes, in green.", "rejected": "Yes."}
    alone = made(bench_of(tmp_path / "alone", *PAIRS, "generate.axes={}"), first, NOTHING)
    assert alone.rejected is not None
    assert (alone.rejected.reason, alone.rejected.by) == ("nothing_revised", "critique@1")


def test_the_answer_to_a_pair_is_asked_for_without_the_worse_one(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, *PAIRS, "generate.axes={}")
    (done,) = bench.make(bench.cells[:1])
    assert done.records[0].provenance.steps[0].startswith("library/preference by teacher")
    template = bench.bound.templates["library/preference"]
    task = {**bench.bound.task_variables}
    asked = {"task": task, "examples": [], "slots": {}, "draw": 0}
    pair, single = (
        template.render({**asked, "fields": fields})[0].content
        for fields in (("instruction", "chosen", "rejected"), ("instruction", "chosen"))
    )
    assert "rejected" in pair
    assert "rejected" not in single


def test_a_conversation_is_revised_as_a_whole(tmp_path: Path) -> None:
    turns = [{"role": "user", "content": "Hello?"}, {"role": "assistant", "content": "Yes?"}]
    better = [*turns[:1], {"role": "assistant", "content": "Good morning."}]
    rows = tmp_path / "rows.jsonl"
    rows.write_text(
        '{"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hi"}]}\n'
    )
    bench = bench_of(
        tmp_path,
        "task={kind: conversation}",
        f"sources={{real: {{path: {rows}}}}}",
        "generate.axes={}",
        "generate.templates=[]",
    )
    record = made(bench, {"messages": turns}, FOUND, {"messages": better})
    assert record.fields == {"messages": better}
    assert record.notes["before"] == {"messages": turns}


def test_the_critic_is_a_role_of_its_own_and_principles_are_the_recipes(tmp_path: Path) -> None:
    options = "generate.methods={critique: {critic: judge, principles: [It rhymes.]}}"
    with pytest.raises(RecipeError, match="asks the role judge, which the recipe does not fill"):
        bench_of(tmp_path, options)
    bench = bench_of(tmp_path / "filled", options, "roles={teacher: {rehearsal: {}}, judge: {rehearsal: {}}}")
    done = bench.make(bench.cells[:4])
    assert {tuple(one.asked.roles[:2]) for one in done} == {("teacher", "judge")}
    assert {record.notes["principle"] for one in done for record in one.records} == {"It rhymes."}


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["generate.methods={critique: {principles: []}}"], "principles"),
        (["generate.methods={critique: {principles: [' ']}}"], "principles"),
        (["task={kind: classification, input: instruction, label: response}"], "is for tasks of kind code"),
    ],
)
def test_what_cannot_be_is_refused(overrides: list[str], message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        bench_of(tmp_path, *overrides)
