"""Rules for single words and lists of them, and hints at those meant, shared by several sections."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from typing import TypeVar

from seedbed.core.registry import nearest

H = TypeVar("H", bound=Hashable)

SLUG = r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}"


def distinct(values: tuple[H, ...]) -> tuple[H, ...]:
    """The values themselves; ValueError names those that stand twice."""
    twice = [str(value) for value, count in Counter(values).items() if count > 1]
    if twice:
        raise ValueError("stands more than once: " + ", ".join(twice[:5]))
    return values


def slug(name: str) -> str | None:
    """What is wrong with a name that becomes part of file names, or None."""
    if re.fullmatch(SLUG, name):
        return None
    return "a name has up to 64 letters, digits, - and _, and begins with a letter or digit"


def meant(word: str, known: Sequence[str], otherwise: str) -> str:
    """The hint at an unknown word: the nearest known one, or all of them; `otherwise` where there is none."""
    close = nearest(word, list(known))
    if close is not None:
        return f"did you mean '{close}'?"
    return "there are: " + ", ".join(known) if known else otherwise
