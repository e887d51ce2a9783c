"""Personal data by its form: e-mail addresses, telephone and IP addresses, numbers with check digits.

A number counts where its check digit is right, and where that says little also a word beside it says
what it is. Values of ranges that are reserved for examples (`example.org`, 555-01xx, 192.0.2.0/24, the
card schemes' test numbers) are nobody's and never count; `text.surrogates` makes such values.

Every pattern begins at a border and repeats in bounds or possessively, so that the time to look through
a text grows with its length alone.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Collection, Iterator
from typing import Literal, TypeAlias, get_args

from seedbed.text.check_digits import (
    IBAN_LENGTHS,
    is_card,
    is_de_tax_id,
    is_es_dni,
    is_iban,
    is_it_codice_fiscale,
    is_nl_bsn,
    is_uk_nhs,
    is_us_ssn,
)
from seedbed.text.spans import Span, apart

PersonalKind: TypeAlias = Literal[
    "email", "iban", "card", "us_ssn", "es_dni", "uk_nhs", "nl_bsn", "de_tax_id", "it_codice_fiscale", "ip",
    "phone",
]  # fmt: skip
PERSONAL_KINDS: tuple[PersonalKind, ...] = get_args(PersonalKind)

_CONTEXT_CHARS = 40
"""How far before a number the word may end that says what it is."""

TEST_CARDS = frozenset(
    {
        *("4111111111111111", "4242424242424242", "4012888888881881", "4000056655665556", "4222222222222"),
        *("5555555555554444", "5105105105105100", "5200828282828210", "2223003122003222"),
        *("378282246310005", "371449635398431", "378734493671000"),
        *("6011111111111117", "6011000990139424", "3056930009020004", "30569309025904", "38520000023237"),
        *("3530111333300000", "3566002020360505", "6200000000000005"),
    }
)
"""Numbers that card schemes and payment services publish for tests."""

_EMAIL = re.compile(
    r"(?<![\w.%+'-])(?P<local>[\w%+][\w.%+'-]{0,63}+)"
    r"@(?:[^\W_](?:[\w-]{0,62})\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_RESERVED_DOMAIN = re.compile(
    r"(?:^|\.)(?:example\.(?:com|net|org)|example|test|invalid|localhost)$", re.IGNORECASE
)
_IPV4 = re.compile(r"(?<![\w.-])\d{1,3}(?:\.\d{1,3}){3}(?![\w-]|\.\w)")
_IPV6 = re.compile(r"(?<![\w:.])[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}+(?![\w:])")
_VERSION = re.compile(r"(?:\bv(?:er(?:sion)?)?\.?|\brelease|\bbuild)[\s:=]{0,3}$", re.IGNORECASE)

# Looked for at every border, since the number before a card may be grouped like it.
_CARD = re.compile(
    r"(?<![\w.])(?=(\d{12,19}+|\d{4}([ -])\d{4}\2\d{4}(?:\2\d{1,4}){0,2}|\d{4}([ -])\d{6}\3\d{4,5}+)"
    r"(?!\w|[.,]\d))"
)
_SSN = re.compile(r"(?<![\w.-])\d{3}([- ]?)\d{2}\1\d{4}(?!\w|[.-]\d)")
_DNI = re.compile(r"(?<![\w.-])(?:\d{8}|\d{2}\.\d{3}\.\d{3}|[XYZxyz]-?\d{7})-?[A-Za-z](?![\w-])")
_CODICE_FISCALE = re.compile(
    r"(?<!\w)[A-Z]{6}[0-9LMNPQRSTUV]{2}[ABCDEHLMPRST][0-9LMNPQRSTUV]{2}[A-Z][0-9LMNPQRSTUV]{3}[A-Z](?!\w)",
    re.IGNORECASE | re.ASCII,
)
_TELEPHONE = re.compile(
    r"(?<![\w.+/:=#-])(?P<plus>\+|00(?=[ ]?[1-9]))?[ ]?\(?\d(?:[ ().\-/]{0,2}\d){6,16}+"
    r"(?P<extension>(?:[ ]?[xX]|[ ][eE]xt\.?[ ]?)\d{1,6})?(?![\w/]|[-.,:]\d)"
)
_NANP = re.compile(
    r"(?:\+?1[ .-]?|001[ .-]?)?(?:\([2-9]\d\d\)[ ]?|[2-9]\d\d(?P<mark>[.-]))[2-9]\d\d[ .-]\d{4}"
)
_NO_TELEPHONE = (
    re.compile(
        r"(?:19|20)\d\d[-./]\d\d?[-./]\d\d?(?: .*)?|\d\d?[-./]\d\d?[-./](?:19|20)\d\d(?: .*)?"
    ),  # a date
    re.compile(r"\d{3}-\d\d-\d{4}"),  # a social security number, given out or not
    _IPV4,
)

_TELEPHONE_WORDS = (
    r"(?:tele)?phone|tel|mobile|cell|fax|call|dial|ring|text|sms|whats\s?app|telefono?|teléfono|handy|gsm"
)
_CONTEXT: dict[str, re.Pattern[str]] = {
    kind: re.compile(rf"\b(?:{words})(?!\w)", re.IGNORECASE)
    for kind, words in {
        "phone": _TELEPHONE_WORDS,
        "us_ssn": r"ssn|social\s+security",
        "es_dni": r"dni|nie|nif",
        "uk_nhs": r"nhs",
        "nl_bsn": r"bsn|burgerservicenummer|sofi-?nummer",
        "de_tax_id": r"steuer-?id\w*|steuerliche\s+identifikationsnummer|idnr|tin|tax\s+id\w*",
    }.items()
}

_Find: TypeAlias = Callable[[str], Iterator[tuple[int, int]]]


def find_personal_data(text: str, kinds: Collection[str]) -> list[Span]:
    """Spans of these kinds (of `PERSONAL_KINDS`) in order, none of which overlap.

    Where one place is of several kinds, the longest is told, then the first of the table.
    """
    shown = {sign for sign in _SIGNS if sign.search(text)}
    if not shown:
        return []
    return apart(
        Span(kind, start, end)
        for kind in PERSONAL_KINDS
        if kind in kinds and _FINDERS[kind][1] in shown
        for start, end in _FINDERS[kind][0](text)
    )


def characters_of(text: str) -> str:
    """Letters and digits alone, in upper case: what a number is, however it is grouped."""
    return "".join(char for char in text if char.isalnum()).upper()


def is_reserved_email(address: str) -> bool:
    """RFC 2606 and RFC 6761."""
    return _RESERVED_DOMAIN.search(address.rpartition("@")[2]) is not None


def is_reserved_phone(digits: str) -> bool:
    """North America's 555-0100 to 555-0199, and the numbers that Ofcom sets aside for drama."""
    national = digits.removeprefix("00").removeprefix("44").removeprefix("0")
    if national.startswith(("77009000", "7700900", "2079460", "1632960", "1134960", "1144960", "1154960")):
        return True
    return len(digits) >= 7 and digits[-7:-2] == "55501"


