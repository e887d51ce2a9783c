"""What is taken for personal data, what is not, and that no text takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seedbed.text.personal_data import PERSONAL_KINDS, find_personal_data

FOUND = [
    ("email", "write to ada.byron+work@brightmail.co.uk, please", "ada.byron+work@brightmail.co.uk"),
    ("email", "<jörg@müller-bau.de>", "jörg@müller-bau.de"),
    ("iban", "pay to GB29 NWBK 6016 1331 9268 19 today", "GB29 NWBK 6016 1331 9268 19"),
    ("iban", "de89370400440532013000.", "de89370400440532013000"),
    ("card", "4532 0151 1283 0366 was charged", "4532 0151 1283 0366"),
    ("card", "it is 4532-0151-1283-0366", "4532-0151-1283-0366"),
    ("card", "card 4532 0151 1283 0366 77 days ago", "4532 0151 1283 0366"),
    ("card", "4532 0151 1283 0366 1033.58 in all", "4532 0151 1283 0366"),
    ("card", "1234 4532 0151 1283 0366", "4532 0151 1283 0366"),
    ("us_ssn", "my SSN: 219-09-9999", "219-09-9999"),
    ("us_ssn", "social security number 219 09 9999", "219 09 9999"),
    ("es_dni", "DNI 12345678Z", "12345678Z"),
    ("es_dni", "NIE x1234567l", "x1234567l"),
    ("uk_nhs", "NHS number 943 476 5919", "943 476 5919"),
    ("nl_bsn", "mijn BSN is 111222333", "111222333"),
    ("de_tax_id", "Steuer-ID: 86 095 742 719", "86 095 742 719"),
    ("it_codice_fiscale", "CF rssmra85t10a562s", "rssmra85t10a562s"),
    ("ip", "from 81.2.69.142 at noon", "81.2.69.142"),
    ("ip", "2a02:26f0:1700::5", "2a02:26f0:1700::5"),
    ("phone", "call (415) 867-5309 now", "(415) 867-5309"),
    ("phone", "415-867-5309", "415-867-5309"),
    ("phone", "+44 20 7123 4567", "+44 20 7123 4567"),
    ("phone", "my mobile is 079 2718 1155", "079 2718 1155"),
    ("phone", "415.867.5309x22", "415.867.5309x22"),
]

NOTHING = """someone@example.org and me@mail.example.com
git@github.com:owner/project.git
@property of pkg@1.2.3
4111 1111 1111 1111 is the number for tests
4532 0151 1283 0367 has a wrong check digit
order 4532015112830366123456
GB28 NWBK 6016 1331 9268 19
invoice 943 476 5919 without a word of what it is
111222333 apples
000-12-3456 and 987-65-4321
219 09 9999
127.0.0.1, 10.0.0.5, 192.168.1.1 and 192.0.2.7
version 81.2.69.142
2001:db8::1
at 12:30:45 and 1::2 of std::vector
(415) 555-0123
07700 900123
on 2024-01-15 from 10:00 to 12:30
call back on 2024-01-15
3.14159265358979
0xdeadbeef12345678a
the years 1999 2000 2001
deadbeef-1234-5678-9abc-def012345678
1,234,567,890 people
12345678A is no DNI""".splitlines()


@pytest.mark.parametrize(("kind", "text", "value"), FOUND)
def test_a_value_is_found_where_it_stands(kind: str, text: str, value: str) -> None:
    found = find_personal_data(text, PERSONAL_KINDS)
    assert [(span.kind, text[span.start : span.end]) for span in found] == [(kind, value)]
    assert find_personal_data(text, set(PERSONAL_KINDS) - {kind, "phone"}) == []


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_it_is_left(text: str) -> None:
    assert find_personal_data(text, PERSONAL_KINDS) == []


def test_several_are_found_in_order() -> None:
    text = "a@brightmail.net or 415-867-5309, IBAN GB29NWBK60161331926819"
    assert [span.kind for span in find_personal_data(text, PERSONAL_KINDS)] == ["email", "phone", "iban"]


@given(st.text(st.characters(codec=None, categories=None), max_size=200) | st.text("0123456789 -.()+@:aXZ"))
@settings(max_examples=300)
def test_any_text_gets_an_answer(text: str) -> None:
    end = 0
    for span in find_personal_data(text, PERSONAL_KINDS):
        assert end <= span.start < span.end <= len(text)
        end = span.end


@pytest.mark.parametrize(
    "piece",
    ["a", "1 ", "1-", "+1", "a@", "x@a.", "GB12 ", "(1", "::1", "1.1.", "4532 0151 ", "X1234567", "call 1"],
)
def test_time_grows_with_the_length_alone(piece: str) -> None:
    """Ten times the text, not a hundred times the time; the clock of a shared machine is given room."""

    def seconds(size: int) -> float:
        text = piece * (size // len(piece))
        began = time.process_time()
        find_personal_data(text, PERSONAL_KINDS)
        return time.process_time() - began

    seconds(1000)
    assert seconds(200_000) < 40 * seconds(20_000) + 0.05
