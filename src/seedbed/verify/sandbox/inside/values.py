"""Plain values as JSON and back, each with its own type: what crosses between a program and its tests.

An object of the program's own never crosses. What does is a copy made of exact built-in types, so that no
`__eq__`, no subclass and no property of the program can take part in a comparison. Where the side that
encodes has a table of objects, an object crosses as its number there, and the other side gets a stand-in.
"""

from __future__ import annotations

import math
import sys
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

DEEPEST = 60
MOST_ITEMS = 200_000
_LONGEST_INT = 10**1000  # Python refuses to write longer ones in decimal

# Of numpy's arrays, those whose items are numbers or truths that Python has too.
_DTYPES = (
    *("bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"),
    *("float16", "float32", "float64", "complex64", "complex128"),
)
_DICTS: tuple[type, ...] = (dict, OrderedDict, defaultdict, Counter)


class Unsupported(Exception):
    """A value that cannot cross: nothing is known of it, so that no test of it has passed."""


class Encoder:
    """Encodes one message. `number_of(object)` gives an object its number; None lets none cross."""

    def __init__(self, number_of: Callable[[Any], int] | None = None) -> None:
        self._number_of = number_of
        self._items = 0

    def encode(self, value: Any, depth: int = 0) -> Any:
        self._items += 1
        if depth > DEEPEST or self._items > MOST_ITEMS:
            raise Unsupported("a value that is nested too deep or too large")
        kind = type(value)
        if value is None or kind is bool or kind is str:
            return value
        if kind is int:
            return value if -_LONGEST_INT < value < _LONGEST_INT else {"i": hex(value)}
        if kind is float:
            return value if math.isfinite(value) else {"f": repr(value)}
        if kind is list:
            return [self.encode(item, depth + 1) for item in value]
        if kind is tuple:
            return {"t": [self.encode(item, depth + 1) for item in value]}
        if kind in _DICTS:
            pairs = dict.items(value)
            return {"d": [[self.encode(k, depth + 1), self.encode(v, depth + 1)] for k, v in pairs]}
        return self._rarer(kind, value, depth)

    def _rarer(self, kind: type, value: Any, depth: int) -> Any:
        if kind is set or kind is frozenset:
            items = sorted((self.encode(item, depth + 1) for item in value), key=repr)
            return {"s" if kind is set else "z": items}
        if kind is bytes:
            return {"b": value.hex()}
        if kind is complex:
            return {"c": [self.encode(value.real), self.encode(value.imag)]}
        if kind is range:
            return {"r": [value.start, value.stop, value.step]}
        if kind is Fraction:
            return {"q": [self.encode(value.numerator), self.encode(value.denominator)]}
        if kind is Decimal:
            return {"n": str(value)}
        if (dtype := _dtype(value)) in _DTYPES:
            return {"a": [dtype, list(value.shape), self.encode(value.tolist(), depth + 1)]}
        if self._number_of is None:
            raise Unsupported(f"a value of type {kind.__name__}")
        return {"o": self._number_of(value)}


def decode(value: Any, object_of: Callable[[int], Any] | None = None) -> Any:
    """What was encoded; `object_of` gives what stands for a numbered object. Raises Unsupported."""
    if isinstance(value, list):
        return [decode(item, object_of) for item in value]
    if not isinstance(value, dict):
        return value
    ((mark, held),) = value.items()
    if mark == "o" and object_of is not None:
        return object_of(held)
    if mark == "d":
        return {decode(k, object_of): decode(v, object_of) for k, v in held}
    if mark in _COLLECTIONS:
        return _COLLECTIONS[mark](decode(item, object_of) for item in held)
    if mark == "a":
        return _array(*held)
    if mark in _SCALARS:
        return _SCALARS[mark](held)
    raise Unsupported(f"a value marked {mark!r}")


def _dtype(value: Any) -> str:
    """What an array or a number of numpy is made of; "" of anything else, also of what somebody derived."""
    numpy, kind = sys.modules.get("numpy"), type(value)
    if numpy is None or not (kind is numpy.ndarray or issubclass(kind, numpy.generic)):
        return ""
    return str(value.dtype.name) if kind in (numpy.ndarray, value.dtype.type) else ""


def _array(name: str, shape: list[int], items: Any) -> Any:
    """An array of numpy, or a scalar where it has no dimension."""
    numpy = sys.modules.get("numpy")
    if numpy is None or name not in _DTYPES:
        raise Unsupported(f"an array of {name}")
    return numpy.array(decode(items), dtype=name).reshape(shape)[()]


_COLLECTIONS: dict[str, Callable[[Any], Any]] = {"t": tuple, "s": set, "z": frozenset}
_SCALARS: dict[str, Callable[[Any], Any]] = {
    "i": lambda text: int(text, 16),
    "f": float,
    "b": bytes.fromhex,
    "c": lambda parts: complex(*map(decode, parts)),
    "r": lambda parts: range(*parts),
    "q": lambda parts: Fraction(*map(decode, parts)),
    "n": Decimal,
}
