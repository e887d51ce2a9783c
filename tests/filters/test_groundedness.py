"""`groundedness`: which source an answer is held against, and what becomes of one without any."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.filters.figure import table
from benchmarks.filters.groundedness import measure
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Provenance, Record
from seedbed.core.verdict import Verdict
from seedbed.filters.groundedness import Groundedness
from seedbed.tasks.custom import Custom
from seedbed.tasks.instruction import Instruction
from seedbed.tasks.preference import Preference
from tests.filters.tickets import QUESTIONS, TICKETS, record, unread, verdicts_of

TASK = Instruction.bind(Instruction.Options(prompt="question", context="context", answer="answer"), None)
PAIRS = Preference.bind(Preference.Options(), None)
CUSTOM = Custom.bind(Custom.Options(fields={"memo": "a memo", "summary": "what it says"}), None)
CONTEXT = FilterContext(TASK)
MEMO = "The depot in Torvik opens on 4 June 2019 and holds 1,200 crates."


def verdict(one: Record, context: FilterContext = CONTEXT, **options: Any) -> Verdict:
    plugin = Groundedness
    (said,) = verdicts_of(plugin.build(plugin.Options(**options), context), [one])
    return said


def answered(answer: str, *, question: str = "What does it say?", context: str = MEMO, **more: Any) -> Record:
    return record("r", question=question, context=context, answer=answer)._replace(**more)


GOLDEN = {
    "It opens in June 2019, in Torvik, for 1200 crates.": "keep",
    "It opens in July 2019.": "unsupported",
    "It holds 1,300 crates.": "unsupported",
    "The depot in Halden opens soon.": "unsupported",
    "It is large.": "keep",
    "": "keep",
}


@pytest.mark.parametrize("answer", [*GOLDEN])
def test_what_the_source_does_not_say_is_rejected_with_what_it_is(answer: str) -> None:
    assert (verdict(answered(answer)).reason or "keep") == GOLDEN[answer]


def test_the_evidence_names_every_claim() -> None:
    said = verdict(answered("On 5 June 2019 Halden had 7 crates."))
    assert (said.filter, said.keep) == ("groundedness@1", False)
    assert said.evidence == {"claims": ["date 5 June 2019", "number 7", "name Halden"]}
    assert verdict(answered("On 5 June 2019 Halden had 7 crates."), check=["number"]).evidence == {
        "claims": ["number 7"]
    }


def test_what_is_asked_may_be_said_again() -> None:
    assert verdict(answered("No, it does not hold 1,300.", question="Does it hold 1,300 crates?")).keep


def test_without_a_source_a_record_is_kept_and_flagged() -> None:
    said = verdict(answered("It holds 1,300 crates.", context=" "))
    assert (said.keep, said.reason) == (True, "no_source")
    assert verdict(unread("Sorry")).reason == ""


def test_the_passage_that_a_record_is_about_is_its_source() -> None:
    passage = Record("p", {"text": MEMO, "heading": "Depots", "document": "a.md"}, Provenance("real", "docs"))
    context = FilterContext(QUESTIONS, documents=[passage])
    one = record("r", question="When?", answer="On 4 June 2019, says Depots.")
    about = one._replace(provenance=one.provenance._replace(parents=("example", "p")))
    assert verdict(about, context).reason == ""
    assert verdict(one, context).reason == "no_source"
    wrong = about._replace(fields={**about.fields, "answer": "On 5 June 2019."})
    assert verdict(wrong, context).reason == "unsupported"
    pair = about._replace(
        fields={"prompt": "When?", "chosen": "On 4 June 2019.", "rejected": "On 9 June 2019."}
    )
    assert verdict(pair, replace(context, task=PAIRS)).keep
    assert not verdict(pair, replace(context, task=PAIRS), fields=["rejected"]).keep


def test_fields_of_a_task_of_one_s_own() -> None:
    one = record("r", memo=MEMO, summary="It holds 1,300 crates.")
    assert verdict(one, FilterContext(CUSTOM), source=["memo"]).reason == "unsupported"


@pytest.mark.parametrize(
    ("answer", "notes", "reason"),
    [
        ("In June 2019.", {"evidence": {"quote": "opens on 4 June 2019"}}, ""),
        ("In June 2019.", {"evidence": {"quote": "opens in June"}}, "misquoted"),
        ('In June 2019: it "opens on 4 June 2019".', {}, ""),
        ("In June 2019: it “opens on the 4 June”, 2019.", {}, "misquoted"),
        ('In June 2019, in "Torvik".', {}, "no_quote"),
        ("In June 2019.", {}, "no_quote"),
        ("That is not said.", {"answerable": False, "evidence": {"document": "a.md"}}, ""),
        ("In 1987.", {"answerable": False, "evidence": {"document": "a.md"}}, "unsupported"),
    ],
)
def test_a_quotation_may_be_required(answer: str, notes: dict[str, Any], reason: str) -> None:
    one = answered(answer, notes=notes)
    assert verdict(one, quote="required").reason == reason
    assert verdict(one).reason == (reason if reason == "unsupported" else "")


@pytest.mark.parametrize(
    ("task", "options", "said"),
    [
        (TICKETS, {}, "of classification name the field"),
        (TICKETS, {"source": ["text"]}, "leaves no text field"),
        (CUSTOM, {}, "of custom name the field"),
        (CUSTOM, {"source": ["memos"]}, "'memos' is no text field"),
        (CUSTOM, {"source": ["memo"]}, None),
        (TASK, {"fields": ["reply"]}, "'reply' is no text field"),
        (TASK, {}, None),
        (PAIRS, {}, None),
    ],
)
def test_a_task_that_never_has_a_source_is_refused(
    task: Any, options: dict[str, Any], said: str | None
) -> None:
    found = [message for _, message in Groundedness.problems(Groundedness.Options(**options), task)]
    assert len(found) == (said is not None)
    assert said is None or said in found[0]


def test_a_recipe_without_documents_needs_a_context() -> None:
    options = Groundedness.Options()
    assert list(Groundedness.problems_without_documents(options, TASK)) == []
    (said,) = Groundedness.problems_without_documents(options, PAIRS)
    assert "no context and the recipe no documents" in said


@pytest.mark.real_data
def test_published_sets(real_data: Callable[[str], Path]) -> None:
    real_data("peps")
    real_data("selfinstruct")
    figures = measure()
    print(table(figures))
    for each in figures[:-1]:
        assert each.precision
        assert each.precision.value >= 0.99
        assert each.recall
        assert each.recall.value >= 0.95
