"""Texts for labels that are narrow."""

import textwrap
import unicodedata


def squeeze(name, width):
    """Keep both ends of a name that is too long: `Wallflower seed mix` in 11 is `Wallf…d mix`."""
    if len(name) <= width:
        return name
    tail = (width - 1) // 2
    head = width - 1 - tail
    return name[:head] + "…" + (name[-tail:] if tail else "")


def columns(pairs, width, fill="."):
    """A line per pair, the names on the left and the values on the right, with dots between."""
    lines = []
    for name, value in pairs:
        room = width - len(value)
        lines.append(squeeze(name, room - 1).ljust(room, fill) + value)
    return lines


def sort_key(word):
    """Umlauts and accents sort with their letters, and case does not count."""
    plain = unicodedata.normalize("NFD", word)
    return "".join(c for c in plain if not unicodedata.combining(c)).casefold()


def paragraphs(text, width):
    parts = (part.strip() for part in text.split("\n\n"))
    return "\n\n".join(textwrap.fill(part, width) for part in parts if part)
