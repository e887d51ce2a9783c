"""Filter `secrets`: what it says of a record; what is a secret is tested in tests/text."""

from __future__ import annotations

from seedbed.core.protocols import FilterContext
from seedbed.core.verdict import Verdict
from tests.filters.tickets import QUESTIONS, TICKETS, build, record, ticket, verdicts_of

TOKEN = "gh" + "p_q7Zk3pX9vB2nM5tR8wL4cY6hJ1dF0gSaEuIo"


def verdict(text: str) -> Verdict:
    said: list[Verdict] = verdicts_of(build("secrets", FilterContext(TICKETS)), [ticket(text)])
    return said[0]


def test_the_evidence_says_where_and_never_what() -> None:
    said = verdict(f"please use {TOKEN} for it")
    assert (said.filter, said.keep, said.reason) == ("secrets@1", False, "secret")
    assert said.evidence == {"kind": "github_token", "field": "text", "start": 11, "end": 51, "found": 1}
    assert TOKEN[4:] not in repr(said)


def test_every_text_field_is_looked_at_and_the_first_find_is_told() -> None:
    one = record("r", question="How do I log in?", answer=f"With {TOKEN} or {TOKEN}.")
    (said,) = verdicts_of(build("secrets", FilterContext(QUESTIONS)), [one])
    assert (said.evidence["field"], said.evidence["found"]) == ("answer", 2)


def test_what_people_write_of_their_passwords_stays() -> None:
    assert verdict("I forgot my password, and the token that you sent has 6 digits.").keep
    assert verdict("password: str = os.environ['DB_PASSWORD_1']").keep
