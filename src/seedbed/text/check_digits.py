"""Check digits of numbers that identify: whether a number can be anybody's at all.

Every function takes the characters without separators, letters in upper case.
"""

from __future__ import annotations

from collections.abc import Mapping

# Lengths by country: the SWIFT IBAN registry.
IBAN_LENGTHS: Mapping[str, int] = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BI": 27,
    "BR": 29, "BY": 28, "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DJ": 27, "DK": 18, "DO": 28,
    "EE": 20, "EG": 29, "ES": 24, "FI": 18, "FK": 18, "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23,
    "GL": 18, "GR": 27, "GT": 28, "HN": 28, "HR": 21, "HU": 28, "IE": 22, "IL": 23, "IQ": 23, "IS": 26,
    "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20, "LU": 20, "LV": 21,
    "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MN": 20, "MR": 27, "MT": 31, "MU": 30, "NI": 28,
    "NL": 18, "NO": 15, "OM": 23, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22,
    "RU": 33, "SA": 24, "SC": 31, "SD": 18, "SE": 24, "SI": 19, "SK": 24, "SM": 27, "SO": 23, "ST": 25,
    "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24, "XK": 20, "YE": 30,
}  # fmt: skip

_DNI_LETTERS = "TRWAGMYFPDXBNJZSQVHLCKE"

# Issuer prefix, from and to, -> lengths (ISO/IEC 7812 ranges as the card schemes publish them).
_ISSUERS: tuple[tuple[str, str, frozenset[int]], ...] = (
    ("4", "4", frozenset({13, 16, 19})),  # Visa
    ("51", "55", frozenset({16})),  # Mastercard
    ("2221", "2720", frozenset({16})),
    ("34", "34", frozenset({15})),  # American Express
    ("37", "37", frozenset({15})),
    ("300", "305", frozenset({14})),  # Diners Club
    ("3095", "3095", frozenset({14})),
    ("36", "36", frozenset({14})),
    ("38", "39", frozenset({14})),
    ("6011", "6011", frozenset({16, 19})),  # Discover
    ("644", "659", frozenset({16, 19})),
    ("3528", "3589", frozenset({16, 19})),  # JCB
    ("35", "35", frozenset({16})),  # the rest of 35, which generators of test data use for JCB
    ("1800", "1800", frozenset({15})),
    ("2131", "2131", frozenset({15})),
    ("62", "62", frozenset(range(16, 20))),  # UnionPay
    ("2200", "2204", frozenset({16})),  # Mir
    ("0604", "0604", frozenset(range(12, 20))),  # Maestro
    ("5018", "5018", frozenset(range(12, 20))),
    ("5020", "5020", frozenset(range(12, 20))),
    ("5038", "5038", frozenset(range(12, 20))),
    ("56", "58", frozenset(range(12, 20))),
    ("6304", "6304", frozenset(range(12, 20))),
    ("6390", "6390", frozenset(range(12, 20))),
    ("6759", "6763", frozenset(range(12, 20))),
)


def is_card(digits: str) -> bool:
    """A length that the issuer of the prefix uses, and Luhn's sum (ISO/IEC 7812-1)."""
    return luhn(digits) and any(
        len(digits) in lengths and low <= digits[: len(low)] <= high for low, high, lengths in _ISSUERS
    )


def luhn(digits: str) -> bool:
    doubled = (sum(divmod(2 * int(digit), 10)) for digit in digits[-2::-2])
    return (sum(doubled) + sum(map(int, digits[-1::-2]))) % 10 == 0


def is_iban(text: str) -> bool:
    """The country's length, and 1 modulo 97 with the first four characters moved to the end (ISO 13616)."""
    return len(text) == IBAN_LENGTHS.get(text[:2]) and iban_remainder(text) == 1


def iban_remainder(text: str) -> int:
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97


def is_us_ssn(digits: str) -> bool:
    """Area, group and serial as they are given out since 2011: no check digit, but what is never given."""
    area, group, serial = digits[:3], digits[3:5], digits[5:]
    return area not in ("000", "666") and area < "900" and group != "00" and serial != "0000"


def is_es_dni(text: str) -> bool:
    """DNI (8 digits) or NIE (X, Y or Z and 7 digits) with its letter: the number modulo 23."""
    number = text[:-1].translate(str.maketrans("XYZ", "012"))
    return _DNI_LETTERS[int(number) % 23] == text[-1]


def is_uk_nhs(digits: str) -> bool:
    """Ten digits: weights 10 to 2, modulo 11."""
    check = -sum(weight * int(digit) for weight, digit in zip(range(10, 1, -1), digits, strict=False)) % 11
    return check == int(digits[9])


def is_nl_bsn(digits: str) -> bool:
    """Nine digits: weights 9 to 2 and -1 sum to a multiple of 11 (the elfproef)."""
    weights = (9, 8, 7, 6, 5, 4, 3, 2, -1)
    return int(digits) > 0 and sum(w * int(d) for w, d in zip(weights, digits, strict=True)) % 11 == 0


def is_de_tax_id(digits: str) -> bool:
    """Eleven digits, no leading 0: ISO/IEC 7064, MOD 11,10."""
    product = 10
    for digit in digits[:10]:
        product = ((int(digit) + product) % 10 or 10) * 2 % 11
    return digits[0] != "0" and (11 - product) % 10 == int(digits[10])


_ODD_PLACES = dict(
    zip(
        "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ",
        (
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21),
            *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
        ),
        strict=True,
    )
)


def is_it_codice_fiscale(text: str) -> bool:
    """Sixteen characters, the last by the values of the others modulo 26 (decree of 23 December 1976)."""
    odd = sum(_ODD_PLACES[char] for char in text[0:15:2])
    even = sum(int(char, 36) - 10 if char.isalpha() else int(char) for char in text[1:15:2])
    return chr(ord("A") + (odd + even) % 26) == text[15]
