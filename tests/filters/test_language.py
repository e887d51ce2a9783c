from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.filters import language as benchmark
from benchmarks.filters.figure import table
from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.filters.language import Language
from seedbed.tasks.translation import Translation
from tests.filters.tickets import TICKETS, record, ticket, verdicts_of

RealData = Callable[[str], Path]

ENGLISH = "The parcel was to come on Monday and has not come yet."
GERMAN = "Das Paket sollte am Montag kommen und ist noch nicht da."
FRENCH = "Le colis devait arriver lundi et il n'est toujours pas là."
CROATIAN = "Paket je trebao stići u ponedjeljak, a još uvijek ga nema."


def language(real: list[Record] | None = None, task: Any = TICKETS, **options: Any) -> Language:
    return Language.build(Language.Options(**options), FilterContext(task, real=real or []))


def reasons(each: Language, *texts: str) -> list[str]:
    return [verdict.reason for verdict in verdicts_of(each, [ticket(text) for text in texts])]


def test_languages_by_code_or_name_and_no_others() -> None:
    each = language(languages=["en", "German"])
    assert each.expected == {"text": ("en", "de")}
    assert reasons(each, ENGLISH, GERMAN, FRENCH) == ["", "", "wrong_language"]


def test_the_evidence_says_what_was_told_and_how_surely() -> None:
    (verdict,) = verdicts_of(language(languages=["en"]), [ticket(GERMAN)])
    assert verdict.evidence == {"field": "text", "told": "de", "expected": ["en"]}
    assert verdict.score is not None
    assert verdict.score > 20 / 21


def test_of_fewer_than_20_letters_and_of_no_language_nothing_is_said() -> None:
    each = language(languages=["en"])
    assert reasons(each, "Guten Tag, danke!", "", "1234 5678 :-)", "a" * 5000) == [""] * 4


def test_languages_that_nobody_tells_apart_count_as_one() -> None:
    assert reasons(language(languages=["sr"]), CROATIAN) == [""]
    assert reasons(language(languages=["sl"]), CROATIAN) == ["wrong_language"]


def test_a_conversation_is_told_by_all_that_is_said() -> None:
    turns = [{"role": "user", "content": "Ja, gerne."}, {"role": "assistant", "content": GERMAN}]
    (verdict,) = verdicts_of(language(languages=["en"]), [record("r", text=turns, label="fee")])
    assert verdict.reason == "wrong_language"


def test_learnt_from_real_rows_but_not_from_a_stray_one() -> None:
    def rows(*counted: tuple[str, int]) -> list[Record]:
        return [ticket(f"{text} {at}", f"{text[:3]}{at}") for text, count in counted for at in range(count)]

    assert language(rows((ENGLISH, 30), (FRENCH, 1))).expected == {"text": ("en",)}
    assert language(rows((ENGLISH, 30), (FRENCH, 2))).expected == {"text": ("en", "fr")}
    # Of 500, two are 1 in 200 at most.
    assert language(rows((ENGLISH, 498), (FRENCH, 2))).expected == {"text": ("en",)}
    assert language(rows((GERMAN, 1))).expected == {"text": ("de",)}


def test_each_side_of_a_translation_keeps_to_its_own() -> None:
    task = Translation.bind(Translation.Options(**{"from": "English", "to": "German"}), None)
    each = language([record(str(at), source=ENGLISH, target=GERMAN) for at in range(5)], task)
    right, turned = record("a", source=ENGLISH, target=GERMAN), record("b", source=GERMAN, target=ENGLISH)
    assert [verdict.keep for verdict in verdicts_of(each, [right, turned])] == [True, False]
    only = language(task=task, languages=["de"], fields=["target"])
    assert [verdict.keep for verdict in verdicts_of(only, [right, turned])] == [True, False]


def test_a_language_that_cannot_be_told_is_refused() -> None:
    with pytest.raises(ValidationError, match="'Sorbian' is no language that can be told"):
        Language.Options(languages=("Sorbian",))


def test_what_is_lacking_is_said_before_a_run() -> None:
    learning, told = Language.Options(), Language.Options(languages=("en",))
    (message,) = Language.problems_with_rows(learning, TICKETS, [ticket("too short")])
    assert "name them: {languages: [en]}" in message
    assert Language.problems_with_rows(told, TICKETS, []) == []
    assert Language.problems_with_rows(learning, TICKETS, [ticket(ENGLISH)]) == []
    ((path, message),) = Language.problems(Language.Options(fields=("txt",)), TICKETS)
    assert (path, message) == (("fields",), "'txt' is no text field of the task; there are: text")


@pytest.mark.real_data
def test_texts_in_other_languages_are_found_among_english_of_people(real_data: RealData) -> None:
    for name in ("mifeval", "anthropic_evals", "banking77", "clinc150"):
        real_data(name)
    figures = benchmark.measure()
    print(table(figures))
    asked, mixed, *_ = figures
    assert asked.precision
    assert asked.precision.value >= 0.95
    assert mixed.recall
    assert mixed.recall.value >= 0.95
    for figure in figures:
        assert figure.false_drop
        assert figure.false_drop.value <= 0.002
