r"""Reading formulas, plain or in LaTeX, into trees of plain values, within bounds.

A small parser of its own: text from a model reaches no evaluator of any library, only these trees do. A tree
is its head and its parts, which JSON can carry:

    ["number", "3/4", 2]  (written with two decimals)   ["symbol", "x"]   ["constant", "pi"]
    ["+", a, b]   ["*", a, b]   ["/", a, b]   ["^", a, b]   ["call", "sin", a]
    ["=", a, b]   ["list", "[)", a, b, …]  (its brackets, none for `1, 2`)

What can be read in two ways (`1/2x`, `sin 2xy`, `[x]`, `3!`), and words, are not read at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeAlias

from seedbed.verify.arithmetic import DEEPEST, MOST_TOKENS, SIGNS, NoSum, decimal_value

Tree: TypeAlias = list[Any]


class NoFormula(Exception):
    """What stands here is no formula, can be read in two ways, or is out of all bounds."""


_LAYOUT = re.compile(
    r"\\(?:left|right|[bB]igg?[lr]?|displaystyle|quad|qquad)(?![a-zA-Z])|\\[,;:! $]|[$~]"
    r"|(?:\^\s*\{?\s*\\circ\s*\}?|°|\\(?:text|mathrm|mbox|textbf)\s*\{[^{}]*\})\s*$"
)
_TOKEN = re.compile(
    r"(?P<number>(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)"
    r"|\\(?P<command>[a-zA-Z]+|[{}])|(?P<word>[a-zA-Z]+)|(?P<sign>\*\*|[-+*/^=(){}\[\],!|√π_])|(?P<other>\S)"
)
_FUNCTIONS = frozenset(
    (
        *("sin", "cos", "tan", "cot", "sec", "csc", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh"),
        *("ln", "log", "exp", "sqrt", "abs"),
    )
)
_GREEK = frozenset(
    ("alpha", "beta", "gamma", "delta", "theta", "lambda", "mu", "nu", "phi", "rho", "sigma", "omega", "tau")
)
_CONSTANTS = {"pi": "pi", "π": "pi", "e": "e", "i": "i", "infty": "infinity"}
_FRACTIONS = ("frac", "dfrac", "tfrac", "cfrac")
_TIMES = ("*", "times", "cdot")


@dataclass(frozen=True, slots=True)
class _Token:
    """`adjoins`: nothing is between it and the one before."""

    kind: str
    text: str
    adjoins: bool


_END = _Token("end", "", False)


def read_formula(text: str) -> Tree:
    """The tree of an answer that is a formula; a unit behind it is set apart. Raises NoFormula."""
    plain = _LAYOUT.sub(" ", text.translate(SIGNS).strip(" .\n"))
    tokens: list[_Token] = []
    end = 0
    for match in _TOKEN.finditer(plain):
        kind = match.lastgroup or ""
        tokens.append(_Token(kind, match[kind], match.start() == end))
        end = match.end()
    if len(tokens) > MOST_TOKENS:
        raise NoFormula
    reader = _Reader(tokens)
    found = reader.relations("")
    if reader.next is not _END or (found[:2] == ["call", "factorial"] and found[2][0] == "number"):
        raise NoFormula
    return found


class _Reader:
    """Recursive descent over the tokens of one formula."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0

    @property
    def next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else _END

    def relations(self, brackets: str) -> Tree:
        """What stands between commas; one alone is itself."""
        found = [self._relation()]
        while self._take(","):
            found.append(self._relation())
        return found[0] if len(found) == 1 else ["list", brackets, *found]

    def _relation(self) -> Tree:
        left = self._sum()
        if left[0] == "symbol" and self._take("in"):
            return self._sum()
        return ["=", left, self._sum()] if self._take("=") else left

    def _sum(self) -> Tree:
        negative = self._take("-", "+") == "-"
        found = self._product()
        found = _negative(found) if negative else found
        while sign := self._take("+", "-"):
            term = self._product()
            found = ["+", found, term if sign == "+" else _negative(term)]
        return found

    def _product(self) -> Tree:
        found, divided = self._power(), False
        while True:
            if self._take(*_TIMES):
                found = ["*", found, self._signed_power()]
            elif self._take("/", "div"):
                found, divided = ["/", found, self._signed_power()], True
            elif not self._begins_factor():
                return found
            elif divided:
                raise NoFormula  # `1/2x`
            else:
                is_fraction = self.next.text in _FRACTIONS
                factor = self._power()
                found = ["+" if is_fraction and _is_mixed(found, factor) else "*", found, factor]

    def _signed_power(self) -> Tree:
        return _negative(self._power()) if self._take("-") else self._power()

    def _power(self) -> Tree:
        with self._deeper():
            base = self._atom()
            while self._take("!"):
                base = ["call", "factorial", base]
            if not self._take("^", "**"):
                return base
            grouped = self.next.text == "{"
            exponent = self._argument() if grouped else self._signed_power()
            return ["^", base, exponent]

    def _begins_factor(self) -> bool:
        """Whether what follows multiplies without a sign. A number does not: `3 4` is no product."""
        token = self.next
        if token.kind in ("word", "command"):
            return token.text not in ("}", "in", *_TIMES, "div")
        return token.kind == "sign" and token.text in "([{√π"

    def _atom(self) -> Tree:
        token = self.next
        self._at += 1
        if token.kind == "number":
            return _number(token.text)
        if token.kind in ("word", "command"):
            return self._named(token)
        match token.text:
            case "(" | "[" | "{":
                return self._bracketed(token.text)
            case "√":
                return ["call", "sqrt", self._argument()]
            case "π":
                return ["constant", "pi"]
            case "|":
                return ["call", "abs", self._closed(self._sum(), "|")]
        raise NoFormula

    def _bracketed(self, opening: str) -> Tree:
        found = self.relations(opening)
        closing = self._take(")", "]", "}")
        pair = f"{opening}{closing}"
        if found[:2] == ["list", opening]:
            if pair not in ("()", "[]", "(]", "[)", "{}"):
                raise NoFormula
            return ["list", pair, *found[2:]]
        if pair not in ("()", "{}"):
            raise NoFormula
        return found

    def _named(self, token: _Token) -> Tree:
        name = token.text
        if token.kind == "command":
            if name in _FRACTIONS:
                return ["/", self._argument(), self._argument()]
            if name == "{":
                found = self.relations("{}")
                self._closed(found, "}")
                return found if found[:2] == ["list", "{}"] else ["list", "{}", found]
        if name in _FUNCTIONS:
            return self._call(name)
        if name in _CONSTANTS:
            return ["constant", _CONSTANTS[name]]
        if len(name) == 1 or (token.kind == "command" and name in _GREEK):
            return ["symbol", name + self._subscript()]
        # `2xy` is a product; `xy` may be a word.
        if token.kind == "word" and len(name) <= 3 and token.adjoins and self._follows_number():
            first, *rest = (["symbol", letter] for letter in name)
            return _product([first, *rest])
        raise NoFormula

    def _follows_number(self) -> bool:
        return self._at > 1 and self._tokens[self._at - 2].kind == "number"

    def _subscript(self) -> str:
        if not self._take("_"):
            return ""
        grouped = self._take("{")
        token = self.next
        if token.kind not in ("number", "word"):
            raise NoFormula
        self._at += 1
        if grouped and not self._take("}"):
            raise NoFormula
        return f"_{token.text}"

    def _call(self, name: str) -> Tree:
        """A function of what is in brackets behind it, or of a number, a symbol or the two of them."""
        if name == "sqrt":
            degree = self._closed(self._sum(), "]") if self._take("[") else None
            root = self._argument()
            return ["call", "sqrt", root] if degree is None else ["^", root, ["/", _number("1"), degree]]
        base = self._argument() if name == "log" and self._take("_") else None
        exponent = self._argument() if self._take("^") else None
        if exponent is not None and exponent[0] != "number":
            raise NoFormula  # the inverse of the function, or one divided by it
        found = ["call", name, self._called_with()]
        if base is not None:
            found = ["/", ["call", "ln", found[2]], ["call", "ln", base]]
        return found if exponent is None else ["^", found, exponent]

    def _called_with(self) -> Tree:
        if self.next.text in ("(", "[", "{"):
            found = self._atom()
            if found[0] in ("list", "="):
                raise NoFormula
            return found
        found = self._power()
        if found[0] == "number" and self._begins_factor() and self.next.text not in _FUNCTIONS:
            found = ["*", found, self._power()]
        if self._begins_factor() and self.next.text not in _FUNCTIONS:
            raise NoFormula
        return found

    def _argument(self) -> Tree:
        r"""What a command of LaTeX works on: a group or one sign; of `\frac12` the 1."""
        token = self.next
        if token.kind == "number" and token.text.isdigit() and len(token.text) > 1:
            self._tokens[self._at] = _Token("number", token.text[1:], True)
            return _number(token.text[0])
        if token.text == "-":
            raise NoFormula
        with self._deeper():
            return self._atom()

    def _closed(self, inside: Tree, closing: str) -> Tree:
        if not self._take(closing):
            raise NoFormula
        return inside

    def _take(self, *texts: str) -> str:
        """The text of the token that stands next, taken where it is one of these; "" where it is not."""
        if self.next.kind == "number" or self.next.text not in texts:
            return ""
        self._at += 1
        return self._tokens[self._at - 1].text

    @contextmanager
    def _deeper(self) -> Iterator[None]:
        self._depth += 1
        if self._depth > DEEPEST:
            raise NoFormula
        yield
        self._depth -= 1


def _number(written: str) -> Tree:
    try:
        return ["number", str(decimal_value(written)), len(written.partition(".")[2])]
    except NoSum:
        raise NoFormula from None


def _negative(tree: Tree) -> Tree:
    return ["*", ["number", "-1", 0], tree]


def _product(factors: list[Tree]) -> Tree:
    found, *rest = factors
    for factor in rest:
        found = ["*", found, factor]
    return found


def _is_mixed(left: Tree, right: Tree) -> bool:
    r"""Whether a number and the fraction beside it are their sum, as in `1\frac12`."""
    return left[0] == "number" and right[0] == "/" and {right[1][0], right[2][0]} == {"number"}
