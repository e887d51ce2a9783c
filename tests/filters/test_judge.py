"""`judge`: what it shows, what it takes for a score, and when a score drops."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.chat import Choice
from seedbed.core.errors import TemplateError
from seedbed.core.protocols import FilterContext
from seedbed.core.verdict import Regime, Verdict
from seedbed.filters.judge import Judge, read_score
from tests.filters.tickets import QUESTIONS, TICKETS, FromMemory, build, record, ticket

CONTEXT = FilterContext(TICKETS)


def says(score: Any, evidence: Any = "It fits.") -> str:
    return json.dumps({"evidence": evidence, "score": score})


def judged(*replies: Any, **options: Any) -> tuple[Verdict, FromMemory]:
    judge = build("judge", CONTEXT, **options)
    asking = FromMemory(judge, *replies)
    return asyncio.run(judge.check(ticket("Where is my parcel?"), asking)), asking


def test_a_score_ranks_and_carries_what_it_rests_on() -> None:
    verdict, asking = judged(says(2))
    assert (verdict.keep, verdict.score) == (True, 2.0)
    assert verdict.evidence["says"] == "It fits."
    assert len(verdict.evidence["replies"]) == len(asking.asked) == 1


@pytest.mark.parametrize(("score", "keep"), [(1, False), (3, False), (4, True), (5, True)])
def test_it_drops_below_min_where_the_recipe_trusts_it(score: int, keep: bool) -> None:
    verdict, _ = judged(says(score), min=4, trust="uncalibrated")
    assert (verdict.keep, verdict.reason) == (keep, "" if keep else "judge_below_min")
    assert verdict.score == score


@pytest.mark.parametrize("trusted", [False, True])
@pytest.mark.parametrize(
    ("regime", "keep", "reason", "asked"),
    [
        ("gates", False, "judge_below_min", 1),
        ("people", True, "judge_for_people", 1),
        ("off", True, "", 0),
    ],
)
def test_what_people_showed_decides_what_a_low_score_does(
    regime: Regime, keep: bool, reason: str, asked: int, trusted: bool
) -> None:
    options = {"trust": "uncalibrated"} if trusted else {}
    judge = build("judge", CONTEXT, min=4, calibration="file.json", **options).in_regime(regime)
    asking = FromMemory(judge, says(3))
    verdict = asyncio.run(judge.check(ticket("Where is my parcel?"), asking))
    assert (verdict.keep, verdict.reason, len(asking.asked)) == (keep, reason, asked)
    assert verdict.score == (None if regime == "off" else 3)
    assert verdict.evidence.get("unjudged") == ("judge_off" if regime == "off" else None)
    good = asyncio.run(judge.check(ticket("Where is it?"), FromMemory(judge, says(4))))
    assert (good.keep, good.reason) == (True, "")


def test_too_few_labels_leave_it_as_uncalibrated_as_before() -> None:
    for options, keep in (({"calibration": "file.json"}, True), ({"trust": "uncalibrated"}, False)):
        judge = build("judge", CONTEXT, min=4, **options).in_regime("uncalibrated")
        verdict = asyncio.run(judge.check(ticket("Where?"), FromMemory(judge, says(1))))
        assert (verdict.keep, verdict.score) == (keep, 1)


@pytest.mark.parametrize(
    "options", [{"min": 4}, {"trust": "uncalibrated"}, {"min": 1, "trust": "uncalibrated"}, {"trust": "me"}]
)
def test_min_and_trust_need_each_other(options: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Judge.Options(**options)


USELESS = [
    "I give it a 4.",
    says("4"),
    says(4.5),
    says(True),
    says(0),
    says(6),
    says(4, ""),
    says(4, None),
    "[4]",
]


@pytest.mark.parametrize("reply", USELESS)
def test_what_is_no_score_is_asked_again_with_the_error_and_never_guessed(reply: str) -> None:
    mended, asking = judged(reply, says(5))
    assert mended.score == 5
    assert len(mended.evidence["replies"]) == 2
    first, second = (messages[-1].content for messages in asking.asked)
    assert "could not be used" not in first
    assert "could not be used" in second
    given_up, asking = judged(reply)
    assert (given_up.keep, given_up.score, given_up.evidence["unjudged"]) == (True, None, "unreadable")
    assert len(asking.asked) == 2


def test_a_fence_is_taken_off_and_a_cut_answer_is_none() -> None:
    assert read_score(Choice(f"```json\n{says(3)}\n```")) == (3, "It fits.")
    assert "token limit" in read_score(Choice(says(3), finish_reason="length"))


@given(st.text(st.characters(codec=None, categories=None)))
def test_no_text_can_end_the_record_it_stands_in(text: str) -> None:
    judge = build("judge", CONTEXT)
    asking = FromMemory(judge, says(3))
    asyncio.run(judge.check(ticket(text), asking))
    lines = asking.asked[0][-1].content.split("\n")
    assert len(lines) == 3
    assert lines[2].replace("</record", "<record") == lines[0]
    assert lines[0].removeprefix('<record id="').removesuffix('">') not in lines[1]
    shown = json.loads(lines[1])["text"]
    assert shown.encode("utf-8", "surrogatepass") == text.encode("utf-8", "surrogatepass")


def test_every_task_has_its_rubric_and_a_kind_without_one_says_what_to_do() -> None:
    questions = build("judge", FilterContext(QUESTIONS))
    asking = FromMemory(questions, says(3))
    asyncio.run(questions.check(record("q", question="Why?", answer="Because."), asking))
    assert "assistant" in asking.asked[0][0].content
    other = FilterContext(QUESTIONS.__class__("poems", ("text",), ("text",)))
    with pytest.raises(TemplateError, match=r"no rubric for poems; write one"):
        build("judge", other)


def test_a_rubric_of_the_recipe_stands_in_the_frame(tmp_path: Path) -> None:
    (tmp_path / "mine.md").write_text("Is it about {{ labels | join(' or ') }}? {{ '{{' }}")
    judge = build("judge", FilterContext(TICKETS, folder=tmp_path), rubric="mine.md")
    asking = FromMemory(judge, says(3))
    asyncio.run(judge.check(ticket("{{ 7 * 7 }}"), asking))
    system, user = asking.asked[0]
    assert system.content.startswith("Is it about lost or fee? {{")
    assert "never an instruction" in system.content
    assert "{{ 7 * 7 }}" in user.content


@pytest.mark.parametrize(
    ("rubric", "message"),
    [
        (None, "no such template file"),
        ("", "the rubric is empty"),
        ("Good?\n{{ data }}", "mine.md:2: a rubric cannot use 'data'; it has: task, labels, fields"),
        ("Good?\n{% if %}", "mine.md:2: not a valid template"),
    ],
)
def test_a_rubric_that_cannot_be_used_is_refused(tmp_path: Path, rubric: str | None, message: str) -> None:
    if rubric is not None:
        (tmp_path / "mine.md").write_text(rubric)
    with pytest.raises(TemplateError, match=r"mine\.md") as caught:
        build("judge", FilterContext(TICKETS, folder=tmp_path), rubric="mine.md")
    assert message in str(caught.value)


def test_the_prompt_changes_with_the_version_only() -> None:
    """A changed rubric or frame asks every judge anew: whoever changes one means it."""
    hashes = {
        task.kind: next(iter(build("judge", FilterContext(task)).prompts.values())).hash
        for task in (TICKETS, QUESTIONS)
    }
    golden = {"classification": "9e8621b7c6596ff2fb025edf", "instruction": "899ef3d229b182782cd91942"}
    assert (Judge.version, hashes) == (1, golden)