def is_reserved_iban(text: str) -> bool:
    """A bank code that begins with `9999` or `XXXX`, as that of our surrogates does."""
    return set(text[4:8]) <= {"9"} or set(text[4:8]) <= {"X"}


def _emails(text: str) -> Iterator[tuple[int, int]]:
    for found in _EMAIL.finditer(text):
        remote = found["local"].lower() == "git" and text.startswith((":", "/"), found.end())
        if not remote and not is_reserved_email(found[0]):
            yield found.span()


def _phones(text: str) -> Iterator[tuple[int, int]]:
    for found in _TELEPHONE.finditer(text):
        start = found.start() + (len(found[0]) - len(found[0].lstrip()))
        whole = text[start : found.end()]
        number = whole.removesuffix(found["extension"] or "")
        digits = characters_of(number)
        if is_reserved_phone(digits) or any(other.fullmatch(number) for other in _NO_TELEPHONE):
            continue
        clear = number.startswith("+") or " " in number or "-" in number
        abroad = found["plus"] is not None and clear and 8 <= len(digits) <= 15
        named = len(digits) <= 13 and _has_context(text, start, "phone")
        if abroad or named:
            yield start, found.end()
        elif (american := _NANP.match(number)) and number[american.end() :][:1] in ("", " "):
            end = american.end()
            yield start, found.end() if end == len(number) else start + end


def _ips(text: str) -> Iterator[tuple[int, int]]:
    for pattern in (_IPV4, _IPV6):
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - 12) : found.start()]
            if _is_public_ip(found[0]) and not _VERSION.search(before):
                yield found.span()


def _is_public_ip(text: str) -> bool:
    """Addresses of documentation, of private networks and of this machine lead to nobody.

    Of IPv6 only 2000::/3 is given out; `1::2` is rather a piece of a program.
    """
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    given_out = address.version == 4 or text[:1] in ("2", "3")
    return given_out and address.is_global and not address.is_multicast


