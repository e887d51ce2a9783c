"""Durations and sizes as people write them: `1h30m`, `90s`, `512MB`, `2GiB`.

A number without a unit is refused where a key is new: of `time: 6` nobody could tell whether hours or
seconds were meant. Keys that always were seconds take both (`Seconds`).
"""

from __future__ import annotations

import math
import re
from fractions import Fraction
from typing import Annotated, Any

from pydantic import BeforeValidator, PlainSerializer

from seedbed.recipe.complaints import shown

_SECONDS = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_DURATION = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)d)?\s*(?:(?P<h>\d+(?:\.\d+)?)h)?\s*"
    r"(?:(?P<m>\d+(?:\.\d+)?)m)?\s*(?:(?P<s>\d+(?:\.\d+)?)s)?"
)
_BYTES = {
    "B": 1,
    "kB": 10**3,
    "KB": 10**3,
    "MB": 10**6,
    "GB": 10**9,
    "TB": 10**12,
    "KiB": 2**10,
    "MiB": 2**20,
    "GiB": 2**30,
    "TiB": 2**40,
}
_SIZE = re.compile(r"(?P<count>\d+(?:\.\d+)?)\s*(?P<unit>[A-Za-z]+)")
# As they are written back; `KB` is read and never written.
_WRITTEN = [unit for unit in _BYTES if unit != "KB"]


def parse_duration(text: str) -> float:
    """Seconds. ValueError says what was expected."""
    match = _DURATION.fullmatch(text.strip())
    parts = {unit: part for unit, part in match.groupdict().items() if part} if match else {}
    if not parts:
        raise ValueError(f"must be a duration such as 6h, 1h30m or 90s, not {shown(text)}")
    seconds = float(sum(Fraction(part) * _SECONDS[unit] for unit, part in parts.items()))
    if not 0 < seconds < math.inf:
        raise ValueError(f"must be longer than nothing, not {shown(text)}")
    return seconds


def write_duration(seconds: float) -> str:
    """The one spelling of a duration: `5400` is `1h30m`."""
    whole, rest = divmod(Fraction(str(seconds)), 1)
    left = int(whole)
    text = ""
    for unit, size in (("h", 3600), ("m", 60)):
        count, left = divmod(left, size)
        text += f"{count}{unit}" if count else ""
    if rest:
        return f"{text}{float(left + rest)!r}s"
    return text + (f"{left}s" if left or not text else "")


def parse_size(text: str) -> int:
    """Bytes. ValueError says what was expected."""
    match = _SIZE.fullmatch(text.strip())
    if match is None or match["unit"] not in _BYTES:
        raise ValueError(f"must be a size such as 512MB or 2GiB, not {shown(text)}")
    size = Fraction(match["count"]) * _BYTES[match["unit"]]
    if size <= 0 or size.denominator != 1:
        raise ValueError(f"must be a whole number of bytes, at least one, not {shown(text)}")
    return int(size)


def write_size(size: int) -> str:
    """The one spelling of a size: in the unit that makes the number smallest, and whole."""
    fitting = [unit for unit in _WRITTEN if size % _BYTES[unit] == 0]
    unit = min(fitting, key=lambda unit: (size // _BYTES[unit], _WRITTEN.index(unit)))
    return f"{size // _BYTES[unit]}{unit}"


def _duration(value: Any) -> Any:
    if isinstance(value, str):
        return parse_duration(value)
    hint = ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        hint = f"; write the unit: {value:g}s, {value:g}m or {value:g}h"
    raise ValueError(f"must be a duration such as 6h, 1h30m or 90s, not {shown(value)}{hint}")


def _seconds(value: Any) -> Any:
    """A number stays as it is, for the field's own bounds to judge."""
    return parse_duration(value) if isinstance(value, str) else value


def _size(value: Any) -> Any:
    if isinstance(value, str):
        return parse_size(value)
    hint = ""
    if isinstance(value, int | float) and not isinstance(value, bool):
        hint = f"; write the unit: {value:g}MB or {value:g}GB"
    raise ValueError(f"must be a size such as 512MB or 2GiB, not {shown(value)}{hint}")


# Seconds in Python; in the lock file the one spelling with its units.
Duration = Annotated[
    float,
    BeforeValidator(_duration, json_schema_input_type=str),
    PlainSerializer(write_duration, return_type=str, when_used="json"),
]
# Seconds as a plain number, or a duration.
SecondsBefore = BeforeValidator(_seconds, json_schema_input_type=str | float)
# Bytes.
Size = Annotated[
    int,
    BeforeValidator(_size, json_schema_input_type=str),
    PlainSerializer(write_size, return_type=str, when_used="json"),
]
