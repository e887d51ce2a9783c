"""Reading and working out sums as people write them, exactly and within bounds.

A small parser of its own: text from a model never reaches `eval`. Values are fractions, so `0.1 + 0.2` is
`0.3`. Whatever is longer, deeper or larger than any worked solution needs is not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction

MOST_TOKENS = 200
"""Of one sum."""
DEEPEST = 20
_MOST_DIGITS = 400  # of a number as it is written
_MOST_BITS = 8192  # of a value's numerator and denominator
_MOST_UNIT_WORDS = 3

_LATEX = (
    (re.compile(r"(?<=\d)\s*\\[dt]?frac\s*\{(\d+)\}\s*\{(\d+)\}"), r" \1/\2"),  # a mixed number
    (re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}"), r"((\1)/(\2))"),
    (re.compile(r"\\(?:text|mathrm|mathbf|textbf)\s*\{([^{}]*)\}"), r" \1 "),
    (re.compile(r"\\(?:times|cdot)(?![a-zA-Z])"), "*"),
    (re.compile(r"\\div(?![a-zA-Z])"), "/"),
    (re.compile(r"\\(?:left|right|quad|qquad)(?![a-zA-Z])|\\[,;:! ]|\\[()\[\]]"), " "),
    (re.compile(r"\{,\}"), ","),
    (re.compile(r"\^\{(-?\d+)\}"), r"^\1"),
    (re.compile(r"\\([$%])"), r"\1"),
)
_POWER = re.compile(r"(?<=[\d)])\*\*(?=[\d(])")
_UNIT_POWER = re.compile(r"(?<=[a-zA-Z])\^\d")
_EMPHASIS = re.compile(r"\*\*|__|`")
SIGNS = str.maketrans(
    {"−": "-", "–": "-", "×": "*", "✕": "*", "·": "*", "∙": "*", "⋅": "*", "÷": "/", "∕": "/", "⁄": "/"}
    | {"²": "^2", "³": "^3", "\u00a0": " ", "\u202f": " ", "\u2009": " ", "‘": "'", "’": "'"}
)
_TOKEN = re.compile(
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"|(?P<operator>[-+*/^])|(?P<open>\()|(?P<close>\))|(?P<equals>=)|(?P<percent>%)|(?P<currency>[$€£¥])"
    r"|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)|(?P<other>\S)"
)
# Short words that are units for sure; other words of one or two letters may be unknowns (`2y`).
_SHORT_UNITS = frozenset(
    ("km", "cm", "mm", "kg", "mg", "lb", "oz", "ml", "hr", "ft", "mi", "am", "pm", "of", "in")
)


@dataclass(frozen=True, slots=True)
class Token:
    kind: str
    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum that was read: its value, the signs of its operators, the units of its numbers in the singular.

    A per cent sign is a unit as well, and divides the value by 100. `places` are the most
    decimals that a number of it is written with.
    """

    value: Fraction
    operators: str = ""
    units: frozenset[str] = frozenset()
    places: int = 0


class NoSum(Exception):
    """What stands here is no sum, or one out of all bounds."""


def plain(text: str) -> str:
    """The text with one spelling of every sign, without LaTeX and Markdown around its numbers.

    The square of a unit (`15 cm^2`) is the unit alone.
    """
    text = text.translate(SIGNS)
    for pattern, replacement in _LATEX:
        text = pattern.sub(replacement, text)
    return _EMPHASIS.sub("", _POWER.sub("^", _UNIT_POWER.sub("", text)))


def tokens_of(text: str) -> list[Token]:
    """The tokens of a plain text."""
    return [
        Token(match.lastgroup or "", match.group(), match.start(), match.end())
        for match in _TOKEN.finditer(text)
    ]


def decimal_value(written: str) -> Fraction:
    """The value of digits with thousands separators and decimals. Raises NoSum where there are too many."""
    if len(written) > _MOST_DIGITS:
        raise NoSum
    return Fraction(written.replace(",", ""))


def unit_of(word: str) -> str:
    """A unit in the singular, as far as cutting an s is the singular."""
    word = word.casefold()
    return word[:-1] if len(word) > 3 and word.endswith("s") else word


PERCENT = "%"
CURRENCIES = {"$": "dollar", "€": "euro", "£": "pound", "¥": "yen"}


