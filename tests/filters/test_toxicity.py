"""Filter `toxicity`: the list flags, the model decides; which words are found is tested in tests/text."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.filters import toxicity
from benchmarks.filters.figure import table
from seedbed.core.protocols import FilterContext
from seedbed.core.verdict import Verdict
from seedbed.filters.toxicity import Toxicity
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, verdicts_of

LONG = "I wrote to you on Monday because the parcel did not arrive and nobody told me why. " * 8


def verdict(text: str, **options: Any) -> Verdict:
    said: list[Verdict] = verdicts_of(build("toxicity", FilterContext(TICKETS), **options), [ticket(text)])
    return said[0]


def test_a_word_of_the_list_flags_and_the_evidence_says_where() -> None:
    said = verdict("you are an 1d10t, you moron")
    assert (said.filter, said.keep, said.reason) == ("toxicity@1", True, "toxic_words")
    assert said.evidence == {"kind": "insult", "field": "text", "start": 11, "end": 16, "found": 2}
    assert verdict("you are an 1d10t", allow=["IDIOT"]).reason == ""


def test_every_text_field_is_looked_at() -> None:
    one = record("r", question="How do I log in?", answer="Read the page, you moron.")
    (said,) = verdicts_of(build("toxicity", FilterContext(QUESTIONS)), [one])
    assert (said.evidence["field"], said.reason) == ("answer", "toxic_words")


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"reject_from": 0.9}, "add model: linear"),
        ({"allow": ["parcel"]}, "'parcel' is not in the list"),
        ({"model": "quadratic"}, "linear"),
        ({"model": "linear", "reject_from": 0}, "greater than 0"),
    ],
)
def test_options_that_say_nothing_are_refused(options: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        Toxicity.Options(**options)


def test_what_no_model_looked_at_is_said() -> None:
    assert "toxicity: {model: linear}" in (Toxicity.not_checked(Toxicity.Options()) or "")
    assert Toxicity.not_checked(Toxicity.Options(model="linear")) is None


def test_a_model_that_is_not_installed_is_refused_with_the_remedy() -> None:
    problems = list(Toxicity.problems(Toxicity.Options(model="linear"), TICKETS))
    if find_spec("profanity_check") is None:
        assert problems == [
            (("model",), "the linear model needs alt-profanity-check: pip install 'seedbed[toxicity]'")
        ]
    else:
        assert problems == []
    assert list(Toxicity.problems(Toxicity.Options(), TICKETS)) == []


class TestLinearModel:
    @pytest.fixture(autouse=True)
    def _installed(self) -> None:
        pytest.importorskip("profanity_check", reason="the extra toxicity is not installed")

    def test_it_rejects_by_the_worst_words_of_a_long_text(self) -> None:
        said = verdict(f"{LONG}You stupid idiot {LONG}", model="linear")
        assert (said.keep, said.reason, said.evidence) == (False, "toxic", {"model": "alt-profanity-check"})
        assert said.score is not None
        assert said.score >= 0.99

    def test_below_reject_from_the_list_flags_with_the_score(self) -> None:
        said = verdict("The wanker of the team wrote it.", model="linear", reject_from=1)
        assert (said.keep, said.reason) == (True, "toxic_words")
        assert said.score is not None
        assert 0 < said.score < 1
        assert verdict(LONG, model="linear").reason == ""

    def test_each_record_has_its_own_score_and_one_without_text_has_none_to_fear(self) -> None:
        records = [ticket(LONG, "a"), ticket(None, "b"), ticket("What an asshole.", "c"), ticket("", "d")]
        each = build("toxicity", FilterContext(TICKETS), model="linear")
        assert [said.keep for said in verdicts_of(each, records)] == [True, True, False, True]
        assert verdicts_of(each, []) == []


@pytest.mark.real_data
def test_what_people_wrote_is_hardly_flagged_and_a_made_up_insult_found(
    real_data: Callable[[str], Path],
) -> None:
    for name in ("anthropic_evals", "banking77"):
        real_data(name)
    pytest.importorskip("profanity_check", reason="the extra toxicity is not installed")
    figures = toxicity.measure()
    print(table(figures))
    for figure in figures[:2]:
        assert figure.false_drop
        assert figure.false_drop.value <= 0.005
    words, model, *_ = figures
    assert words.recall
    assert words.recall.value > 0.7
    assert model.recall
    assert model.recall.value > 0.3
