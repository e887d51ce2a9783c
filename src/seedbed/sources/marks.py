"""Marks by which the program knows an eval set that it locked and data that it made itself."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any

from seedbed.core.record import EXPORT_ID, EXPORT_ID_COLUMN, EXPORT_ID_PREFIX
from seedbed.text.normalise import normalise

CANARY_COLUMN = "seedbed_canary"

_CANARY = re.compile(r"(seedbed-canary-[0-9a-f]{24})(?:-(\d{1,9}))?")


def canary_of(keys: Iterable[str]) -> str:
    """The canary of an eval set: a string that its content (row keys, in order) alone decides."""
    state = hashlib.blake2b(digest_size=12)
    for key in keys:
        state.update(key.encode("utf-8", "surrogatepass") + b"\0")
    return f"seedbed-canary-{state.hexdigest()}"


def row_canary(canary: str, row: int) -> str:
    """What the eval file's canary column holds in a row (counted from 0), so that a find names it."""
    return f"{canary}-{row}"


def find_canary(text: str) -> tuple[str, int | None] | None:
    """The first canary in a text, and the row that it names."""
    found = _CANARY.search(text)
    if found is None:
        return None
    return found[1], int(found[2]) if found[2] else None


def own_mark(values: Mapping[str, Any]) -> str | None:
    """How a row betrays that the program wrote it; None where it does not. Quotes no value."""
    if EXPORT_ID_COLUMN in values:
        return f"a column {EXPORT_ID_COLUMN!r}"
    for name, value in values.items():
        if not isinstance(value, str):
            continue
        if EXPORT_ID.search(value):
            return f"an id of an exported record ({EXPORT_ID_PREFIX}…)"
        if name != CANARY_COLUMN and _CANARY.search(value):
            return "the canary of a locked eval set, in text"
    return None


def own_depth(values: Mapping[str, Any]) -> int:
    """How many generations a row is away from real data: 0 unless the program wrote it.

    An id that says no depth is of the first generation, as is a column of ids that holds something else.
    """
    deepest = int(EXPORT_ID_COLUMN in values)
    for value in values.values():
        if isinstance(value, str) and EXPORT_ID_PREFIX in value:
            deepest = max([deepest, *(int(found[2] or 1) for found in EXPORT_ID.finditer(value))])
    return deepest


TEXT_HASH_BYTES = 8


def text_hash(text: str) -> bytes:
    """8-byte BLAKE2b of a normalised text: drafts are told to the eval lock by it, never by their text."""
    data = normalise(text).encode("utf-8", "surrogatepass")
    return hashlib.blake2b(data, digest_size=TEXT_HASH_BYTES).digest()
