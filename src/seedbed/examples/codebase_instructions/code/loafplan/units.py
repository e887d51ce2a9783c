"""Weights. Inside Loafplan every weight is a whole number of grams."""

import re

_GRAMS = {"g": 1, "kg": 1000, "oz": 28.349523125, "lb": 453.59237}
_WEIGHT = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*")


def grams(text: str) -> int:
    """Read a weight such as `1.5 kg`, rounded to whole grams.

    Raises ValueError for an unknown unit, and for a bare number: a recipe that says 500 may mean anything.
    """
    found = _WEIGHT.fullmatch(text.lower())
    if found is None or found[2] not in _GRAMS:
        raise ValueError(f"{text!r} is no weight; write a number and one of {', '.join(_GRAMS)}")
    return round(float(found[1]) * _GRAMS[found[2]])


def show(weight: int) -> str:
    """Grams below a kilogram, kilograms with two digits from there: `850 g`, `12.40 kg`."""
    return f"{weight} g" if weight < 1000 else f"{weight / 1000:.2f} kg"