@dataclass(slots=True)
class SumReader:
    """Reads one sum from tokens by recursive descent; `at` is where it goes on, behind it at the end.

    Multiplication by `x` is one between two operands; `2(3 + 4)` multiplies where nothing is between. Words
    after a number are its unit where the sum goes on behind them (`3 apples + 4 apples`).
    """

    tokens: Sequence[Token]
    at: int = 0
    _start: int = 0
    _depth: int = 0
    _units: set[str] = field(default_factory=set)
    _operators: str = ""
    _places: int = 0

    def read(self) -> Sum:
        """Raises NoSum."""
        self._start, self._depth = self.at, 0
        self._units, self._operators, self._places = set(), "", 0
        value = self._terms()
        return Sum(value, self._operators, frozenset(self._units), self._places)

    def _terms(self) -> Fraction:
        value = self._factors()
        while sign := self._operator("+-"):
            right = self._factors()
            value = _bounded(value + right if sign == "+" else value - right)
        return value

    def _factors(self) -> Fraction:
        value = self._signed()
        while sign := self._operator("*/") or self._adjoined():
            right = self._signed()
            if sign == "/" and not right:
                raise NoSum
            value = _bounded(value / right if sign == "/" else value * right)
        return value

    def _signed(self) -> Fraction:
        sign, after = self._peek(), self._peek(1)
        if sign and after and sign.text == "-" and after.start == sign.end:
            self.at += 1
            return -self._power()
        return self._power()

    def _power(self) -> Fraction:
        base = self._atom()
        if not self._operator("^"):
            return base
        with self._deeper():
            exponent = self._signed()
        if exponent.denominator != 1 or (not base and exponent < 0):
            raise NoSum
        if abs(exponent) * max(base.numerator.bit_length(), base.denominator.bit_length()) > _MOST_BITS:
            raise NoSum
        return Fraction(base ** int(exponent))

    def _atom(self) -> Fraction:
        if self.at - self._start > MOST_TOKENS:
            raise NoSum
        if symbol := self._take("currency"):
            self._units.add(CURRENCIES[symbol.text])
        elif self._take("open"):
            return self._group()
        number = self._take("number")
        if number is None:
            raise NoSum
        value = decimal_value(number.text) + self._fraction_behind(number)
        self._places = max(self._places, len(number.text.partition(".")[2]))
        if self._take("percent"):
            self._units.add(PERCENT)
            value /= 100
        if symbol := self._take("currency"):
            self._units.add(CURRENCIES[symbol.text])
        self._unit(number)
        return value

    def _fraction_behind(self, whole: Token) -> Fraction:
        """What `1 1/2` has over its 1: a fraction below one, written without a space; else nothing."""
        over, slash, under = (self._peek(ahead) for ahead in range(3))
        if not (over and slash and under and slash.text == "/" and over.end == slash.start):
            return Fraction(0)
        written = (whole.text, over.text, under.text)
        if slash.end != under.start or not all(text.isdecimal() for text in written):
            return Fraction(0)
        if not decimal_value(over.text) < decimal_value(under.text):
            return Fraction(0)
        self.at += 3
        return decimal_value(over.text) / decimal_value(under.text)

    def _group(self) -> Fraction:
        with self._deeper():
            value = self._terms()
        if not self._take("close"):
            raise NoSum
        return value

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NoSum
        yield
        self._depth -= 1

    def _unit(self, number: Token) -> None:
        """Take the words after a number where they are a unit; raises NoSum where they make it an unknown."""
        words: list[str] = []
        while (word := self._peek(len(words))) and word.kind == "word" and len(words) <= _MOST_UNIT_WORDS:
            if not words and self._times(0):
                return
            is_short = word.text.casefold() in _SHORT_UNITS
            if not words and word.start == number.end and not is_short:
                raise NoSum
            if not (is_short or len(word.text) > 2) or self._times(len(words)):
                break
            words.append(word.text)
        following = self._peek(len(words))
        goes_on = following and (following.kind in ("operator", "equals", "close") or self._times(len(words)))
        if words and goes_on and len(words) <= _MOST_UNIT_WORDS:
            self._units.add(unit_of(words[-1]))
            self.at += len(words)

    def _operator(self, signs: str) -> str:
        """The operator that stands here, taken where an operand follows; "" where there is none."""
        token = self._peek()
        sign = "*" if self._times(0) else token.text if token and token.kind == "operator" else ""
        if not sign or sign not in signs or not self._operand(1):
            return ""
        self.at += 1
        self._operators += sign
        return sign

    def _adjoined(self) -> str:
        """A bracket right behind a number or bracket multiplies."""
        token = self._peek()
        if not (token and token.kind == "open" and self.at and self.tokens[self.at - 1].end == token.start):
            return ""
        self._operators += "*"
        return "*"

    def _times(self, ahead: int) -> bool:
        """Whether an `x` stands there that multiplies; in `4x-13` it is an unknown."""
        token, after = self._peek(ahead), self._peek(ahead + 1)
        if not token or token.text not in ("x", "X") or not after:
            return False
        return self._operand(ahead + 1) and (after.text != "-" or after.start > token.end)

    def _operand(self, ahead: int) -> bool:
        """Whether an operand may begin there."""
        token, after = self._peek(ahead), self._peek(ahead + 1)
        if token and token.text == "-" and after and after.start == token.end:
            return after.kind in ("number", "open", "currency")
        return bool(token and token.kind in ("number", "open", "currency"))

    def _peek(self, ahead: int = 0) -> Token | None:
        return self.tokens[self.at + ahead] if self.at + ahead < len(self.tokens) else None

    def _take(self, kind: str) -> Token | None:
        token = self._peek()
        if token is None or token.kind != kind:
            return None
        self.at += 1
        return token


def _bounded(value: Fraction) -> Fraction:
    if max(value.numerator.bit_length(), value.denominator.bit_length()) > _MOST_BITS:
        raise NoSum
    return value
