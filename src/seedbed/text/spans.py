"""Spans of a text, and how several that overlap become a row of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Span:
    """Characters `start` to `end` (exclusive) of a text are of this kind."""

    kind: str
    start: int
    end: int


def apart(spans: Iterable[Span]) -> list[Span]:
    """In order and without overlap: the one that begins first stays, of those the longest, then the first."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
    return kept
