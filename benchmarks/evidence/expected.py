"""Hold measured figures against `expected.toml`, which the code that measures never reads."""

from __future__ import annotations

import operator
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("expected.toml")

# Dotted name of a figure -> condition -> bound.
Expected = Mapping[str, Mapping[str, Any]]


def _within(value: float, bound: tuple[float, float]) -> bool:
    centre, radius = bound
    return abs(value - centre) <= radius


CONDITIONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "is": operator.eq,
    "below": operator.lt,
    "above": operator.gt,
    "at_most": operator.le,
    "at_least": operator.ge,
    "within": _within,
}


def read_expected(demonstration: str, path: Path = FILE, part: str | None = None) -> Expected:
    """What must be true of a demonstration or of one part. Raises ValueError where the file is silent."""
    expected: Expected = tomllib.loads(path.read_text(encoding="utf-8")).get(demonstration, {})
    if part is not None:
        expected = {name: bounds for name, bounds in expected.items() if name.startswith(f"{part}.")}
    if not expected:
        where = f"[{demonstration}]" if part is None else f"[{demonstration}] for {part}"
        raise ValueError(f"{path}: nothing in {where}; a demonstration without bounds proves nothing")
    for name, conditions in expected.items():
        unknown = set(conditions) - set(CONDITIONS)
        if unknown or not conditions:
            raise ValueError(f"{path}: [{demonstration}] {name}: write one of {', '.join(CONDITIONS)}")
    return expected


def misses(figures: Mapping[str, Any], expected: Expected) -> list[str]:
    """A sentence for each expectation that the figures do not meet; a figure that is not there meets none."""
    found = []
    for name, conditions in expected.items():
        value = _figure(figures, name)
        for condition, bound in conditions.items():
            if value is None or not CONDITIONS[condition](value, bound):
                found.append(f"{name} = {value}, expected {condition} {bound}")
    return found


def _figure(figures: Mapping[str, Any], name: str) -> Any:
    value: Any = figures
    for part in name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    return value
