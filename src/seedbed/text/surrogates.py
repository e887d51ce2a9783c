"""Surrogates: what stands in the place of personal data, in the same form, and is nobody's.

They come from ranges that are reserved for examples, or carry a check digit that cannot be right: an
address at example.org, a number 555-01xx, a test card, an IBAN with a right check and a bank code that
no bank has. Equal originals get equal surrogates, however they are written. A key decides which, so that
whoever lacks it cannot try out originals. A text with surrogates in it reads on as it did, which one with
`[EMAIL]` in it does not; a teacher that is shown placeholders writes placeholders.
"""

from __future__ import annotations

import hmac
import random
import re
from collections.abc import Callable, Mapping

from seedbed.text.check_digits import iban_remainder
from seedbed.text.personal_data import TEST_CARDS, characters_of, find_personal_data

_GIVEN = (
    *("Ada", "Alma", "Anton", "Bela", "Carla", "Dario", "Edda", "Elias", "Fenna", "Gero", "Hanna", "Ilka"),
    *("Jona", "Kaja", "Lars", "Lena", "Malin", "Mika", "Nora", "Odd", "Pia", "Runa", "Silas", "Timo"),
    *("Ulla", "Vera", "Wim", "Yara", "Zeno", "Iris", "Jasper", "Romy"),
)
_FAMILY = (
    *("Aldermoor", "Birkfeld", "Castelrun", "Dornwick", "Elmstad", "Fallowby", "Grauental", "Hollmead"),
    *("Immerthal", "Jarrowen", "Kestrel", "Lindqvarn", "Marlowick", "Nettleby", "Ostermoor", "Pellingham"),
    *("Quellhorst", "Rosendahl", "Sandvale", "Thornaby", "Ulvestad", "Varnholt", "Westerlin", "Yarrowdale"),
)  # fmt: skip
_SYLLABLES = ("ba", "do", "fe", "gu", "ka", "li", "mo", "na", "po", "ru", "sa", "te", "vi", "we", "zo")
_EXTENSION = re.compile(r"[ ]?(?:x|ext\.?[ ]?)\d{1,6}$", re.IGNORECASE)


class Surrogates:
    """Of one key. A kind that is neither of `PERSONAL_KINDS` nor `person` is any text."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def of(self, kind: str, text: str) -> str:
        make, same = _MAKERS.get(kind, (_other_characters, str.casefold))
        original = f"{kind}\0{same(text)}".encode("utf-8", "replace")
        rng = random.Random(hmac.digest(self._key, original, "sha256"))
        made = make(text, rng)
        # What is told from a number by its check digit must not, by chance, be somebody's number.
        while kind in _CHECKED and find_personal_data(f"{_CHECKED[kind]}{made}", (kind,)):
            made = make(text, rng)
        return made


def _email(text: str, rng: random.Random) -> str:
    word = "".join(rng.choice(_SYLLABLES) for _ in range(3))
    return f"{word}{rng.randrange(1000):03d}@example.{rng.choice(('org', 'net', 'com'))}"


def _card(text: str, rng: random.Random) -> str:
    """A test number of the same length, else one of 16 digits."""
    length = len(characters_of(text))
    known = sorted(card for card in TEST_CARDS if len(card) == length)
    return _laid_out(rng.choice(known or [card for card in sorted(TEST_CARDS) if len(card) == 16]), text)


def _iban(text: str, rng: random.Random) -> str:
    """Of the same country and form, with a right check and the bank code 9999 or XXXX."""
    old = characters_of(text)
    bank = "".join("9" if char.isdigit() else "X" for char in old[4:8])
    rest = "".join(_another(char, rng) for char in old[8:])
    check = 98 - iban_remainder(f"{old[:2]}00{bank}{rest}")
    return _laid_out(f"{old[:2]}{check:02d}{bank}{rest}", text)


def _us_ssn(text: str, rng: random.Random) -> str:
    """Area 000, which is never given out."""
    return _laid_out(f"000{rng.randrange(1, 100):02d}{rng.randrange(1, 10_000):04d}", text)


def _phone(text: str, rng: random.Random) -> str:
    """555-01xx in North America, 07700 900xxx in Britain; elsewhere the first, as from abroad."""
    number = text[: -len(found[0])] if (found := _EXTENSION.search(text)) else text
    digits = characters_of(number)
    area = rng.choice(("202", "303", "404", "505", "606", "707", "808", "909"))
    last = f"{rng.randrange(100):02d}"
    if len(digits) == 10 or (len(digits) == 11 and digits[0] == "1"):
        return _laid_out(f"{digits[:-10]}{area}55501{last}", number)
    if digits.removeprefix("00").startswith("44"):
        return f"+44 7700 900{rng.randrange(1000):03d}"
    if len(digits) == 7:
        return _laid_out(f"55501{last}", number)
    return f"+1 {area}-555-01{last}"


def _ip(text: str, rng: random.Random) -> str:
    """The ranges for documentation: RFC 5737 and RFC 3849."""
    if ":" in text:
        return f"2001:db8::{rng.randrange(1, 1 << 16):x}:{rng.randrange(1 << 16):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randrange(1, 255)}"


def _person(text: str, rng: random.Random) -> str:
    return f"{rng.choice(_GIVEN)} {rng.choice(_FAMILY)}" if " " in text.strip() else rng.choice(_GIVEN)


def _other_characters(text: str, rng: random.Random) -> str:
    """Vowels for vowels, other letters for such, digits for digits, and the rest as it is."""
    return "".join(_another(char, rng) for char in text)


def _another(char: str, rng: random.Random) -> str:
    if char.isdecimal():
        return str(rng.randrange(10))
    if not char.isalpha():
        return char
    letter = rng.choice("aeiou" if char.lower() in "aeiouy" else "bcdfghjklmnprstvwz")
    return letter.upper() if char.isupper() else letter


def _laid_out(characters: str, form: str) -> str:
    """The characters where the form has letters and digits, small where that is small."""
    left = iter(characters)
    laid = [next(left, "") if char.isalnum() else char for char in form]
    cased = (new.lower() if old.islower() else new for new, old in zip(laid, form, strict=True))
    return "".join([*cased, *left])


# Kind -> what makes one, and what two spellings of one value have in common.
_Maker = tuple[Callable[[str, random.Random], str], Callable[[str], str]]
_MAKERS: Mapping[str, _Maker] = {
    "email": (_email, str.casefold),
    "phone": (_phone, characters_of),
    "ip": (_ip, str.casefold),
    "card": (_card, characters_of),
    "iban": (_iban, characters_of),
    "us_ssn": (_us_ssn, characters_of),
    "person": (_person, lambda text: " ".join(text.split()).casefold()),
    **dict.fromkeys(
        ("es_dni", "uk_nhs", "nl_bsn", "de_tax_id", "it_codice_fiscale"), (_other_characters, characters_of)
    ),
}
# Kinds known by a check digit alone -> the word beside which they would be told.
_CHECKED = {
    "es_dni": "DNI ",
    "uk_nhs": "NHS ",
    "nl_bsn": "BSN ",
    "de_tax_id": "IdNr ",
    "it_codice_fiscale": "",
}
