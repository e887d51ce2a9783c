"""Documents cut into chunks: the pieces that a method grounds its questions in, or takes ideas from."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from seedbed.core.chat import CHARACTERS_A_TOKEN

DEFAULT_TOKENS = 400

# `# Heading` of Markdown, and an underlined line, as Markdown and reStructuredText have it.
_HEADING = re.compile(r"#{1,6}[ \t]+(?P<title>.*?)[ \t#]*")
_UNDERLINE = re.compile(r"(?P<mark>[=\-~^])(?P=mark){2,}\s*")
_FENCE = re.compile(r"\s*(```|~~~)")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document: `heading` is the last one above it, "" where there is none."""

    heading: str
    text: str


@dataclass(frozen=True, slots=True)
class Chunking:
    """At most `tokens` (of 4 characters) or `lines` a chunk, which by `heading` ends with its section."""

    tokens: int | None = None
    lines: int | None = None
    by: Literal["heading", "paragraph"] = "heading"

    def chunks(self, text: str) -> Iterator[Chunk]:
        """The chunks of a document in order; together they hold all its lines that are not blank."""
        if self.lines is not None:
            yield from _by_lines(text, self.lines)
            return
        most = (self.tokens or DEFAULT_TOKENS) * CHARACTERS_A_TOKEN
        sections = _sections(text) if self.by == "heading" else [("", text)]
        for heading, body in sections:
            for piece in _packed(body, most):
                yield Chunk(heading, piece)


def _by_lines(text: str, most: int) -> Iterator[Chunk]:
    lines = text.splitlines()
    for at in range(0, len(lines), most):
        piece = "\n".join(lines[at : at + most]).strip("\n")
        if piece.strip():
            yield Chunk("", piece)


def _sections(text: str) -> Iterator[tuple[str, str]]:
    """(heading, text with its heading) of each section; what looks like a heading in a code fence is none."""
    heading, body, fenced = "", list[str](), False
    lines = text.splitlines()
    for at, line in enumerate(lines):
        fenced ^= bool(_FENCE.match(line))
        title = None if fenced else _title(line, lines[at + 1] if at + 1 < len(lines) else "")
        if title is not None:
            yield heading, "\n".join(body)
            heading, body = title, []
        body.append(line)
    yield heading, "\n".join(body)


def _title(line: str, below: str) -> str | None:
    if marked := _HEADING.fullmatch(line):
        return marked["title"]
    words = line.strip()
    underlined = _UNDERLINE.fullmatch(below) is not None and len(below.strip()) >= len(words)
    return words if words and underlined and _UNDERLINE.fullmatch(line) is None else None


def _packed(text: str, most: int) -> Iterator[str]:
    """Paragraphs put together as long as they fit; a longer one is cut at its sentences, or at spaces."""
    parts = [part for paragraph in _paragraphs(text) for part in _fitting(paragraph, most)]
    piece = ""
    for part in parts:
        if piece and len(piece) + 2 + len(part) > most:
            yield piece
            piece = ""
        piece = f"{piece}\n\n{part}" if piece else part
    if piece:
        yield piece


def _paragraphs(text: str) -> Sequence[str]:
    return [stripped for part in re.split(r"\n\s*\n", text) if (stripped := part.strip("\n").rstrip())]


def _fitting(text: str, most: int) -> Iterator[str]:
    while len(text) > most:
        head = text[:most]
        ends = [match.end() for match in re.finditer(r"[.!?]\s|\n", head)]
        at = ends[-1] if ends and ends[-1] > most // 2 else (head.rfind(" ") + 1 or most)
        yield text[:at].rstrip()
        text = text[at:].lstrip()
    if text:
        yield text
