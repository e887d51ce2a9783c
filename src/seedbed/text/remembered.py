"""Functions of a text that remember what they made of the last short ones."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache, wraps
from typing import TypeVar

R = TypeVar("R")

_SHORT_CHARS = 4000


def remembered(texts: int) -> Callable[[Callable[[str], R]], Callable[[str], R]]:
    """Keep the results of the latest `texts` texts, but none of a long text, which would keep megabytes."""

    def of(make: Callable[[str], R]) -> Callable[[str], R]:
        kept = lru_cache(maxsize=texts)(make)

        @wraps(make)
        def look(text: str) -> R:
            return kept(text) if len(text) <= _SHORT_CHARS else make(text)

        return look

    return of
