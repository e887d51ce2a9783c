"""Numbers, dates and names of an answer are looked for in its source, however they are written."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from seedbed.sources.chunks import Chunking
from seedbed.text.claims import ClaimKind, span_of, unsupported

SOURCE = (
    "Created: 04-Jun-2019. This rule of Łukasz Torrick's office holds for seventeen months\nfrom October "
    "5th, 2020; it replaces *Rule 602*, which cost 1,188.50 euros and took 4 people."
)


@pytest.mark.parametrize(
    "answer",
    [
        "It was created on June 4, 2019.",
        "It was created on the 4th of June 2019.",
        "It dates from 2019-06-04, or 04.06.2019, or 06/04/2019.",
        "It dates from June 2019.",
        "It holds from 5 October 2020, that is, from 2020 on.",
        "It holds for 17 months and took four people.",
        "It cost 1188.5 euros.",
        "Torrick wrote it. Yes. One of them did, namely Łukasz. Then I left.",
        "1. Rule 602 is replaced.\n2. It took four people.\n3. That is all.",
        "",
    ],
)
def test_what_the_source_says_in_another_form_is_supported(answer: str) -> None:
    assert unsupported(answer, SOURCE) == []


@pytest.mark.parametrize(
    ("answer", "kind", "text"),
    [
        ("It was created on June 5, 2019.", "date", "June 5, 2019"),
        ("It was created on 4 July 2019.", "date", "4 July 2019"),
        ("It dates from 2018-06-04.", "date", "2018-06-04"),
        ("It holds from 5 October 2019.", "date", "5 October 2019"),
        ("It holds from 7 October.", "date", "7 October"),
        ("It holds for 18 months.", "number", "18"),
        ("It holds for twenty-one months.", "number", "twenty-one"),
        ("It cost 1,188.60 euros.", "number", "1188.6"),
        ("It replaces RULE-603.", "number", "603"),
        ("It was written by Quenda.", "name", "Quenda"),
        ("Quenda Torrick wrote it.", "name", "Quenda"),
        ("It is on GitLab.", "name", "GitLab"),
    ],
)
def test_what_the_source_does_not_say_is_named_as_it_is_written(answer: str, kind: str, text: str) -> None:
    (claim,) = unsupported(answer, SOURCE)
    assert (claim.kind, claim.text) == (kind, text)


def test_kinds_that_are_not_asked_for_are_left_alone() -> None:
    answer = "It was Quenda on 4 July 2019, for 3 people."
    assert {claim.kind for claim in unsupported(answer, SOURCE)} == {"date", "number", "name"}
    date: ClaimKind = "date"
    assert unsupported(answer, SOURCE, ()) == []
    assert [claim.kind for claim in unsupported(answer, SOURCE, [date])] == ["date"]


def test_a_quote_is_found_across_breaks_of_lines_and_nowhere_else() -> None:
    start, end = span_of("holds for  seventeen months from October", SOURCE) or (0, 0)
    assert SOURCE[start:end] == "holds for seventeen months\nfrom October"
    assert span_of("holds for eighteen months", SOURCE) is None
    assert span_of(" ", SOURCE) is None


@pytest.mark.real_data
def test_on_sentences_of_real_documents(real_data: Callable[[str], Path]) -> None:
    """A sentence is supported by its own passage; with one of its numbers changed it is not."""
    sentences = kept = changed = found = 0
    for file in sorted(real_data("peps/peps").glob("*.rst")):
        for chunk in Chunking(400).chunks(file.read_text("utf-8")):
            for sentence in re.split(r"(?<=[.!?])\s+", chunk.text):
                sentences += 1
                kept += not unsupported(sentence, chunk.text)
                numbers = list(re.finditer(r"(?<![\w.,])\d{2,4}(?![\w.,]\d|\w)", sentence))
                if numbers:
                    at = random.Random(sentence).choice(numbers)
                    other = f"{sentence[: at.start()]}{int(at.group()) + 7_000}{sentence[at.end() :]}"
                    changed += 1
                    found += bool(unsupported(other, chunk.text))
    print(f"{kept} of {sentences} sentences stand on their passage; {found} of {changed} changed ones do not")
    assert sentences > 5_000
    assert changed > 300
    assert kept == sentences
    assert found == changed
