"""Whether two formulas are the same, worked out by sympy: only ever called in a killable process.

Given are the trees of `seedbed.verify.formulas`, never text. Two formulas are *different* where their values
are, at some point at which both have one; they are *equal* where sympy brings their difference down to 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy
from sympy.core.evalf import PrecisionExhausted

from seedbed.verify.formulas import Tree
from seedbed.verify.mathematics import Comparison

_MOST_BITS = 8192  # of a power's value
_MOST_FACTORIAL = 1000
_DIGITS = 30
_ACCURACY = sympy.Float("1e-20")
# The values of the first symbol, the second, … by turns: small, of both signs, and in no plain relation.
_POINTS = [
    sympy.Rational(*pair) for pair in ((7, 5), (-13, 11), (29, 17), (5, 19), (-31, 23), (37, 13), (-3, 7))
]
_TRIES = 6

_CONSTANTS = {"pi": sympy.pi, "e": sympy.E, "i": sympy.I, "infinity": sympy.oo}
_NAMED = ("sin", "cos", "tan", "cot", "sec", "csc", "sinh", "cosh", "tanh", "exp", "sqrt")
_CALLS = {name: getattr(sympy, name) for name in _NAMED} | {
    "arcsin": sympy.asin,
    "arccos": sympy.acos,
    "arctan": sympy.atan,
    "abs": sympy.Abs,
    "ln": sympy.log,
    # Of a base that is not said: log 100 is 2 to some and not to others.
    "log": lambda value: sympy.log(value) / sympy.log(sympy.Symbol("base", positive=True)),
}


class _OutOfBounds(Exception):
    """Too large to be worked out."""


def compare_trees(trees: Sequence[Tree]) -> Comparison:
    """`equal`, `different` or `undecided`, for two trees."""
    one, other = trees
    try:
        return _compared(one, other)
    except MemoryError:
        raise
    except Exception:  # noqa: BLE001 - sympy raises errors of many kinds where it does not know
        return "undecided"


def _compared(one: Tree, other: Tree) -> Comparison:
    if "=" in (one[0], other[0]):
        return _equations(one, other)
    if "list" in (one[0], other[0]):
        return _lists(one, other) if one[0] == other[0] else "undecided"
    return _formulas(one, other)


def _equations(one: Tree, other: Tree) -> Comparison:
    """`x = 5` is what stands behind it; two equations are the same where one is a multiple of the other."""
    if one[0] == other[0] and not (one[1] == other[1] and one[1][0] == "symbol"):
        a, b = (_value(tree[1]) - _value(tree[2]) for tree in (one, other))
        ratio = sympy.simplify(a / b)
        return "equal" if ratio.is_number and ratio.is_finite and ratio.is_nonzero else "undecided"
    sides = [tree[2] if tree[0] == "=" and tree[1][0] == "symbol" else tree for tree in (one, other)]
    return "undecided" if "=" in (sides[0][0], sides[1][0]) else _compared(*sides)


def _lists(one: Tree, other: Tree) -> Comparison:
    """In their order, or of a set in any. Of other brackets, or `1, 2` and `2, 1`, nothing is said."""
    (_, brackets, *ours), (_, others, *theirs) = one, other
    if brackets != others:
        return "undecided"
    if len(ours) != len(theirs):
        return "different" if brackets != "{}" else "undecided"
    in_order = [_compared(a, b) for a, b in zip(ours, theirs, strict=True)]
    if all(result == "equal" for result in in_order):
        return "equal"
    if brackets not in ("", "{}"):
        return "different" if "different" in in_order else "undecided"
    results = [[_compared(a, b) for b in theirs] for a in ours]
    if brackets == "{}" and all("equal" in row for row in (*results, *zip(*results, strict=True))):
        return "equal"
    alone = any(set(row) == {"different"} for row in (*results, *zip(*results, strict=True)))
    return "different" if alone else "undecided"


def _formulas(one: Tree, other: Tree) -> Comparison:
    a, b = _value(one), _value(other)
    if a == b:
        return "equal"
    symbols = sorted(a.free_symbols | b.free_symbols, key=str)
    same_symbols = a.free_symbols == b.free_symbols
    for turn in range(_TRIES if symbols else 1):
        at = {symbol: _POINTS[(place + turn) % len(_POINTS)] for place, symbol in enumerate(symbols)}
        ours, theirs = _number_at(a, at), _number_at(b, at)
        if (
            ours is None
            or theirs is None
            or (_is_of_reals(one, other) and not (ours.is_real and theirs.is_real))
        ):
            continue
        apart = abs(ours - theirs)
        if apart > _ACCURACY * max(1, abs(ours), abs(theirs)):
            places = max(_places(one), _places(other))
            is_rounded = not symbols and places > 0 and apart < sympy.Rational(1, 10**places)
            return "different" if same_symbols and not is_rounded else "undecided"
    return "equal" if sympy.simplify(sympy.expand(a - b)) == 0 or (a - b).equals(0) else "undecided"


def _number_at(formula: Any, at: dict[Any, Any]) -> Any:
    """Its value to 30 digits, None where it has none or cannot be known to so many."""
    try:
        value = formula.subs(at).evalf(_DIGITS, strict=True)
    except PrecisionExhausted:
        return None
    return value if value.is_number and value.is_finite else None


def _is_of_reals(*trees: Tree) -> bool:
    return not any(_holds(tree, ["constant", "i"]) for tree in trees)


def _holds(tree: Any, part: Tree) -> bool:
    return tree == part or (isinstance(tree, list) and any(_holds(inner, part) for inner in tree))


def _places(tree: Any) -> int:
    """The most decimals that a number of it is written with; of `0.33` two, so that it may be a third."""
    if not isinstance(tree, list):
        return 0
    return int(tree[2]) if tree[0] == "number" else max(map(_places, tree), default=0)


def _value(tree: Tree) -> Any:
    head, *parts = tree
    match head:
        case "number":
            return sympy.Rational(parts[0])
        case "symbol":
            return sympy.Symbol(parts[0], real=True)
        case "constant":
            return _CONSTANTS[parts[0]]
        case "call" if parts[0] == "factorial":
            return _factorial(_value(parts[1]))
        case "call":
            return _CALLS[parts[0]](_value(parts[1]))
    left, right = map(_value, parts)
    match head:
        case "+":
            return left + right
        case "*":
            return left * right
        case "/" if right != 0:
            return left / right
        case "^":
            return _power(left, right)
    raise _OutOfBounds


def _power(base: Any, exponent: Any) -> Any:
    """Sympy works powers of numbers out at once, however large they are."""
    if exponent.is_Rational and (base.is_Rational or abs(exponent) > _MOST_FACTORIAL):
        size = max(2, abs(base.p), base.q).bit_length() if base.is_Rational else _MOST_BITS
        if abs(exponent) * size > _MOST_BITS:
            raise _OutOfBounds
    return base**exponent


def _factorial(value: Any) -> Any:
    if value.is_number and not (value.is_integer and 0 <= value <= _MOST_FACTORIAL):
        raise _OutOfBounds
    return sympy.factorial(value)