def _cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _CARD.finditer(text):
        groups = re.split("([ -])", found[1])
        # A number that follows looks like the last group.
        for end in range(len(groups), 0, -2):
            value = "".join(groups[:end])
            digits = characters_of(value)
            if is_card(digits) and digits not in TEST_CARDS:
                yield found.start(), found.start() + len(value)
                break


def _ibans(text: str) -> Iterator[tuple[int, int]]:
    for digits in _TWO_DIGITS.finditer(text):
        start = digits.start() - 2
        length = IBAN_LENGTHS.get(text[max(start, 0) : digits.start()].upper())
        if length is None or text[max(start - 1, 0) : start].isalnum():
            continue
        end = _end_of_characters(text, start, length)
        if end is not None:
            value = characters_of(text[start:end])
            if is_iban(value) and not is_reserved_iban(value):
                yield start, end


def _end_of_characters(text: str, start: int, count: int) -> int | None:
    """Where so many ASCII letters and digits end, with single spaces or hyphens in between; None if not."""
    at = start
    for number in range(count):
        if number and text[at : at + 1] in (" ", "-"):
            at += 1
        char = text[at : at + 1]
        if not (char.isascii() and char.isalnum()):
            return None
        at += 1
    return None if text[at : at + 1].isalnum() else at


def _ssns(text: str) -> Iterator[tuple[int, int]]:
    for found in _SSN.finditer(text):
        if is_us_ssn(characters_of(found[0])) and (
            found[1] == "-" or _has_context(text, found.start(), "us_ssn")
        ):
            yield found.span()


def _dnis(text: str) -> Iterator[tuple[int, int]]:
    for found in _DNI.finditer(text):
        # A hexadecimal number in small letters looks just like it.
        if is_es_dni(characters_of(found[0])) and (
            found[0][-1].isupper() or _has_context(text, found.start(), "es_dni")
        ):
            yield found.span()


def _fiscal_codes(text: str) -> Iterator[tuple[int, int]]:
    for found in _CODICE_FISCALE.finditer(text):
        if is_it_codice_fiscale(found[0].upper()):
            yield found.span()


def _digits_with_context(kind: PersonalKind, form: str, is_valid: Callable[[str], bool]) -> _Find:
    pattern = re.compile(rf"(?<![\w.-]){form}(?!\w|[.,-]\d)")

    def find(text: str) -> Iterator[tuple[int, int]]:
        for found in pattern.finditer(text):
            if is_valid(characters_of(found[0])) and _has_context(text, found.start(), kind):
                yield found.span()

    return find


def _has_context(text: str, start: int, kind: str) -> bool:
    """Whether a word that says what the number is stands shortly before it."""
    return _CONTEXT[kind].search(text[max(0, start - _CONTEXT_CHARS) : start]) is not None


# What a text shows that holds data of a kind: looked for once, and in most texts not found.
_AT = re.compile("@")
_DIGIT = re.compile(r"\d")
_TWO_DIGITS = re.compile(r"\d\d+")
_MANY_DIGITS = re.compile(r"\d(?:[ ().\-/]{0,2}\d){6}")
_ADDRESS = re.compile(r"\d\.\d{1,3}\.\d|:[0-9A-Fa-f]{0,4}:")
_SIGNS = (_AT, _DIGIT, _TWO_DIGITS, _MANY_DIGITS, _ADDRESS)

# Kind -> how it is found, and its sign.
_FINDERS: dict[PersonalKind, tuple[_Find, re.Pattern[str]]] = {
    "email": (_emails, _AT),
    "iban": (_ibans, _TWO_DIGITS),
    "card": (_cards, _MANY_DIGITS),
    "us_ssn": (_ssns, _MANY_DIGITS),
    "es_dni": (_dnis, _MANY_DIGITS),
    "uk_nhs": (_digits_with_context("uk_nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}", is_uk_nhs), _MANY_DIGITS),
    "nl_bsn": (_digits_with_context("nl_bsn", r"(?:\d{9}|\d{4}[. ]\d{2}[. ]\d{3})", is_nl_bsn), _MANY_DIGITS),
    "de_tax_id": (
        _digits_with_context("de_tax_id", r"\d{2}[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}", is_de_tax_id),
        _MANY_DIGITS,
    ),
    "it_codice_fiscale": (_fiscal_codes, _DIGIT),
    "ip": (_ips, _ADDRESS),
    "phone": (_phones, _MANY_DIGITS),
}
