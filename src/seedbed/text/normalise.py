"""The normal form in which texts are compared, and the pieces they are cut into."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

import numpy as np

from seedbed.text.remembered import remembered
from seedbed.text.runs import in_parts

_SPACE = ord(" ")
_BETWEEN_WORDS = re.compile(r"[\W_]+")
# The same for ASCII, byte by byte.
_ASCII = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128)).encode().ljust(256)
# The same for texts with a character between them that is none of theirs.
_NOT_ASCII = "\xff"
_ASCII_BETWEEN_LINE_ENDS = _ASCII[:255] + b"\n"

# Scripts that are written without spaces between words: Thai, Lao, Myanmar, Khmer, kana, Han (with
# its extensions), and their half-width forms. Korean puts spaces between words and is not here.
_UNSPACED = (
    "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\uff66-\uff9f\U00020000-\U0003ffff"
)
_UNIT = re.compile(rf"[{_UNSPACED}]|[^\s{_UNSPACED}]+")
_ONE_UNSPACED = re.compile(f"[{_UNSPACED}]")


# Several filters look at the same text one after the other; a batch of them is 128.
@remembered(texts=256)
def normalise(text: str) -> str:
    """NFKC, casefold, every run of characters outside `\\w` (and `_`) to one space, strip.

    Any `str` is accepted; a lone surrogate or NUL is a character outside `\\w` like any other.
    The result is empty where a text has no letter and no digit.
    """
    if text.isascii():  # a quarter of the time
        return " ".join(text.encode().translate(_ASCII).decode().split())
    return _BETWEEN_WORDS.sub(" ", unicodedata.normalize("NFKC", text).casefold()).strip()


def normalise_all(texts: Sequence[str]) -> list[str]:
    """`normalise` of many texts, those in ASCII together: in half of the time."""
    plain = [text for text in texts if text.isascii()]
    forms = (form for part in in_parts(plain) for form in _normalised_ascii(part))
    return [next(forms) if text.isascii() else normalise(text) for text in texts]


def _normalised_ascii(texts: Sequence[str]) -> list[str]:
    joined = _NOT_ASCII.join(texts).encode("latin-1").translate(_ASCII_BETWEEN_LINE_ENDS)
    codes = np.frombuffer(joined, np.uint8)
    kept = codes != _SPACE
    kept[1:] |= kept[:-1]  # with each word the one space behind it
    return [line.strip() for line in codes[kept].tobytes().decode().split("\n")]


def holds_any(text: str, parts: tuple[str, ...]) -> bool:
    """Whether one of these stands in the text: the test before a pattern that wants one of them."""
    for part in parts:  # noqa: SIM110 - `any` of a generator takes twice as long
        if part in text:
            return True
    return False


def tokens(text: str) -> list[str]:
    """The words of a text's normal form, in order."""
    return normalise(text).split()


def units(text: str) -> list[str]:
    """Words as they stand, and each character of a script without spaces alone.

    A measure of length and a source of shingles that holds for English and for Chinese.
    """
    return text.split() if text.isascii() or not _ONE_UNSPACED.search(text) else _UNIT.findall(text)
