"""Surrogates keep the form, are nobody's, and tell nothing of the original without the key."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from seedbed.text.check_digits import is_iban, luhn
from seedbed.text.personal_data import PERSONAL_KINDS, characters_of, find_personal_data
from seedbed.text.surrogates import Surrogates

MAKE = Surrogates(b"a key")

ORIGINALS = [
    ("email", "ada@brightmail.net", r"\w+@example\.(org|net|com)"),
    ("iban", "GB29 NWBK 6016 1331 9268 19", r"GB\d\d XXXX \d{4} \d{4} \d{4} \d\d"),
    ("iban", "de89370400440532013000", r"de\d\d9999\d{14}"),
    ("card", "4532-0151-1283-0366", r"\d{4}-\d{4}-\d{4}-\d{4}"),
    ("card", "371449635398430", r"\d{15}"),
    ("us_ssn", "219-09-9999", r"000-\d\d-\d{4}"),
    ("phone", "(415) 867-5309", r"\(\d{3}\) 555-01\d\d"),
    ("phone", "+1-415-867-5309 ext. 9", r"\+1-\d{3}-555-01\d\d"),
    ("phone", "+44 20 7123 4567", r"\+44 7700 900\d{3}"),
    ("phone", "01.84.17.61.18", r"(\d\d\.){4}\d\d|\d\d\.\d\d\.55\.50\.1\d"),
    ("ip", "81.2.69.142", r"(192\.0\.2|198\.51\.100|203\.0\.113)\.\d+"),
    ("ip", "2a02:26f0:1700::5", r"2001:db8::[0-9a-f]+:[0-9a-f]+"),
    ("es_dni", "12345678Z", r"\d{8}[A-Z]"),
    ("uk_nhs", "943 476 5919", r"\d{3} \d{3} \d{4}"),
    ("nl_bsn", "111222333", r"\d{9}"),
    ("de_tax_id", "86 095 742 719", r"\d\d \d{3} \d{3} \d{3}"),
    ("it_codice_fiscale", "RSSMRA85T10A562S", r"[A-Z]{6}\d\d[A-Z]\d\d[A-Z]\d{3}[A-Z]"),
    ("person", "Maria Lopez", r"\w+ \w+"),
    ("any text", "Kto-12 aB", r"[A-Z][a-z]{2}-\d\d [a-z][A-Z]"),
]
CLUES = {
    "uk_nhs": "NHS",
    "nl_bsn": "BSN",
    "de_tax_id": "IdNr",
    "es_dni": "DNI",
    "us_ssn": "SSN",
    "phone": "call",
}


@pytest.mark.parametrize(("kind", "original", "form"), ORIGINALS)
def test_a_surrogate_has_the_form_and_is_nobodys(kind: str, original: str, form: str) -> None:
    for key in range(50):
        made = Surrogates(f"key {key}".encode()).of(kind, original)
        assert re.fullmatch(form, made), made
        own = [kind] if kind in PERSONAL_KINDS else []
        assert find_personal_data(f"{CLUES.get(kind, '')} {made}", own) == []


@pytest.mark.parametrize(("kind", "original", "form"), ORIGINALS)
def test_equal_originals_get_equal_surrogates_and_another_key_gives_others(
    kind: str, original: str, form: str
) -> None:
    again = Surrogates(b"a key").of(kind, original.swapcase())
    assert MAKE.of(kind, original).casefold() == again.casefold()
    assert len({Surrogates(f"key {key}".encode()).of(kind, original) for key in range(20)}) >= 3


def test_one_value_in_two_spellings_is_one_surrogate_in_two_spellings() -> None:
    spaced, plain = MAKE.of("iban", "GB29 NWBK 6016 1331 9268 19"), MAKE.of("iban", "GB29NWBK60161331926819")
    assert characters_of(spaced) == plain
    assert MAKE.of("card", "4532-0151-1283-0366").replace("-", "") == MAKE.of("card", "4532015112830366")


def test_an_iban_and_a_card_fail_no_check_of_their_form() -> None:
    assert is_iban(MAKE.of("iban", "GB29NWBK60161331926819"))
    assert luhn(MAKE.of("card", "4532015112830366"))


def test_different_originals_rarely_meet() -> None:
    for kind in ("email", "iban", "us_ssn"):
        form = {"email": "a{}@brightmail.net", "iban": "GB29NWBK6016133{:07d}", "us_ssn": "219-09-{:04d}"}[
            kind
        ]
        made = Counter(MAKE.of(kind, form.format(n)) for n in range(1000))
        assert len(made) > 990
