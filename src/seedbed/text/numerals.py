"""The numbers that a text states in digits, in one form however they are grouped."""

from __future__ import annotations

import re
from collections import Counter

# Digits, with single marks among them that group them or begin a fraction.
_NUMERAL = re.compile(r"\d+(?:[.,'’\u00a0\u202f]\d+)*")
_GROUPED = re.compile(r"\d{1,3}(?:(?P<mark>\D)\d{3})(?:(?P=mark)\d{3})*")
_MARKS = re.compile(r"\D")


def numerals(text: str) -> Counter[str]:
    """How often a text states each number: `1,188.50`, `1.188,50` and `1188.5` are `1188.5`.

    Digits of any script count; a number in words does not. A point or comma before exactly three digits
    groups them, so that 1.234 is read as 1234 wherever it stands. Sign and unit are left out.
    """
    return Counter(_plain(match.group()) for match in _NUMERAL.finditer(text))


def _plain(numeral: str) -> str:
    if _GROUPED.fullmatch(numeral):
        whole, fraction = numeral, ""
    elif len(marks := _MARKS.findall(numeral)) > 1 and len(set(marks)) == 1:
        return ".".join(_digits(part) for part in _MARKS.split(numeral))  # 1.2.3 is a version, or a date
    else:
        whole, _, fraction = numeral.rpartition(marks[-1]) if marks else (numeral, "", "")
    fraction = _ascii(fraction).rstrip("0")
    return _digits(_MARKS.sub("", whole)) + (f".{fraction}" if fraction else "")


def _digits(whole: str) -> str:
    return _ascii(whole).lstrip("0") or "0"


def _ascii(digits: str) -> str:
    return "".join(str(int(digit)) for digit in digits)
