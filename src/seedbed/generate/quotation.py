"""Where in a passage a quotation stands: the evidence that a record from a document keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from seedbed.core.record import Rejection
from seedbed.text.claims import span_of


def place_of(passage: Mapping[str, Any]) -> dict[str, Any]:
    return {"document": passage["document"], "heading": passage["heading"]}


def quoted(quote: str, passage: Mapping[str, Any]) -> dict[str, Any] | Rejection:
    """The quotation as the passage has it, with its place; turned down where it stands nowhere in it."""
    place, span = place_of(passage), span_of(quote, passage["text"])
    if span is None:
        return Rejection("unsupported", {**place, "quote": quote, "claims": ["the quote"]})
    start, end = span
    return {**place, "start": start, "end": end, "quote": passage["text"][start:end]}
