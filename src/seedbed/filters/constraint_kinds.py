"""Constraints that a program can check: what each asks of a text, and how it is counted.

The kinds are those of IFEval (Zhou et al. 2023, arXiv 2311.07911) in a form that recipes are written in.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from seedbed.filters.subject import excerpt
from seedbed.text.normalise import normalise, units

# Each of these is linear in the text, which is whatever a model wrote.
_BULLET = re.compile(r"^[ \t]*(?:[-•]|\*(?!\*))[ \t]*\S", re.MULTILINE)
_HIGHLIGHT = re.compile(r"\*\*[^\n*]+\*\*|\*[^\n*]+\*")
_PLACEHOLDER = re.compile(r"\[[^\[\]\n]+\]")
_TITLE = re.compile(r"<<([^\n<>]+)>>")
_FENCED = re.compile(r"^json\b", re.IGNORECASE)
_BLANK_LINES = re.compile(r"\n\s*\n")
_STOP = re.compile(r"(?<![.!?…])[.!?…]++[\"'”’)\]*]*+\s+|[。！？]")
_LONGEST_ABBREVIATION = 5
# A full stop after one of these ends no sentence, nor one after an initial or the number of a list's item.
_ABBREVIATION = re.compile(
    r"(?:^|[\s(\"'])(?:mr|mrs|ms|dr|prof|st|vs|no|e\.g|i\.e|[a-z]|\d+)$", re.IGNORECASE
)
_QUOTES = '"“”„«»'


class Count(BaseModel):
    """How many there may be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    at_least: int | None = Field(None, ge=0, strict=True, description="so many or more")
    at_most: int | None = Field(None, ge=0, strict=True, description="so many or fewer")
    exactly: int | None = Field(None, ge=0, strict=True, description="so many")

    @model_validator(mode="after")
    def _says_something_possible(self) -> Self:
        bounds = self.at_least, self.at_most
        if self.exactly is None and bounds == (None, None):
            raise ValueError("counts nothing; write at_least, at_most or exactly")
        if self.exactly is not None and bounds != (None, None):
            raise ValueError("exactly stands alone; at_least and at_most are for a range")
        if self.at_least is not None and self.at_most is not None and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}; no text is both")
        return self

    def allows(self, count: int) -> bool:
        if self.exactly is not None:
            return count == self.exactly
        return (self.at_least or 0) <= count and (self.at_most is None or count <= self.at_most)


def _has_a_word(phrase: str) -> str:
    if not normalise(phrase):
        raise ValueError(f"{phrase!r} has no letter or digit to look for")
    return phrase


Phrase = Annotated[str, AfterValidator(_has_a_word)]
Character = Annotated[str, Field(min_length=1, max_length=1)]
# As text: options are hashed, and a key of what is hashed is text.
Number = Annotated[str, BeforeValidator(str), Field(pattern=r"^[1-9][0-9]{0,5}$")]
Mark = Annotated[str, Field(min_length=1)]


