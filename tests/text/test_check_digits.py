"""Check digits, by examples that those who issue the numbers publish, and by one wrong digit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from seedbed.text.check_digits import (
    is_card,
    is_de_tax_id,
    is_es_dni,
    is_iban,
    is_it_codice_fiscale,
    is_nl_bsn,
    is_uk_nhs,
    is_us_ssn,
)

RIGHT: tuple[tuple[Callable[[str], bool], str], ...] = (
    (is_card, "4111111111111111"),
    (is_card, "5555555555554444"),
    (is_card, "378282246310005"),
    (is_card, "30569309025904"),
    (is_card, "6304000000000000"),
    (is_iban, "GB82WEST12345698765432"),
    (is_iban, "DE89370400440532013000"),
    (is_iban, "FR1420041010050500013M02606"),
    (is_iban, "NO9386011117947"),
    (is_es_dni, "12345678Z"),
    (is_es_dni, "X1234567L"),
    (is_uk_nhs, "9434765919"),
    (is_nl_bsn, "111222333"),
    (is_de_tax_id, "86095742719"),
    (is_it_codice_fiscale, "RSSMRA85T10A562S"),
)


@pytest.mark.parametrize(("check", "number"), RIGHT)
def test_a_right_number_is_right_and_with_another_last_character_wrong(
    check: Callable[[str], bool], number: str
) -> None:
    assert check(number)
    last = (
        chr((ord(number[-1]) - 65 + 1) % 26 + 65) if number[-1].isalpha() else str((int(number[-1]) + 1) % 10)
    )
    assert not check(number[:-1] + last)


def test_two_digits_in_each_others_place_are_seen() -> None:
    assert not is_iban("DE89370400440532010300")
    assert not is_uk_nhs("9434769519")
    assert not is_nl_bsn("112122333")


def test_a_card_has_a_length_that_its_issuer_uses() -> None:
    assert not is_card("411111111111116")  # Luhn's sum is right, and Visa has no 15 digits
    assert not is_card("9999999999999995")


def test_an_iban_has_the_length_of_its_country() -> None:
    assert not is_iban("GB82WEST123456987654")
    assert not is_iban("ZZ8937040044053201300")


@pytest.mark.parametrize("never", ["000123456", "666123456", "900123456", "123004567", "123450000"])
def test_some_social_security_numbers_are_never_given_out(never: str) -> None:
    assert is_us_ssn("123456789")
    assert not is_us_ssn(never)


def test_no_number_of_zeros_is_a_bsn() -> None:
    assert not is_nl_bsn("000000000")
