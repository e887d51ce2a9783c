"""`length`: a record is about as long as the real ones."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Self

from pydantic import Field, model_validator

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import FilterOptions, filter_id, reject, whole_text
from seedbed.text.normalise import units

ENOUGH_REAL = 50
UNCALIBRATED_MAX_CHARS = 20_000


@dataclass(frozen=True, slots=True)
class Bounds:
    """Inclusive; None is no bound."""

    min_words: int | None = None
    max_words: int | None = None
    min_chars: int | None = None
    max_chars: int | None = None


class Length:
    """Length of a record's text in words; in a script without spaces each character is a word.

    A side (short, long) for which an option is given follows it alone. The other is calibrated on
    real train texts: half of their 1st percentile, twice their 99th (nearest rank). With fewer
    than 50 of them only an empty text is too short, and one of more than 20,000 characters too long.
    """

    name: ClassVar = "length"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        min_words: int | None = Field(None, ge=0, description="fewer words are too short")
        max_words: int | None = Field(None, ge=1, description="more words are too long")
        min_chars: int | None = Field(None, ge=0, description="fewer characters are too short")
        max_chars: int | None = Field(None, ge=1, description="more characters are too long")

        @model_validator(mode="after")
        def _ordered(self) -> Self:
            for unit in ("words", "chars"):
                low, high = getattr(self, f"min_{unit}"), getattr(self, f"max_{unit}")
                if low is not None and high is not None and low > high:
                    raise ValueError(f"min_{unit} {low} is above max_{unit} {high}; no text is both")
            return self

    def __init__(self, bounds: Bounds, task: Task) -> None:
        self.bounds = bounds
        self._task = task

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Length:
        real = sorted(len(units(text)) for text in context.real_texts or ())
        given = Bounds(options.min_words, options.max_words, options.min_chars, options.max_chars)
        if len(real) >= ENOUGH_REAL:
            free = Bounds(
                min_words=math.ceil(_percentile(real, 0.01) / 2), max_words=2 * _percentile(real, 0.99)
            )
        else:
            free = Bounds(max_chars=UNCALIBRATED_MAX_CHARS)
        shortest = given if given.min_words is not None or given.min_chars is not None else free
        longest = given if given.max_words is not None or given.max_chars is not None else free
        bounds = Bounds(shortest.min_words, longest.max_words, shortest.min_chars, longest.max_chars)
        return cls(bounds, context.task)

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        if record.unreadable is not None:
            return None
        text = whole_text(self._task, record.fields).strip()
        if self._is_clearly_within(text):
            return None
        by, bounds = filter_id(type(self)), self.bounds
        words, chars = len(units(text)), len(text)
        if not text:
            return reject(record, by, "too_short", {"words": 0, "chars": 0})
        if words < (bounds.min_words or 0):
            return reject(record, by, "too_short", {"words": words, "min_words": bounds.min_words})
        if chars < (bounds.min_chars or 0):
            return reject(record, by, "too_short", {"chars": chars, "min_chars": bounds.min_chars})
        if bounds.max_words is not None and words > bounds.max_words:
            return reject(record, by, "too_long", {"words": words, "max_words": bounds.max_words})
        if bounds.max_chars is not None and chars > bounds.max_chars:
            return reject(record, by, "too_long", {"chars": chars, "max_chars": bounds.max_chars})
        return None

    def _is_clearly_within(self, text: str) -> bool:
        """Told without counting every word of a text that is about as long as most."""
        fewest, most = self.bounds.min_words or 1, self.bounds.max_words
        return (
            text.isascii()
            and (most is None or (len(text) + 1) // 2 <= most)
            and len(text) >= (self.bounds.min_chars or 0)
            and len(text) <= (self.bounds.max_chars or len(text))
            and len(text.split(None, fewest)) >= fewest
        )


def _percentile(ordered: Sequence[int], share: float) -> int:
    """Nearest rank: the smallest value that at least this share of the values does not exceed."""
    return ordered[math.ceil(share * len(ordered)) - 1]
