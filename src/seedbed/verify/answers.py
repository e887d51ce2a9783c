"""When two answers are the same answer: the exact match, as a key that samples vote by."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from seedbed.verify.mathematics import final_answer, quantity

_NUMBER = re.compile(r"[-+]?(?:(?:\d{1,3}(?:,\d{3})+|\d{1,400})(?:\.\d{1,400})?|\.\d{1,400})")
_BEFORE = " \t\r\n\"'`*_“”‘’"
_BEHIND = f"{_BEFORE}.,;:!"


def answer_key(answer: Any) -> str:
    """One key for answers that differ in case, spaces, composition of letters or marks around them alone.

    A text that is a plain number counts by its value (`1,000.0` is `1000`); any other value of JSON counts by
    its content, whatever the order of its keys. The key of an empty answer is empty.
    """
    if isinstance(answer, str):
        # Not NFKC, which makes `52` of `5²`.
        text = " ".join(unicodedata.normalize("NFC", answer.casefold()).split())
        text = text.lstrip(_BEFORE).rstrip(_BEHIND)
        return str(Fraction(text.replace(",", ""))) if _NUMBER.fullmatch(text) else text
    return json.dumps(_plain(answer), ensure_ascii=False, sort_keys=True)


def _plain(value: Any) -> Any:
    """Any value of JSON with the texts in it as their keys; `1` and `1.0` are one number."""
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return answer_key(value) if isinstance(value, str) else value


def solution_key(solution: str) -> str:
    """The key of what a worked solution comes to: its final answer's value, unit and currency apart.

    Empty where it comes to nothing.
    """
    answer = final_answer(solution)
    if answer is None:
        return ""
    found = quantity(answer)
    return answer_key(answer) if found is None else str(found.value)
