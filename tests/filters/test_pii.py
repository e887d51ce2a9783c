"""Filter `pii`: what it says of a record, what may stand, and names through a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from benchmarks.filters.figure import Rate, table
from benchmarks.filters.pii import measure
from seedbed.core.protocols import FilterContext
from seedbed.core.verdict import Verdict
from seedbed.filters.pii import Pii
from seedbed.tasks.conversation import Conversation
from tests.filters.pipelines import pipeline_of_names
from tests.filters.tickets import TICKETS, build, record, ticket, verdicts_of

EMAIL, IBAN = "ada@brightmail.net", "GB29 NWBK 6016 1331 9268 19"
CHAT = Conversation.bind(Conversation.Options(), None)


def verdict(text: str, **options: Any) -> Verdict:
    said: list[Verdict] = verdicts_of(build("pii", FilterContext(TICKETS), **options), [ticket(text)])
    return said[0]


def test_the_evidence_says_where_and_never_what() -> None:
    said = verdict(f"pay to {IBAN}, please, {EMAIL}")
    assert (said.filter, said.keep, said.reason) == ("pii@1", False, "pii")
    assert said.evidence == {"kind": "iban", "field": "text", "start": 7, "end": 34, "found": 2}


def test_a_conversation_is_read_turn_by_turn() -> None:
    turns = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": f"Write to {EMAIL}"}]
    (said,) = verdicts_of(build("pii", FilterContext(CHAT)), [record("r", messages=turns)])
    assert said.evidence == {
        "kind": "email",
        "field": "messages",
        "turn": 1,
        "start": 9,
        "end": 27,
        "found": 1,
    }


@pytest.mark.parametrize(
    "reserved",
    [
        "ada@example.org",
        "(415) 555-0123",
        "4111 1111 1111 1111",
        "192.0.2.7",
        "000-12-3456",
        "GB60 XXXX 0671 0329 2661 13",
    ],
)
def test_reserved_values_are_nobodys(reserved: str) -> None:
    assert verdict(f"call or write: {reserved}").keep


def test_what_is_allowed_may_stand() -> None:
    assert not verdict(f"write to {EMAIL}", allow=["help@brightmail.net"]).keep
    assert verdict(f"write to {EMAIL}", allow=["ADA@brightmail.net"]).keep
    assert verdict(f"write to {EMAIL}", allow=["@brightmail.net"]).keep
    assert verdict(f"pay to {IBAN}", allow=["GB29NWBK60161331926819"]).keep
    with pytest.raises(ValidationError, match="has no letter or digit"):
        Pii.Options(allow=("--",))


def test_kinds_that_are_not_asked_for_stay() -> None:
    assert verdict(f"pay to {IBAN}", kinds=["email", "card"]).keep
    with pytest.raises(ValidationError, match="'email'"):
        Pii.Options.model_validate({"kinds": ["e-mail"]})


def test_names_are_not_checked_without_a_pipeline_and_it_says_so() -> None:
    assert verdict("I am Maria Lopez of Lyon").keep
    assert "names of persons and places" in str(Pii.not_checked(Pii.Options()))


def test_names_are_found_by_the_pipeline_that_is_named(tmp_path: Path) -> None:
    model = pipeline_of_names(tmp_path / "names", PERSON="Maria Lopez", GPE="Lyon")
    options = Pii.Options.model_validate({"names": {"model": model}})
    assert Pii.not_checked(options) is None
    assert list(Pii.problems(options, TICKETS)) == []
    said = verdict("Good day, I am Maria Lopez.", names={"model": model})
    assert said.evidence == {"kind": "person", "field": "text", "start": 15, "end": 26, "found": 1}
    assert verdict("The trains to Lyon are late.", names={"model": model}).keep
    places = {"model": model, "kinds": ["person", "place"]}
    assert verdict("The trains to Lyon are late.", names=places).evidence["kind"] == "place"


def test_a_pipeline_that_is_not_there_is_told_before_the_run() -> None:
    options = Pii.Options.model_validate({"names": {"model": "no_such_pipeline"}})
    ((path, message),) = Pii.problems(options, TICKETS)
    assert path == ("names", "model")
    assert "no_such_pipeline" in message or "seedbed[presidio]" in message


@pytest.mark.real_data
def test_spans_of_published_sentences_are_found(real_data: Callable[[str], Path]) -> None:
    """In the templates that are held out: benchmarks/filters/pii.py."""
    real_data("presidio/data/synth_dataset_v2.json")
    real_data("anthropic_evals/advanced-ai-risk/human_generated_evals")
    *kinds, people = measure()
    print("names and places: not checked\n" + table([*kinds, people]))
    recall = {figure.data.split()[3]: figure.recall for figure in kinds}
    for kind in ("card", "iban", "us_ssn", "email"):
        found = recall[kind]
        assert found is not None
        assert found.of > 0
        assert found.value >= 0.99
    for figure in kinds:
        assert figure.precision is not None
        assert figure.precision.hits == figure.precision.of
    assert people.false_drop == Rate(0, 1000)
