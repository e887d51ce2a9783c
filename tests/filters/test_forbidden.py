from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from seedbed.core.protocols import FilterContext
from seedbed.filters.forbidden import Forbidden
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, unread, verdicts_of


def found(text: str, *phrases: str, **options: Any) -> Any:
    built = build("forbidden", FilterContext(TICKETS), phrases=phrases, **options)
    verdict = verdicts_of(built, [ticket(text)])[0]
    assert verdict.reason == ("" if verdict.keep else "forbidden")
    return None if verdict.keep else dict(verdict.evidence)


@pytest.mark.parametrize(
    ("phrase", "text", "there"),
    [
        ("fee", "No FEE, please!", True),
        ("fee", "the feed is late", False),
        ("fee", "coffee", False),
        ("money back", "my money,\n BACK now", True),
        ("money back", "money is back", False),
        ("fee", "a ｆｅｅ here", True),
        ("fee", "a f\u200bee here", True),
        ("straße", "die STRASSE", True),
        ("кот", "мой кот спит", True),
        ("кот", "коты спят", False),
        ("कम", "बहुत कम है", True),
        ("कम", "कमी है", False),
        ("قط", "عندي قط صغير", True),
        ("退款", "我要退款吗", True),
        ("退款", "退 款", True),
        ("c++", "I like C.", True),
    ],
)
def test_whole_words_in_any_script(phrase: str, text: str, there: bool) -> None:
    assert (found(text, phrase) is not None) == there


def test_evidence_names_the_entry_as_it_is_written() -> None:
    assert found("give me my Money back", "fee", "Money Back") == {"entry": 1, "phrase": "Money Back"}
    evidence = found("order 12345678", "fee", patterns=[r"\b[0-9]{8}\b"])
    assert evidence == {"entry": 0, "pattern": r"\b[0-9]{8}\b"}


def test_patterns_see_the_text_as_it_stands() -> None:
    assert found("ACME ltd", patterns=["Acme"]) is None
    assert found("ACME ltd", patterns=["(?i)acme"]) == {"entry": 0, "pattern": "(?i)acme"}


def test_every_text_field_is_looked_at_and_no_unreadable_reply() -> None:
    built = build("forbidden", FilterContext(QUESTIONS), phrases=["metres"])
    pair = record("r", question="How long?", answer="Two metres.")
    verdicts = verdicts_of(built, [pair, unread("metres")])
    assert [verdict.keep for verdict in verdicts] == [False, True]


def test_a_file_of_phrases_is_part_of_the_options(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("# not these\nmoney back\n\nfee\n", "utf-8")
    context = {"folder": tmp_path}
    options = Forbidden.Options.model_validate({"file": "words.txt", "phrases": ["fee"]}, context=context)
    assert options.phrases == ("fee", "money back")


def test_a_file_that_cannot_be_used_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty.txt").write_text("# nothing\n")
    (tmp_path / "latin.txt").write_bytes(b"caf\xe9\n")
    for name, message in (
        ("none.txt", "no such file"),
        ("empty.txt", "has no phrase"),
        ("latin.txt", "not UTF-8 at byte 3"),
    ):
        with pytest.raises(ValidationError, match=message):
            Forbidden.Options.model_validate({"file": name}, context={"folder": tmp_path})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "forbids nothing"),
        ({"phrases": ["!!"]}, "no letter or digit"),
        ({"patterns": ["("]}, "linear time"),
        ({"patterns": ["a*"]}, "matches the empty text"),
    ],
)
def test_what_forbids_nothing_or_everything_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Forbidden.Options(**options)


@given(before=st.text(max_size=30), after=st.text(max_size=30))
def test_a_phrase_between_spaces_is_found_whatever_stands_around(before: str, after: str) -> None:
    assert found(f"{before} money back {after}", "money back") is not None
