"""Constraints: each kind on texts that keep to it and texts that do not."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.filters import constraints as benchmark
from benchmarks.filters.figure import table
from seedbed.core.hashing import normal_form
from seedbed.core.protocols import FilterContext
from seedbed.core.verdict import Verdict
from seedbed.filters.constraint_kinds import CHECKS, FieldConstraints, first_broken
from seedbed.filters.constraints import Constraints
from tests.filters.tickets import QUESTIONS, record, verdicts_of


def broken(text: str, **constraints: Any) -> Any:
    return first_broken(text, FieldConstraints.model_validate(constraints))


# kind -> what is expected, texts that keep to it, (text, what is found) of those that do not
KINDS: dict[str, tuple[Any, list[str], list[tuple[str, Any]]]] = {
    "words": ({"at_least": 3, "at_most": 4}, ["one two - three", "三个字", "don't do it"], [("one two", 2)]),
    "sentences": (
        {"exactly": 2},
        ["It is 3.5 m long. See Dr. Who!", "One… (Two.)", "一。二。", "1. First, e.g. this. Then that"],
        [("One. Two. Three", 3), ("", 0), ("None here", 1)],
    ),
    "paragraphs": ({"exactly": 2}, ["a\nb\n\nc", "\n\na\n \n\nb\n"], [("a\nb", 1)]),
    "bullets": ({"exactly": 2}, ["- a\n* b", "•a\n  - b\n**bold** c"], [("- a", 1), ("a - b", 0)]),
    "highlights": ({"at_least": 2}, ["*a* and **b c**"], [("*a* and * *", 1), ("2 * 3", 0)]),
    "placeholders": ({"at_least": 1}, ["Dear [name],"], [("Dear [],", 0)]),
    "capital_words": ({"at_most": 1}, ["The NASA one"], [("THE NASA one", 2)]),
    "commas": ({"exactly": 0}, ["no; none"], [("one, two", 1), ("一，二", 1)]),
    "occurrences": (
        {"war": {"at_least": 2}},
        ["War! And war."],
        [("war and warfare", {"war": 1})],
    ),
    "letters": ({"q": {"at_most": 1}, "!": {"exactly": 1}}, ["Quick!"], [("Quick, quick", {"q": 2, "!": 0})]),
    "sections": (
        {"SECTION": {"at_least": 2}},
        ["SECTION 1\na\nSECTION 2\nb"],
        [("SECTION 1", {"SECTION": 1})],
    ),
    "parts": (
        {"***": {"exactly": 2}},
        ["a\n***\nb", "***\na\n***\nb\n"],
        [("a", {"***": 1}), ("a***a", {"***": 1}), ("a *** *** b", {"***": 0})],
    ),
    "include": (
        ["late", "my parcel"],
        ["My PARCEL, is late."],
        [("my late parcels", {"missing": ["my parcel"]})],
    ),
    "exclude": (["fee"], ["feed"], [("a FEE!", ["fee"])]),
    "any_of": (["yes.", "no."], ["I say no."], [("I say No", "none of them")]),
    "starts_with": ("dear all", ["Dear all, hi"], [("Dear you, hi", "Dear you")]),
    "ends_with": ("Yours, Ann", ['"Hi. yours, ann" '], [("Yours, Bob", "Yours, Bob")]),
    "paragraph_starts": (
        {2: "then"},
        ["First\n\n*Then*, it"],
        [("First", {"2": ""}), ("a\n\nb", {"2": "b"})],
    ),
    "postscript": ("P.S.", ["Bye\nP.S. more", "p.s. more"], [("Bye", "no such line")]),
    "case": ("lower", ["all low, 3", "日本"], [("Not all", "N")]),
    "is_json": (
        True,
        ['{"a": 1}', "```json\n[1]\n```", "```JSON\n[1]\n```", "```\n{}```"],
        [("{a}", False), ("", False), ("[" * 100_000, False)],
    ),
    "has_title": (True, ["<<A title>>\ntext"], [("<< >>", False), ("<a>", False)]),
    "is_quoted": (True, ['"so"', "„so“"], [('"', False), ('"so', False)]),
}


def test_every_kind_is_tried() -> None:
    assert list(KINDS) == list(CHECKS) == [*FieldConstraints.model_fields]


@pytest.mark.parametrize("kind", KINDS)
def test_a_text_keeps_to_it_or_the_evidence_says_what_was_found(kind: str) -> None:
    expected, kept, not_kept = KINDS[kind]
    assert [text for text in kept if broken(text, **{kind: expected}) is not None] == []
    for text, found in not_kept:
        assert broken(text, **{kind: expected}) == (kind, found)


def test_what_must_not_be_can_be_asked_for() -> None:
    assert broken("{}", is_json=False) == ("is_json", True)
    assert broken("text", is_json=False) is None


@pytest.mark.parametrize("piece", [".", "a. ", "\n", "*", "<<a", "[a", "`", "- ", " ", "\"'", "\n "])
def test_no_text_takes_long(piece: str) -> None:
    asked = FieldConstraints.model_validate({kind: expected for kind, (expected, _, _) in KINDS.items()})
    text = piece * (300_000 // len(piece))
    began = time.process_time()
    for kind, check in CHECKS.items():
        check(text, getattr(asked, kind))
    assert time.process_time() - began < 10


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({}, "asks for nothing; there are: words, sentences"),
        ({"words": {}}, "counts nothing"),
        ({"words": {"at_least": 9, "at_most": 2}}, "no text is both"),
        ({"words": {"exactly": 9, "at_most": 9}}, "exactly stands alone"),
        ({"word": {"at_least": 2}}, "word"),
        ({"include": ["!?"]}, "no letter or digit"),
        ({"letters": {"ab": {"exactly": 1}}}, "at most 1 character"),
        ({"paragraph_starts": {0: "a"}}, "should match pattern"),
    ],
)
def test_what_cannot_be_checked_is_refused(wrong: Any, message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Constraints.Options.model_validate({"fields": {"answer": wrong}})


def verdict(asked: Any, **fields: Any) -> Verdict:
    options = Constraints.Options.model_validate({"fields": {"answer": asked}})
    (said,) = verdicts_of(Constraints.build(options, FilterContext(QUESTIONS)), [record("r", **fields)])
    return said


def test_the_evidence_names_the_field_the_constraint_and_what_it_expected() -> None:
    said = verdict(
        {"words": {"at_most": 2}, "commas": {"exactly": 0}}, question="Why?", answer="for no reason"
    )
    assert (said.keep, said.reason) == (False, "constraint_broken")
    assert said.evidence == {"field": "answer", "constraint": "words", "expected": {"at_most": 2}, "found": 3}
    said = verdict({"paragraph_starts": {1: "because"}}, answer="for no reason")
    assert said.evidence["expected"] == {"1": "because"}


def test_every_kind_can_stand_in_a_recipe_s_hash() -> None:
    asked = {kind: expected for kind, (expected, _, _) in KINDS.items()}
    options = Constraints.Options.model_validate({"fields": {"answer": asked}})
    assert normal_form(options.model_dump(mode="json"))


def test_of_a_conversation_the_assistant_keeps_to_it() -> None:
    turns = [{"role": "user", "content": "Why, oh why?"}, {"role": "assistant", "content": "So."}]
    assert verdict({"commas": {"exactly": 0}}, answer=turns).keep
    assert not verdict({"words": {"at_least": 2}}, answer=turns).keep


def test_a_field_that_the_task_does_not_have_is_told_before_a_run() -> None:
    options = Constraints.Options.model_validate({"fields": {"text": {"words": {"at_least": 1}}}})
    ((path, message),) = Constraints.problems(options, QUESTIONS)
    assert (path, message) == (
        ("fields", "text"),
        "'text' is no text field of the task; there are: question, answer",
    )


@pytest.mark.real_data
def test_it_says_what_the_strict_check_of_m_ifeval_says(real_data: Callable[[str], Path]) -> None:
    real_data("mifeval")
    figures = benchmark.measure()
    print(table(figures))
    overall = figures[0]
    assert overall.rows == 1_606
    assert overall.precision
    assert overall.recall
    assert overall.precision.value > 0.97
    assert overall.recall.value > 0.97
    assert len(figures) == 25
