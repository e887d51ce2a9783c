"""Values that come from the environment: named in the recipe, never written in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_REFERENCE = re.compile(r"env:([A-Za-z_][A-Za-z0-9_]*)")
_REFERENCE_FORM = rf"^\s*{_REFERENCE.pattern}\s*$"


class Secret:
    """A value that must not be seen. `name` is the environment variable it came from.

    Not a dataclass on purpose: what walks over fields (a dump, `asdict`) must not find the value.
    """

    __slots__ = ("_value", "name")

    def __init__(self, name: str, value: str) -> None:
        self.name = name
        self._value = value

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: Any, handler: Any) -> dict[str, Any]:
        return {"type": "string", "pattern": _REFERENCE_FORM}

    def reveal(self) -> str:
        """The value itself; only for the header that needs it."""
        return self._value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and (self.name, self._value) == (other.name, other._value)

    def __hash__(self) -> int:
        return hash((self.name, self._value))

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__


def reference(text: str) -> str | None:
    """The variable's name in `env:NAME`; None where the text is something else."""
    match = _REFERENCE.fullmatch(text.strip())
    return match[1] if match else None


def look_up(name: str, env: Mapping[str, str]) -> str:
    """The variable's value. ValueError, with the remedy, where it is not set or empty."""
    value = env.get(name, "").strip()
    if not value:
        raise ValueError(f"the environment variable {name} is not set; export {name}=… and run again")
    return value