class FieldConstraints(BaseModel):
    """What the text of one field must keep to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: Count | None = Field(None, description="words; in a script without spaces, characters")
    sentences: Count | None = Field(None, description="sentences")
    paragraphs: Count | None = Field(None, description="paragraphs, with blank lines between them")
    bullets: Count | None = Field(None, description="lines that begin with `-`, `*` or `•`")
    highlights: Count | None = Field(None, description="pieces in *one* or **two** asterisks")
    placeholders: Count | None = Field(None, description="placeholders in square brackets")
    capital_words: Count | None = Field(None, description="words all in capitals")
    commas: Count | None = Field(None, description="commas of any script")
    occurrences: Mapping[Phrase, Count] | None = Field(
        None, description="phrase -> how often it stands there, as whole words in any case"
    )
    letters: Mapping[Character, Count] | None = Field(
        None, description="character -> how often it stands there, in any case"
    )
    sections: Mapping[Mark, Count] | None = Field(
        None, description="heading such as SECTION -> how often it stands there with a number after it"
    )
    parts: Mapping[Mark, Count] | None = Field(
        None, description="separator such as *** -> how many different parts it makes, none of them empty"
    )
    include: tuple[Phrase, ...] | None = Field(None, min_length=1, description="phrases that must be there")
    exclude: tuple[Phrase, ...] | None = Field(
        None, min_length=1, description="phrases that must not be there"
    )
    any_of: tuple[Mark, ...] | None = Field(
        None, min_length=1, description="texts of which one must stand there, letter by letter"
    )
    starts_with: Mark | None = Field(None, description="what the text begins with, in any case")
    ends_with: Mark | None = Field(
        None, description="what it ends with, in any case; quotation marks around it do not count"
    )
    paragraph_starts: Mapping[Number, Phrase] | None = Field(
        None, description="number of a paragraph, from 1 -> its first word"
    )
    postscript: Mark | None = Field(None, description="mark such as P.S. that a line must have")
    case: Literal["upper", "lower"] | None = Field(None, description="every letter in this case")
    is_json: bool | None = Field(None, strict=True, description="whether it is JSON, perhaps in a fence")
    has_title: bool | None = Field(
        None, strict=True, description="whether a title in <<double angle brackets>> stands in it"
    )
    is_quoted: bool | None = Field(
        None, strict=True, description="whether quotation marks stand around all of it"
    )

    @model_validator(mode="after")
    def _asks_for_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError(f"asks for nothing; there are: {', '.join(CHECKS)}")
        return self


def words(text: str) -> int:
    return sum(any(char.isalnum() for char in unit) for unit in units(text))


def sentences(text: str) -> int:
    """Pieces with a word in them between stops that have white space after them."""
    count, begin = 0, 0
    for stop in _STOP.finditer(text):
        if stop.group()[0] == "." and _ABBREVIATION.search(
            text, max(begin, stop.start() - _LONGEST_ABBREVIATION), stop.start()
        ):
            continue
        count += words(text[begin : stop.start()]) > 0
        begin = stop.end()
    return count + (words(text[begin:]) > 0)


def paragraphs(text: str) -> int:
    return len(_paragraphs(text))


def bullets(text: str) -> int:
    return len(_BULLET.findall(text))


def highlights(text: str) -> int:
    return sum(bool(piece.strip("* ")) for piece in _HIGHLIGHT.findall(text))


def placeholders(text: str) -> int:
    return len(_PLACEHOLDER.findall(text))


def capital_words(text: str) -> int:
    return sum(unit.isupper() for unit in units(text))


def commas(text: str) -> int:
    return sum(map(text.count, ",，、،"))


def occurrences(text: str, phrase: str) -> int:
    """How often the words of a phrase stand in a row."""
    return len(re.findall(rf"(?<!\S){re.escape(_spaced(phrase))}(?!\S)", _spaced(text)))


def letters(text: str, letter: str) -> int:
    return text.casefold().count(letter.casefold())


def sections(text: str, heading: str) -> int:
    return len(re.findall(rf"{re.escape(heading)}\s?\d+", text))


def parts(text: str, separator: str) -> int:
    """How many different parts the separator makes; none where one between two of them is empty."""
    found = [
        part.strip() for part in text.strip().removeprefix(separator).removesuffix(separator).split(separator)
    ]
    return len(set(found)) if all(found) else 0


def is_json(text: str) -> bool:
    inside = text.strip()
    if inside.startswith("```") and inside.endswith("```"):
        inside = _FENCED.sub("", inside.strip("`"), count=1)
    try:
        json.loads(inside)
    except (ValueError, RecursionError):
        return False
    return True


def has_title(text: str) -> bool:
    return any(normalise(title) for title in _TITLE.findall(text))


def is_quoted(text: str) -> bool:
    inside = text.strip()
    return len(inside) > 1 and inside[0] in _QUOTES and inside[-1] in _QUOTES


def _paragraphs(text: str) -> list[str]:
    return [paragraph for paragraph in _BLANK_LINES.split(text.strip()) if paragraph.strip()]


def _spaced(text: str) -> str:
    return " ".join(units(normalise(text)))


Check = Callable[[str, Any], Any]
"""(text, what is expected) -> what was found in its stead; None where the text keeps to it."""


def _count(count: Callable[[str], int]) -> Check:
    def check(text: str, expected: Count) -> int | None:
        found = count(text)
        return None if expected.allows(found) else found

    return check


def _count_each(count: Callable[[str, str], int]) -> Check:
    def check(text: str, expected: Mapping[str, Count]) -> dict[str, int] | None:
        found = {key: count(text, key) for key in expected}
        return {key: n for key, n in found.items() if not expected[key].allows(n)} or None

    return check


def _whether(test: Callable[[str], bool]) -> Check:
    def check(text: str, expected: bool) -> bool | None:
        return None if test(text) == expected else not expected

    return check


def _include(text: str, expected: tuple[str, ...]) -> Any:
    missing = [phrase for phrase in expected if not occurrences(text, phrase)]
    return {"missing": missing} if missing else None


def _exclude(text: str, expected: tuple[str, ...]) -> Any:
    return [phrase for phrase in expected if occurrences(text, phrase)] or None


def _any_of(text: str, expected: tuple[str, ...]) -> Any:
    return None if any(choice in text for choice in expected) else "none of them"


def _starts_with(text: str, expected: str) -> Any:
    said = text.strip().casefold()
    return None if said.startswith(expected.strip().casefold()) else excerpt(text.strip()[: len(expected)])


def _ends_with(text: str, expected: str) -> Any:
    said, wanted = (each.strip().strip(_QUOTES).casefold() for each in (text, expected))
    return None if said.endswith(wanted) else excerpt(text.strip()[-len(expected) :])


def _paragraph_starts(text: str, expected: Mapping[str, str]) -> Any:
    firsts = [next(iter(normalise(paragraph).split()), "") for paragraph in _paragraphs(text)]
    found = {number: firsts[int(number) - 1] if int(number) <= len(firsts) else "" for number in expected}
    return {number: word for number, word in found.items() if word != normalise(expected[number])} or None


def _postscript(text: str, expected: str) -> Any:
    mark = r"\s?".join(map(re.escape, expected.split()))
    return None if re.search(mark, text, re.IGNORECASE) else "no such line"


def _case(text: str, expected: str) -> Any:
    of_the_other = str.islower if expected == "upper" else str.isupper
    return next((char for char in text if of_the_other(char)), None)


CHECKS: Mapping[str, Check] = {
    "words": _count(words),
    "sentences": _count(sentences),
    "paragraphs": _count(paragraphs),
    "bullets": _count(bullets),
    "highlights": _count(highlights),
    "placeholders": _count(placeholders),
    "capital_words": _count(capital_words),
    "commas": _count(commas),
    "occurrences": _count_each(occurrences),
    "letters": _count_each(letters),
    "sections": _count_each(sections),
    "parts": _count_each(parts),
    "include": _include,
    "exclude": _exclude,
    "any_of": _any_of,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "paragraph_starts": _paragraph_starts,
    "postscript": _postscript,
    "case": _case,
    "is_json": _whether(is_json),
    "has_title": _whether(has_title),
    "is_quoted": _whether(is_quoted),
}


def first_broken(text: str, constraints: FieldConstraints) -> tuple[str, Any] | None:
    """(kind, what was found) of the first constraint that a text does not keep to."""
    for kind, check in CHECKS.items():
        expected = getattr(constraints, kind)
        if expected is not None and (found := check(text, expected)) is not None:
            return kind, found
    return None
