from __future__ import annotations

import time
from typing import Any

import pytest
from pydantic import ValidationError

from seedbed.core.protocols import FilterContext
from seedbed.filters.format import Format
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, unread, verdicts_of

BODY = "I cannot find my last invoice. It was there on Monday."


def reason(text: str, context: FilterContext | None = None, **options: Any) -> str:
    built = build("format", context or FilterContext(TICKETS), **options)
    verdict = verdicts_of(built, [ticket(text)])[0]
    assert verdict.keep == (verdict.reason == "")
    return str(verdict.reason)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"Here is the ticket:\n\n{BODY}", "format_preamble"),
        (f"Sure! Here's a short message for you: {BODY}", "format_preamble"),
        (f"Here’s another one with a different mood:\n{BODY}", "format_preamble"),
        (f"Output: {BODY}", "format_preamble"),
        (f"{BODY}\n\nLet me know if you'd like me to adjust the tone.", "format_sign_off"),
        (f"{BODY} I hope this helps!", "format_sign_off"),
        (f"{BODY}\n\nNote: this is a fictional example.", "format_sign_off"),
        (f"```\n{BODY}\n```", "format_fence"),
        (f"{BODY}\n```", "format_fence"),
        (f"{BODY} Yours, [Your Name]", "format_placeholder"),
        (f"Dear [NAME], {BODY}", "format_placeholder"),
        (f"{BODY} {{{{ customer }}}}", "format_placeholder"),
        (f"{BODY}<|im_end|>", "format_control_token"),
        (f"As an AI language model I made this up. {BODY}", "format_boilerplate"),
    ],
)
def test_a_reply_s_wrapping_has_its_reason(text: str, expected: str) -> None:
    assert reason(text) == expected
    assert reason(text, allow=[expected.removeprefix("format_")]) != expected


@pytest.mark.parametrize(
    "text",
    [
        BODY,
        "Here is the error message: printer on fire.",
        "Here is my problem: nothing works.",
        "Sure, I can wait. But how long?",
        "Okay. Where do I find the export?",
        "Let me know if you need any more information.",
        "tell me how to edit my personal details.",
        "I hope this finds somebody who can help.",
        "See section [3] and the array a[0]; the set {x} is empty.",
        "Is it <b>bold</b> or <i>italic</i>?",
        "As an AI researcher I use your language model every day.",
        "** wow ** 2 * 3 * 4",
        "",
    ],
)
def test_what_people_write_stays(text: str) -> None:
    assert reason(text) == ""


def test_evidence_names_field_and_piece() -> None:
    pair = record("r", question="How long is it?", answer="Certainly! Here is the answer: two metres.")
    verdict = verdicts_of(build("format", FilterContext(QUESTIONS)), [pair])[0]
    assert verdict.evidence["field"] == "answer"
    assert "here is the answer:" in verdict.evidence["found"]


def test_a_sign_that_the_real_rows_carry_is_how_the_field_looks() -> None:
    real = [ticket(f"{BODY} [NAME]", f"a{n}") for n in range(3)] + [ticket(BODY, f"b{n}") for n in range(97)]
    assert reason(f"{BODY} [NAME]", FilterContext(TICKETS, real=real)) == ""
    assert reason(f"{BODY} [NAME]", FilterContext(TICKETS, real=real[2:])) == "format_placeholder"


def test_markdown_is_looked_for_where_enough_real_rows_have_none_or_the_recipe_says_so() -> None:
    text = f"**Urgent** {BODY}"
    real = [ticket(f"{BODY} {n}", f"r{n}") for n in range(50)]
    assert reason(text) == ""
    assert reason(text, FilterContext(TICKETS, real=real[:49])) == ""
    assert reason(text, FilterContext(TICKETS, real=real)) == "format_markdown"
    assert reason(text, FilterContext(TICKETS, real=real), fields={"text": {"markdown": True}}) == ""
    assert reason(text, fields={"text": {"markdown": False}}) == "format_markdown"
    marked = [ticket(f"# Title\n{BODY}", f"m{n}") for n in range(60)]
    assert reason(text, FilterContext(TICKETS, real=marked)) == ""
    assert reason(text, FilterContext(TICKETS, real=marked), fields={"text": {"markdown": False}})


def test_ten_words_in_a_row_of_the_prompt_are_a_leak_and_slots_are_not() -> None:
    prompt = "Write what a {{ who }} says, in one plain sentence that tells a concrete situation and no more."
    context = FilterContext(TICKETS, prompts=[prompt])
    leaked = "I want one plain sentence that tells a concrete situation and no more, please"
    assert reason(leaked, context) == "format_prompt_leak"
    assert reason("I want one plain sentence that tells a concrete situation, please", context) == ""
    assert reason("in one plain sentence that tells", context) == ""


@pytest.mark.parametrize(
    ("rules", "good", "bad", "expected"),
    [
        ({"pattern": "[A-Z].*[.?!]"}, "Where is it?", "Where is it", "format_pattern"),
        ({"pattern": "(?s).{5,20}"}, "five\nlines", "no", "format_pattern"),
        ({"pattern": r"\p{Lu}\p{L}+"}, "Ärger", "ärger", "format_pattern"),
        ({"max_lines": 2}, "one\ntwo\n", "one\ntwo\nthree", "format_lines"),
        ({"capital": True}, "«Where?", "where?", "format_start"),
        ({"capital": False}, "where?", "Where?", "format_start"),
        ({"capital": True}, "我的灯在哪里", "elle", "format_start"),
        ({"ends_with": ".?"}, "Where? ", "Where", "format_end"),
    ],
)
def test_rules_for_a_field(rules: dict[str, Any], good: str, bad: str, expected: str) -> None:
    assert reason(good, fields={"text": rules}) == ""
    assert reason(bad, fields={"text": rules}) == expected


def test_a_pattern_that_would_hang_a_backtracking_engine_does_not() -> None:
    built = build("format", FilterContext(TICKETS), fields={"text": {"pattern": "(a+)+"}})
    began = time.process_time()
    assert verdicts_of(built, [ticket("a" * 100_000 + "b")])[0].reason == "format_pattern"
    assert time.process_time() - began < 10  # two hours by backtracking, for 40 characters


@pytest.mark.parametrize("pattern", ["(", r"(a)\1", "(?=a)b", "a)(b"])
def test_a_pattern_that_is_none_is_refused(pattern: str) -> None:
    with pytest.raises(ValidationError, match="linear time"):
        Format.Options(fields={"text": {"pattern": pattern}})


def test_a_rule_for_what_is_no_text_field_is_a_problem() -> None:
    options = Format.Options(fields={"txt": {"max_lines": 1}, "label": {"capital": True}, "text": {}})
    assert [path for path, _ in Format.problems(options, TICKETS)] == [("fields", "txt"), ("fields", "label")]


def test_an_unreadable_reply_is_left_to_schema() -> None:
    assert verdicts_of(build("format", FilterContext(TICKETS)), [unread("Here is the ticket:\n{")])[0].keep
