"""Markdown in which nothing from data acts: words are escaped, values stand in code spans."""

from __future__ import annotations

import re
from collections.abc import Sequence

from seedbed.publish.text_layout import printable

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|&~$!^])")
_BEGINS_BLOCK = re.compile(r"^(?:(\d+)([.)])|()([-+=:]))")


def words(text: object) -> str:
    """One line of text as it is: CommonMark lets any ASCII punctuation be escaped."""
    escaped = _SPECIAL.sub(r"\\\1", printable(text))
    # A scheme with its colon apart is no link to those who link bare addresses.
    escaped = escaped.replace("://", ":\\//").replace("www.", "www\\.")
    return _BEGINS_BLOCK.sub(lambda m: f"{m[1] or ''}\\{m[2] or m[4]}", escaped)


def quotation(text: object) -> str:
    """Text of several lines as a block quotation that keeps them."""
    return "\\\n".join(f"> {words(line)}" for line in str(text).strip().splitlines() if line.strip())


def code(text: object) -> str:
    """A value in a code span: with a fence longer than any run of backticks in it."""
    value = printable(text)
    if not value.strip():
        return "(empty)"
    longest = max((len(run) for run in re.findall("`+", value)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    # In a table a bar ends the cell even within code.
    return f"{fence}{pad}{value}{pad}{fence}".replace("|", "\\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]], *, left: int = 1) -> str:
    """Columns past the first `left` are figures and stand to the right. Cells are Markdown already."""
    rule = ["---" if at < left else "---:" for at in range(len(head))]
    return "\n".join("| " + " | ".join(row) + " |" for row in [head, rule, *rows])


def bullets(items: Sequence[str]) -> str:
    return "\n".join(f"- {item}" for item in items)
