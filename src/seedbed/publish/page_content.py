"""What a page is made of: sections of paragraphs, tables and small figures, as plain values.

A figure's places are per cent of its width, so that a page needs neither a script nor a style
attribute to draw it.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, ClassVar, Literal

Tone = Literal["good", "bad", "open", "plain"]
"""What a colour says: fine, not fine, undecided, nothing."""


@dataclass(frozen=True, slots=True)
class Text:
    """Words of ours or from data; `note` stands smaller below."""

    kind: ClassVar = "text"
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Number:
    """A figure, aligned by its right edge; `note` is what qualifies it, such as an interval."""

    kind: ClassVar = "number"
    text: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Chip:
    """A short verdict, coloured by what it means."""

    kind: ClassVar = "chip"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Bar:
    """A length of 0..100 per cent, with a second one behind it (a target, a whole)."""

    kind: ClassVar = "bar"
    length: float
    behind: float = 100.0
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Interval:
    """A value with its interval, before a band to compare it with. All in per cent of the width.

    `said` is the same in words, for who cannot see it.
    """

    kind: ClassVar = "interval"
    said: str
    value: float
    low: float
    high: float
    band: tuple[float, float] | None = None
    mark: float | None = None
    tone: Tone = "good"

    @property
    def whisker(self) -> float:
        return self.high - self.low

    @property
    def band_width(self) -> float:
        return self.band[1] - self.band[0] if self.band else 0.0


Cell = Text | Number | Chip | Bar | Interval


@dataclass(frozen=True, slots=True)
class Column:
    """`figure` columns have no words in them; `ticks` are (place, label) of the scale over one."""

    head: str
    kind: Literal["text", "number", "figure"] = "text"
    ticks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """The first cell of a row is its heading. `caption` says what is counted."""

    kind: ClassVar = "table"
    caption: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Paragraph:
    kind: ClassVar = "paragraph"
    text: str
    tone: Literal["body", "note"] = "body"


@dataclass(frozen=True, slots=True)
class Bullets:
    kind: ClassVar = "bullets"
    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Commands:
    """Lines to copy."""

    kind: ClassVar = "commands"
    lines: Sequence[str]


@dataclass(frozen=True, slots=True)
class Pairs:
    """Terms with what they are: (term, value)."""

    kind: ClassVar = "pairs"
    items: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Specimen:
    """One draft as it came: (name, text) of its fields or of its reply, and remarks on its verdict."""

    id: str
    parts: Sequence[tuple[str, str]]
    remarks: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Specimens:
    """Drafts of one fate under a heading that can be opened."""

    kind: ClassVar = "specimens"
    title: str
    count: str
    tone: Tone
    drafts: Sequence[Specimen]


@dataclass(frozen=True, slots=True)
class Chart:
    """A Vega-Lite specification, drawn where the page has the script; `said` is it in words."""

    kind: ClassVar = "chart"
    name: str
    said: str
    specification: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Point:
    """A point of a curve and its interval: per cent of the width and, from above, of the height."""

    x: float
    y: float
    low: float
    high: float
    label: str
    tone: Tone = "good"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in their order, joined, each with its interval; `ticks` are (place, label) of the height.

    `mark` is a level to compare with. `said` is the same in words, for who cannot see it.
    """

    kind: ClassVar = "curve"
    caption: str
    said: str
    points: Sequence[Point]
    ticks: Sequence[tuple[float, str]] = ()
    mark: float | None = None

    @property
    def steps(self) -> Sequence[tuple[Point, Point]]:
        return list(pairwise(self.points))


Block = Curve | Table | Paragraph | Bullets | Commands | Pairs | Specimens | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the page with a heading. Without blocks it is left out."""

    id: str
    title: str
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class Tile:
    """A headline figure with what it counts."""

    figure: str
    label: str
    note: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands first: how far the run came, why it ended, and the way on."""

    headline: str
    tone: Tone
    accepted: int
    target: int
    way_on: str
    equations: Sequence[tuple[str, str]]
    stamp: str = ""
    tiles: Sequence[Tile] = field(default_factory=tuple)

    @property
    def progress(self) -> float:
        return percent(self.accepted, self.target)


@dataclass(frozen=True, slots=True)
class Scale:
    """From a value to its place, with room at both ends."""

    low: float
    high: float

    @classmethod
    def over(cls, values: Iterable[float | None], *, room: float = 0.06) -> Scale:
        """A scale that holds all of the values; around a single one where they are all the same."""
        known = [value for value in values if value is not None]
        low, high = min(known, default=0.0), max(known, default=1.0)
        margin = room * (high - low) or abs(high) * 0.1 or 1.0
        return cls(low - margin, high + margin)

    def place(self, value: float) -> float:
        """Per cent of the width."""
        return percent(value - self.low, self.high - self.low)


def percent(part: float, whole: float) -> float:
    """0..100 to three decimals; 0 of nothing."""
    return round(min(100.0, max(0.0, 100 * part / whole)), 3) if whole else 0.0


def visible(text: object) -> str:
    """Text over several lines in which no character hides: what has no glyph is shown as U+FFFD.

    Zero-width joiners stay, as scripts and emoji need them; marks that turn the direction of a
    whole line do not.
    """
    return "".join(
        char
        if char in "\n\t\u200c\u200d" or unicodedata.category(char) not in ("Cc", "Cf", "Cs")
        else "\ufffd"
        for char in str(text).replace("\r\n", "\n")
    )
