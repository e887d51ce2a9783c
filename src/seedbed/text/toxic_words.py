"""Insults, slurs and vulgar words of English in a text, as they are spelt and as they are disguised.

The list is short and made of words that are hardly ever meant otherwise: `dyke`, `chink` or `prick` are not
in it. Whom a word is said to, and whether it is quoted, no list can tell; nor does it see an insult without
one of its words.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache
from itertools import product
from types import MappingProxyType

from seedbed.text.spans import Span

_LISTED = {
    "insult": """
        idiot idiotic moron moronic imbecile cretin halfwit dimwit nitwit dumbass jackass asshat douchebag
        scumbag lowlife bastard asshole arsehole dickhead shithead fuckwit fucktard wanker tosspot bellend
        knobhead pillock plonker bitch slut slutty whore skank cocksucker motherfucker subhuman kys stfu
    """,
    "slur": """
        nigger nigga faggot shemale kike wetback gook raghead towelhead paki beaner retard
        retarded libtard
    """,
    "vulgar": "fuck fucking fucked fucker fucks shit shitty bullshit cunt twat",
}
# A word of the list -> what it is.
TOXIC_WORDS: Mapping[str, str] = MappingProxyType(
    {word: kind for kind, words in _LISTED.items() for word in words.split()}
)

_LOOKALIKES = str.maketrans("013457@$!|", "oieastasii")
_PIECE = re.compile(r"[\w@$!|*]++")
_DISGUISE = re.compile(r"[\d@$!|*_]|(\w)\1\1")
# Single letters in a row, with the same mark between each two: `i d i o t`, `m-o-r-o-n`.
_SPACED = re.compile(r"(?<!\w)\w([ .*_-])(?:\w\1){1,14}\w(?!\w)")
_RUN = re.compile(r"(\w)\1{2,}")
# Shorter ones with a star in them are products: `k*s`.
_SHORTEST_HIDDEN = 4
# Pieces that were found to spell nothing: texts have the most of theirs in common.
_clean: set[str] = set()
_MOST_REMEMBERED = 65_536


def find_toxic_words(text: str, but: Collection[str] = ()) -> list[Span]:
    """Spans in order, each of the word's kind; words of the list that are in `but` do not count."""
    if text.isascii() and _is_clean(text):
        return []
    found = [
        Span(TOXIC_WORDS[word], start, end)
        for start, end, piece in _pieces(text)
        if (word := _listed(piece)) and word not in but
    ]
    return sorted(found, key=lambda span: span.start)


def _is_clean(text: str) -> bool:
    """Whether no piece of an ASCII text spells a word of the list: the usual case, in a third of the time."""
    pieces = _PIECE.findall(text.lower())
    if not _clean.issuperset(pieces):
        if len(_clean) >= _MOST_REMEMBERED:
            _clean.clear()
        _clean.update([piece for piece in set(pieces) - _clean if not _listed(piece)])
    return _clean.issuperset(pieces) and not _SPACED.search(text)


def _pieces(text: str) -> Iterator[tuple[int, int, str]]:
    """What may be one word, in lower case and plain letters, with its place."""
    for match in _PIECE.finditer(text):
        yield match.start(), match.end(), _plain(match[0])
    for match in _SPACED.finditer(text):
        letters = _plain(match[0].replace(match[1], ""))
        yield match.start(), match.end(), letters
        yield match.start() + 2, match.end(), letters[1:]  # behind an `a` or `I` of its own


def _plain(word: str) -> str:
    if word.isascii():
        return word.lower()
    letters = unicodedata.normalize("NFKD", word).casefold()
    return "".join(char for char in letters if not unicodedata.combining(char))


@lru_cache(maxsize=4096)
def _listed(piece: str) -> str:
    """The word of the list that a piece spells, or its plural; "" where it spells none."""
    return next((word for form in _spelt(piece) for word in (_of(form),) if word), "")


def _spelt(piece: str) -> Iterator[str]:
    """What a piece can be read as: with `1` as i or l, and letters said once or twice that stand thrice."""
    yield piece
    if not _DISGUISE.search(piece) or not any(char.isalpha() for char in piece):
        return
    bare = piece.strip("!|*_")
    readings = {bare.translate(_LOOKALIKES), bare.replace("1", "l").translate(_LOOKALIKES)}
    for reading, times in product(sorted(readings), (1, 2)):
        yield _RUN.sub(lambda run, n=times: run[1] * n, reading)  # type: ignore[misc]


def _of(form: str) -> str:
    """The word of the list itself, without the ending of a plural, or with letters where stars hide some."""
    for word in (form, form.removesuffix("s"), form.removesuffix("es")):
        if word in TOXIC_WORDS:
            return word
    shown = len(form) - form.count("*")
    if shown == len(form) or shown < len(form) / 2 or len(form) < _SHORTEST_HIDDEN:
        return ""
    hidden = re.compile(re.escape(form).replace(r"\*", r"\w"))
    return next((word for word in TOXIC_WORDS if hidden.fullmatch(word)), "")
