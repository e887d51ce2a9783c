"""What a text claims that another text can be searched for: its numbers, its dates and its names.

A cheap, deterministic first look at whether an answer stands on its source. It finds what was made up or
swapped where that has digits or a capital letter, and says nothing of what the words between them claim.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Literal, TypeAlias, get_args

from seedbed.text.numerals import numerals

ClaimKind: TypeAlias = Literal["date", "number", "name"]
CLAIM_KINDS: tuple[ClaimKind, ...] = get_args(ClaimKind)


def _listed(words: str) -> list[str]:
    return words.split()


# Year, month, day, as far as they are written.
_Day: TypeAlias = "tuple[int | None, int | None, int | None]"

_MONTHS = _listed("january february march april may june july august september october november december")
_MONTH_OF = {name[:length]: at for at, name in enumerate(_MONTHS, 1) for length in {3, 4, len(name)}}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTH_OF, key=len, reverse=True))})\b\.?"
_DAY = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?"
_YEAR = r"(?P<year>\d{4})"
_DATES = tuple(
    re.compile(rf"(?<![\w.]){form}(?![\w]|\.\d)", re.IGNORECASE)
    for form in (
        r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?=T\d|\b)",
        r"(?P<one>\d{1,2})(?P<mark>[-/.])(?P<two>\d{1,2})(?P=mark)(?P<year>\d{4})",
        rf"{_DAY}(?:\s+of)?[\s-]+{_MONTH}(?:,?[\s-]+{_YEAR})?",
        rf"{_MONTH}\s+{_DAY}(?:,?\s+{_YEAR})?",
        rf"{_MONTH},?\s+{_YEAR}",
    )
)

_WORD = re.compile(r"[^\W\d_](?:[\w.'’]*\w)?")
_SENTENCE_END = re.compile(r"[.!?:;]['\"”’)\]*_]*\s+\Z|\n\s*\S{0,3}\s*\Z")
_LONGEST_END = 20
# An item's number in a list, and what Markdown and reStructuredText put around words.
_LIST_MARK = re.compile(r"^[ \t]*\d{1,3}[.)][ \t]", re.MULTILINE)
_MARKUP = re.compile(r"[*`_~|]+")

# As a beginning they may be followed by a name, and are never one; the others are no name anywhere.
_OPENERS = frozenset(
    _listed(
        "a an the this that these those it its he she they we you i in on at of for from to by with as if "
        "and or but not no yes all any each both every some most many when while where what who why how "
        "which there here after before since until under over between during according because although "
        "though however so then only also is are was were do does did can could may might must shall "
        "should will would has have had"
    )
)
_NO_NAMES = frozenset(_listed("i i'm i'll i've i'd ok"))

_NUMBER_WORDS = {
    word: str(number)
    for number, word in enumerate(
        _listed(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen "
            "sixteen seventeen eighteen nineteen"
        )
    )
} | {
    word: str(10 * tens)
    for tens, word in enumerate(_listed("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_TENS = "|".join(word for word, value in _NUMBER_WORDS.items() if int(value) >= 20)
_ONES = "|".join(word for word, value in _NUMBER_WORDS.items() if 0 < int(value) < 10)
_IN_WORDS = re.compile(
    rf"\b(?:(?P<tens>{_TENS})[- ](?P<ones>{_ONES})|(?P<word>{'|'.join(_NUMBER_WORDS)}))\b", re.IGNORECASE
)
# As often a pronoun as a number.
_NO_CLAIM = frozenset({"one", "zero"})


@dataclass(frozen=True, slots=True)
class Claim:
    """`text` is what the answer has, as it is written."""

    kind: ClaimKind
    text: str


def unsupported(answer: str, source: str, kinds: Collection[ClaimKind] = CLAIM_KINDS) -> list[Claim]:
    """The claims of an answer that its source does not bear out, by kind and in their order, each once.

    A date may be written in another form, and state less than the source has: `June 2019` stands on
    `04-Jun-2019`. A date in figures alone may be read either way round. A number may be in words or grouped
    otherwise. A name is any word with a capital letter within a sentence, in English fashion, and stands on
    the same word in whatever case.
    """
    answer, source = _MARKUP.sub(" ", _LIST_MARK.sub(" ", answer)), _MARKUP.sub(" ", source)
    found: dict[Claim, None] = {}
    dates = sorted(_dates(answer))
    if "date" in kinds:
        there = {less for _, _, days in _dates(source) for day in days for less in _stated_by(day)}
        for start, end, days in dates:
            if there.isdisjoint(days):
                found[Claim("date", answer[start:end].rstrip("."))] = None
    # A date's parts are no numbers and names of their own.
    ends = [0, *(end for _, end, _ in dates)]
    starts = [*(start for start, _, _ in dates), len(answer)]
    rest = " ".join(answer[end:start] for end, start in zip(ends, starts, strict=True))
    if "number" in kinds:
        known = {number for _, number in _numbers(source)}
        found |= {
            Claim("number", text): None for text, number in _claimed_numbers(rest) if number not in known
        }
    if "name" in kinds:
        words = {form for word in _WORD.findall(source) for form in _forms(word)}
        found |= {Claim("name", name): None for name in _names(rest) if words.isdisjoint(_forms(name))}
    return list(found)


def span_of(quote: str, text: str) -> tuple[int, int] | None:
    """Where a quote stands in a text, as start and end; breaks of lines and other white space may differ."""
    words = quote.split()
    if not words:
        return None
    match = re.search(r"\s+".join(map(re.escape, words)), text)
    return match.span() if match else None


def _dates(text: str) -> Iterator[tuple[int, int, tuple[_Day, ...]]]:
    """Where each date stands, and the days that it may mean; by the longest form that fits."""
    taken = bytearray(len(text))
    for form in _DATES:
        for match in form.finditer(text):
            start, end = match.span()
            if any(taken[start:end]) or not (days := _days(match.groupdict())):
                continue
            taken[start:end] = b"\1" * (end - start)
            yield start, end, days


def _days(parts: dict[str, str | None]) -> tuple[_Day, ...]:
    def number(name: str) -> int | None:
        value = parts.get(name)
        return int(value) if value is not None else None

    year = number("year")
    if parts.get("one") is not None:
        one, two = number("one"), number("two")
        readings = [(year, month, day) for month, day in dict.fromkeys([(one, two), (two, one)])]
    else:
        month = parts["month"] or ""
        readings = [(year, int(month) if month.isdigit() else _MONTH_OF[month.casefold()], number("day"))]
    return tuple(
        (year, month, day)
        for year, month, day in readings
        if 1 <= (month or 0) <= 12 and (day is None or 1 <= day <= 31)
    )


def _stated_by(day: _Day) -> Iterator[_Day]:
    """The day, and all that states less: `4 June`, `June 2019`."""
    year, month, number = day
    return product((year, None), (month, None), (number, None))


def _numbers(text: str) -> Iterator[tuple[str, str]]:
    """Each number as it is written, and in one form."""
    yield from ((number, number) for number in numerals(text))
    for match in _IN_WORDS.finditer(text):
        if match["tens"]:
            value = int(_NUMBER_WORDS[match["tens"].lower()]) + int(_NUMBER_WORDS[match["ones"].lower()])
            yield match.group(), str(value)
        else:
            yield match.group(), _NUMBER_WORDS[match["word"].lower()]


def _claimed_numbers(text: str) -> Iterator[tuple[str, str]]:
    return ((word, number) for word, number in _numbers(text) if word.lower() not in _NO_CLAIM)


def _names(text: str) -> Iterator[str]:
    words = list(_WORD.finditer(text))
    for at, match in enumerate(words):
        word = match.group()
        if not any(letter.isupper() for letter in word) or word.lower() in _NO_NAMES:
            continue
        # Of what is between two words the end alone decides.
        between = max(words[at - 1].end() - 1, match.start() - _LONGEST_END) if at else 0
        first = at == 0 or _SENTENCE_END.search(text, between, match.start()) is not None
        if not first or _is_marked(word) or _begins_a_name(words, at):
            yield word


def _is_marked(word: str) -> bool:
    """Capitals beyond the first letter: an acronym or an identifier."""
    return any(letter.isupper() for letter in word[1:])


def _begins_a_name(words: Sequence[re.Match[str]], at: int) -> bool:
    """Whether the first word of a sentence goes on in another with a capital, as `Brett Cannon` does."""
    if words[at].group().lower() in _OPENERS or at + 1 == len(words):
        return False
    following = words[at + 1]
    return following.start() - words[at].end() == 1 and following.group()[0].isupper()


def _forms(word: str) -> set[str]:
    """The word in lower case, without a genitive's ending, and without one of the plural."""
    word = re.sub(r"['’]s?\Z", "", word.casefold())
    return {word, word.removesuffix("s")}
