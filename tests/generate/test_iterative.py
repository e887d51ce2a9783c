"""`iterative`: every stage can turn down, and says why."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from seedbed.core.errors import RecipeError
from seedbed.core.record import Record
from tests.generate.bench import CLEAN, Asked, Bench, saying

TOPICS = {"answers": [{"text": "the belt", "probability": 0.02}]}
QUESTIONS = {"answers": [{"text": "How fast may brass turn?", "probability": 0.05}]}
VALID = {"reasons": "900 stands in the passage.", "valid": True}


def answer(quote: str = "brass at 900", declined: str = "") -> dict[str, str]:
    return {"response": "At 900 revolutions a minute.", "declined": declined, "quote": quote}


def bench_of(folder: Path, options: str) -> Bench:
    return Bench.of("iterative", folder / "bench", [*CLEAN, f"generate.methods={{iterative: {options}}}"])


def made(bench: Bench, *replies: Any) -> Sequence[Record]:
    """The records of the cell that works on the passage about speeds."""
    speeds = next(item.id for item in bench.bound.items.values() if item.fields["heading"] == "Speeds")
    cell = next(cell for cell in bench.cells if cell.source == speeds)
    (done,) = bench.make([cell], lambda: Asked(saying(*replies)))
    assert len(done.asked.roles) == len(replies)
    return done.records


def test_a_record_that_passes_all_stages_keeps_its_topic_and_quotation(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{grounded: manual}")
    (record,) = made(bench, TOPICS, QUESTIONS, answer(), VALID)
    assert record.rejected is None
    assert record.fields == {
        "instruction": "How fast may brass turn?",
        "response": "At 900 revolutions a minute.",
    }
    assert record.notes["topic"] == "the belt"
    evidence = record.notes["evidence"]
    text = bench.bound.items[record.provenance.parents[-1]].fields["text"]
    assert text[evidence["start"] : evidence["end"]] == evidence["quote"] == "brass at 900"
    assert (evidence["document"], evidence["heading"]) == ("lathe.md", "Speeds")
    assert record.provenance.steps == (
        "library/iterative/topics by teacher",
        "library/iterative/questions by teacher",
        "library/iterative/answers by teacher",
        "library/iterative/validation by teacher",
    )


@pytest.mark.parametrize(
    ("reason", "replies"),
    [
        ("no_topic", [{"answers": []}]),
        ("no_question", [TOPICS, {"answers": []}]),
        ("unanswerable", [TOPICS, QUESTIONS, answer(declined="The passage does not say.")]),
        ("unsupported", [TOPICS, QUESTIONS, answer(quote="brass at 950")]),
        ("unsupported", [TOPICS, QUESTIONS, answer(quote="…")]),
        ("failed_validation", [TOPICS, QUESTIONS, answer(), {"reasons": "It asks twice.", "valid": False}]),
    ],
)
def test_each_stage_can_turn_down(reason: str, replies: list[Any], tmp_path: Path) -> None:
    (record,) = made(bench_of(tmp_path, "{grounded: manual}"), *replies)
    assert record.rejected is not None
    assert (record.rejected.reason, record.rejected.by) == (reason, "iterative@1")


def test_a_question_without_a_usable_answer_leaves_the_others_alone(tmp_path: Path) -> None:
    two = {"answers": [{"text": name, "probability": 0.01} for name in ("Is it fast?", "Is it loud?")]}
    first, second = made(bench_of(tmp_path, "{grounded: manual}"), TOPICS, two, "no JSON", answer(), VALID)
    assert (first.unreadable is not None, second.unreadable) == (True, None)
    assert len(first.provenance.reply_keys) == 3
    assert len(second.provenance.reply_keys) == 4
    assert first.provenance.reply_keys[2] not in second.provenance.reply_keys


def test_topics_are_a_tree_that_the_cell_walks(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{depth: 3, take: 1, stages: [topics, questions, answers]}")
    done = bench.make(bench.cells)
    topics = [record.notes["topic"] for one in done for record in one.records if record.rejected is None]
    assert topics
    assert all(topic.count(" > ") == 2 for topic in topics)
    assert max(len(one.asked.roles) for one in done) == 5


def test_without_topics_and_validation_a_record_costs_two_requests_or_fewer(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, "{stages: [questions, answers], sampling: plain, take: 3}")
    for done in bench.make(bench.cells):
        assert len(done.asked.roles) <= 4
        assert all("topic" not in record.notes for record in done.records)


def test_the_validator_is_a_role_of_its_own(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="asks the role critic, which the recipe does not fill"):
        bench_of(tmp_path, "{validator: critic}")
    bench = Bench.of(
        "iterative",
        tmp_path / "filled",
        [
            *CLEAN,
            "generate.methods={iterative: {validator: critic}}",
            "roles={teacher: {rehearsal: {}}, critic: {rehearsal: {}}}",
        ],
    )
    asked = [role for done in bench.make(bench.cells[:2]) for role in done.asked.roles]
    assert set(asked) == {"teacher", "critic"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("{stages: [answers, questions]}", "each stage once in this order"),
        ("{stages: [topics]}", "must name questions"),
        ("{stages: [topics, questions]}", "the stage answers is missing"),
        ("{grounded: nothing}", "no source is called 'nothing'"),
        ("{grounded: real}", "works on documents"),
    ],
)
def test_what_cannot_be_is_refused(options: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        bench_of(tmp_path, options)


@pytest.mark.parametrize("kind", ["classification", "preference", "math", "custom"])
def test_other_kinds_of_task(kind: str, tmp_path: Path) -> None:
    tasks = {
        "classification": "{kind: classification, input: instruction, label: tone, labels: [calm, cross]}",
        "preference": "{kind: preference, prompt: instruction, answer: response}",
        "math": "{kind: math, question: instruction, answer: response, solution: false}",
        "custom": "{kind: custom, fields: {instruction: a question, response: an answer}}",
    }
    rows = tmp_path / "rows.csv"
    rows.write_text(
        "instruction,response,tone\nWhat is it?,A drill.,calm\nWhy now?,It is late.,cross\n", "utf-8"
    )
    bench = Bench.of(
        "iterative",
        tmp_path / "bench",
        [
            *CLEAN,
            f"task={tasks[kind]}",
            f"sources={{real: {{path: {rows}}}}}",
            "generate.methods=iterative",
            "generate.axes={}",
        ],
    )
    done = bench.make(bench.cells)
    good = [record for one in done for record in one.records if record.rejected is None and record.fields]
    assert good
    assert all(set(record.fields) == set(bench.bound.task.fields) for record in good)
    asked = {step.split()[0] for record in good for step in record.provenance.steps}
    assert ("library/iterative/answers" in asked) == (kind != "classification")
