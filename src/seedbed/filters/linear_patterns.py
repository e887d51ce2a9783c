"""Patterns of a recipe, matched in time that grows with the text alone.

A recipe's pattern meets whatever a model wrote, and a backtracking engine can hang on a few dozen
characters of it. A time limit would cure that but let the machine's load decide verdicts, which are
to be equal everywhere. So the engine is the linear one of Rust, which comes with jsonschema-rs and is
loaded for the `schema` filter anyway; it has no lookaround and no backreference.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import jsonschema_rs

_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def problem_with(pattern: str) -> str | None:
    """What is wrong with a pattern, or None."""
    import jsonschema_rs

    try:
        _compiled(pattern)
    except (ValueError, jsonschema_rs.ValidationError):
        return (
            f"not a pattern that can be matched in linear time: {pattern!r}; check its brackets, and do "
            "without lookaround and backreferences"
        )
    return None


def stands_in(pattern: str, text: str) -> bool:
    """Whether the pattern matches anywhere in the text. A lone surrogate is read as U+FFFD."""
    return bool(_compiled(pattern).is_valid(_LONE_SURROGATE.sub("\ufffd", text)))


def whole(pattern: str) -> str:
    """The pattern that matches where this one matches a text from its beginning to its end."""
    return f"^(?:{pattern})$"


@lru_cache(maxsize=4096)
def _compiled(pattern: str) -> jsonschema_rs.Draft202012Validator:
    """Cannot be pickled, so each process compiles its own, once."""
    import jsonschema_rs

    options = jsonschema_rs.RegexOptions()
    return jsonschema_rs.Draft202012Validator({"pattern": pattern}, pattern_options=options)
