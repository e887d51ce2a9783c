"""Worked solutions: the final answer, exact comparison of answers, and the equations that a solution states.

Nothing is guessed: where two answers are neither the same nor plainly different the comparison says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Literal, TypeAlias

from seedbed.verify.arithmetic import (
    CURRENCIES,
    PERCENT,
    NoSum,
    Sum,
    SumReader,
    Token,
    decimal_value,
    plain,
    tokens_of,
    unit_of,
)

Comparison: TypeAlias = Literal["equal", "different", "undecided"]

_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{")
# GSM8K (Cobbe et al. 2021, arXiv 2110.14168) writes the first, its recorded model solutions `A: 18`.
_HASHES = re.compile(r"####[ \t]*(\S.*)")
_SAID = re.compile(
    r"\banswer[ \t*_]*(?:is|[:=])[ \t]*[:=]?[ \t]*(\S.*?)(?=\.(?:\s|$)|$)|^[ \t*]*A:[ \t]*(\S.*)$",
    re.IGNORECASE | re.MULTILINE,
)
_ANSWER_LINE = re.compile(r"(?:^|\n)[ \t*]*(?:####|A:)[^\n]*\s*\Z")
_NUMBER = re.compile(r"(?:(?<![\w.)])-)?[$€£¥]?(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?(?:/\d+)?%?")
_TRIMMED = " \t\r\n*_`$.:;,"

_MAGNITUDES = {
    "dozen": 12,
    "hundred": 100,
    "thousand": 1_000,
    "million": 10**6,
    "billion": 10**9,
    "trillion": 10**12,
}
# Decimals from which on they are those of a binary fraction: `0.5-0.4=0.09999999999999998`.
_BINARY_PLACES = 10
_ANNOTATION = re.compile(r"<<([^<>]*)>>")


def final_answer(text: str) -> str | None:
    """The answer that a solution comes to, as it is written; None where there is no number and no mark.

    That which is marked, and else the last number.
    """
    if (marked := marked_answer(text)) is not None:
        return marked
    numbers = _NUMBER.findall(text)
    return numbers[-1] if numbers else None


def marked_answer(text: str) -> str | None:
    """The first of these that there is, and the last of its kind: `\\boxed{…}`, `#### …`, "answer is …" or a
    line `A: …`."""
    boxes = [match.end() for match in _BOXED.finditer(text)]
    if boxes and (boxed := _to_closing_brace(text, boxes[-1])):
        return boxed
    for pattern in (_HASHES, _SAID):
        for match in reversed(list(pattern.finditer(text))):
            if answer := _trimmed(next(filter(None, match.groups()))):
                return answer
    return None


def concludes(solution: str) -> bool:
    """Whether the final answer is meant as one: it is marked, or the last stated equation comes to it."""
    if marked_answer(solution) is not None:
        return True
    equations, last = stated_equations(solution), quantity(final_answer(solution) or "")
    return bool(equations) and last is not None and equations[-1].form.rpartition("=")[2] == str(last.value)


def without_answer(text: str) -> str:
    """A solution without a last line that is the marked answer alone; all of it where that is all."""
    return _ANSWER_LINE.sub("", text).strip() or text.strip()


def _trimmed(answer: str) -> str:
    """The answer without marks around it; a dollar sign before a number stays."""
    bare = answer.strip(_TRIMMED)
    return f"${bare}" if re.match(r"[\s*_`]*\$\d[^$]*$", answer) else bare


def _to_closing_brace(text: str, start: int) -> str:
    depth = 1
    for at in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[at], 0)
        if not depth:
            return text[start:at].strip()
    return ""


@dataclass(frozen=True, slots=True)
class Quantity:
    """The value of an answer. `units` are its words in the singular, `places` the decimals it is given to."""

    value: Fraction
    units: frozenset[str] = frozenset()
    places: int = 0


def quantity(answer: str) -> Quantity | None:
    """The one number that an answer is, or None: `$1,234.50`, `3/4`, `1 1/2 hours`, `50%`, `x = 2^10`.

    A currency or unit is set apart from the value, and a per cent sign with them: `50%` has the value 50.
    `3!` may be 6, or 3 with some joy; it is none.
    """
    tokens = tokens_of(plain(answer.strip().strip("$") if answer.count("$") > 1 else answer.strip()))
    while tokens and tokens[-1].text in ".,;:":
        tokens.pop()
    if len(tokens) > 2 and tokens[0].kind == "word" and tokens[1].kind == "equals":
        tokens = tokens[2:]
    sign = 1
    if len(tokens) > 1 and tokens[0].text in ("-", "+"):
        sign, tokens = (-1 if tokens[0].text == "-" else 1), tokens[1:]
    reader = SumReader(tokens)
    try:
        found = reader.read()
    except NoSum:
        return None
    value = sign * found.value * (100 if PERCENT in found.units else 1)
    units = set(found.units)
    for token in tokens[reader.at :]:
        if token.kind == "word" and (magnitude := _MAGNITUDES.get(unit_of(token.text))):
            value *= magnitude
        elif token.kind in ("word", "currency"):
            units.add(CURRENCIES.get(token.text) or unit_of(token.text))
        elif token.text not in "./":
            return None
    return Quantity(value, frozenset(units), found.places)


def compare(one: str, other: str) -> Comparison:
    """Whether two answers are the same; the order of the two is of no matter.

    Numbers are compared exactly. *Undecided* are: a number and one rounded to its places, `50%` and `0.5`,
    equal numbers of different units, and, where one is no number, whatever is not the same text.
    """
    a, b = quantity(one), quantity(other)
    if a is None or b is None:
        return "equal" if _text_form(one) == _text_form(other) != "" else "undecided"
    if a.value == b.value:
        return "undecided" if a.units and b.units and not a.units & b.units else "equal"
    if (PERCENT in a.units) != (PERCENT in b.units) and a.value == b.value * (
        100 if PERCENT in a.units else Fraction(1, 100)
    ):
        return "undecided"
    return "undecided" if _rounds_to(a, b) or _rounds_to(b, a) else "different"


def _text_form(text: str) -> str:
    return " ".join(plain(text).casefold().split()).strip(_TRIMMED)


def _rounds_to(exact: Quantity | Sum, written: Quantity | Sum) -> bool:
    """Whether a number written with decimals is the other, rounded or cut off to as many."""
    places = min(written.places, _BINARY_PLACES)
    return places > 0 and abs(exact.value - written.value) < Fraction(1, 10**places)


@dataclass(frozen=True, slots=True)
class Equation:
    """An equation as a solution states it, and whether it is true.

    `form` is its left side in one spelling, with its value, which is equal for equal steps of two solutions.
    A right side written with decimals may be rounded. *Undecided* is what is false as bare numbers and
    may be true by its units (`1 hour + 30 minutes = 90 minutes`).
    """

    text: str
    form: str
    result: Comparison

    @property
    def holds(self) -> bool:
        return self.result == "equal"


def stated_equations(text: str) -> list[Equation]:
    """Every `a op b (op c …) = d` in a text, in order; `a op b = c op d = e` states two.

    A calculator's note as in GSM8K (`<<16-3=13>>`) is one as well, and counts once where the text around it
    says the same.
    """
    found: dict[tuple[str, Comparison], Equation] = {}
    for line in text.splitlines():
        noted = [equation for note in _ANNOTATION.findall(line) for equation in _equations(note)]
        for equation in (*noted, *_equations(_ANNOTATION.sub("", line))):
            found.setdefault((equation.form, equation.result), equation)
    return list(found.values())


@dataclass(frozen=True, slots=True)
class _Side:
    sum: Sum
    tokens: Sequence[Token]


def _equations(line: str) -> Iterator[Equation]:
    if "=" not in line:
        return
    line = plain(line)
    tokens = tokens_of(line)
    at = 0
    while at < len(tokens):
        sides, at = _sides(tokens, at)
        for left, right in pairwise(sides):
            if left.sum.operators:
                written = line[left.tokens[0].start : right.tokens[-1].end]
                yield Equation(
                    written, f"{_form(left.tokens)}={right.sum.value}", _truth(left.sum, right.sum)
                )


def _sides(tokens: Sequence[Token], at: int) -> tuple[list[_Side], int]:
    """The sums from here on that equals signs join, none where none begins here; and where to go on."""
    sides: list[_Side] = []
    if not _begins(tokens, at):
        return sides, at + 1
    reader = SumReader(tokens, at)
    while True:
        start = reader.at
        try:
            found = reader.read()
        except NoSum:
            return sides, max(start, at + 1)
        if _is_cut_off(tokens, reader.at):
            return sides, reader.at
        sides.append(_Side(found, tokens[start : reader.at]))
        if reader.at >= len(tokens) or tokens[reader.at].kind != "equals":
            return sides, reader.at
        reader.at += 1


def _begins(tokens: Sequence[Token], at: int) -> bool:
    """Whether a whole sum may begin here: not in one that cannot be read (`y + 3 + 4`, `350 000 + 4`)."""
    before = tokens[at - 1] if at else None
    if before is None or (at == 1 and before.kind == "operator" and before.end < tokens[at].start):
        return True  # the operator is the mark of a list's item
    if before.kind in ("operator", "number") or before.text in ("x", "X"):
        return False
    if before.kind == "close":  # `(a) 3 + 4` is an item of a list, `(1/2) 278 + 11` a product
        return at > 1 and tokens[at - 2].kind == "word"
    return before.kind != "word" or before.end < tokens[at].start


def _is_cut_off(tokens: Sequence[Token], end: int) -> bool:
    """Whether the sum goes on with what cannot be read (`7 + y`, `409 500`); a dash before words is prose."""
    if end < len(tokens) and tokens[end].kind == "number":
        return True
    if end >= len(tokens) - 1 or tokens[end].kind != "operator":
        return False
    return tokens[end].text != "-" or tokens[end + 1].kind != "word" or len(tokens[end + 1].text) < 2


def _form(tokens: Sequence[Token]) -> str:
    """A sum without its units and currencies, its numbers as fractions: `$1.50 x 2` is `3/2*2`."""
    written = []
    for token in tokens:
        if token.kind == "number":
            written.append(str(decimal_value(token.text)))
        elif token.kind in ("operator", "open", "close", "percent"):
            written.append(token.text)
        elif token.text in ("x", "X"):
            written.append("*")
    return "".join(written)


def _truth(left: Sum, right: Sum) -> Comparison:
    if (
        left.value in (right.value, right.value * 100)
        if PERCENT in right.units
        else left.value == right.value
    ):
        return "equal"
    if not right.operators and _rounds_to(left, right):
        return "equal"
    if left.places >= _BINARY_PLACES and _rounds_to(right, left):
        return "equal"
    mixed = len(left.units) > 1 and ("+" in left.operators or "-" in left.operators)
    return "undecided" if mixed or PERCENT in left.units else "different"
