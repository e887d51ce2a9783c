"""Plain text for a terminal 80 columns wide: headings, paragraphs, aligned tables. No colour."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

WIDTH = 80
GAP = "  "
NARROWEST = 8
"""A column of text is never cut below this, even if the table then passes the width."""


def figure(value: float, sign: str = "") -> str:
    """A score: three decimals; of a large one, as a trainer may report, six digits or a power of ten.

    `sign` is `+` where a plus is to be written too.
    """
    size = abs(value)
    return format(value, sign + (".3f" if size < 1_000 else ".6g" if size < 1_000_000 else ".3e"))


def printable(value: object) -> str:
    """One line of text that is safe to print: what could steer a terminal is shown as U+FFFD.

    Labels and paths come from data, and an escape sequence in one must not act. Line ends and tabs
    become spaces; lone surrogates, which no terminal encoding carries, become U+FFFD too.
    """
    text = " ".join(str(value).split())
    return "".join("\ufffd" if unicodedata.category(char) in ("Cc", "Cf", "Cs") else char for char in text)


def display_width(text: str) -> int:
    """Terminal cells: two for a wide character, none for a combining mark."""
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )


def cut(text: str, width: int) -> str:
    """The text, or as much of it as fits `width` cells with an ellipsis."""
    if display_width(text) <= width:
        return text
    while text and display_width(text) > width - 1:
        text = text[:-1]
    return text + "…"


def heading(text: str) -> str:
    return f"{text}\n{'-' * display_width(text)}"


def paragraph(text: str, indent: str = "", first: str | None = None) -> str:
    """Wrapped at the width; a path or a command that is longer stays in one piece, to be copied."""
    return textwrap.fill(
        printable(text),
        WIDTH,
        initial_indent=indent if first is None else first,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def bullet(text: str) -> str:
    return paragraph(text, indent="  ", first="- ")


def table(header: Sequence[str], rows: Sequence[Sequence[object]], *, left: int = 1) -> str:
    """Columns aligned, the first `left` of them to the left, the others (figures) to the right.

    A text column in the last place may be put left by an empty header over it. Where the table
    would pass the width, its widest left column is cut.
    """
    cells = [[printable(cell) for cell in row] for row in [header, *rows]]
    to_left = [index < left or not header[index] for index in range(len(header))]
    widths = [max(display_width(row[index]) for row in cells) for index in range(len(header))]
    while (over := sum(widths) + len(GAP) * (len(widths) - 1) - WIDTH) > 0:
        widest = max((i for i in range(len(widths)) if to_left[i]), key=lambda i: widths[i], default=None)
        if widest is None or widths[widest] <= NARROWEST:
            break
        widths[widest] = max(NARROWEST, widths[widest] - over)
    return "\n".join(
        GAP.join(
            _pad(cell, width, at_left) for cell, width, at_left in zip(row, widths, to_left, strict=True)
        ).rstrip()
        for row in cells
    )


def _pad(text: str, width: int, at_left: bool) -> str:
    shown = cut(text, width)
    space = " " * (width - display_width(shown))
    return shown + space if at_left else space + shown


def share(part: float, whole: float) -> str:
    """`12.3 %`, or a dash of nothing."""
    return f"{100 * part / whole:.1f} %" if whole else "–"


def largest_first(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names with their counts, equal counts by name."""
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
