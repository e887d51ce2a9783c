"""`forbidden`: no record holds a word, phrase or pattern of the recipe's own list."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Self

from pydantic import Field, ValidationInfo, field_validator, model_validator

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.linear_patterns import problem_with, stands_in
from seedbed.filters.subject import FilterOptions, filter_id, reject, text_fields
from seedbed.recipe.named_files import read_named_file
from seedbed.text.normalise import normalise, units


class Forbidden:
    """Whole words and phrases, whatever their case, width and punctuation; patterns as they stand.

    A phrase is found where its words stand in a row: `fee` in "a FEE!" and not in "feed". In a script
    that puts no spaces between words there is no border to look for, and the phrase is found wherever
    its characters stand in a row. There is no list of Seedbed's own.
    """

    name: ClassVar = "forbidden"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        # Before `phrases`, which take up what stands in the file.
        file: str | None = Field(
            None, min_length=1, description="file with a phrase a line, relative to the recipe's folder"
        )
        phrases: tuple[str, ...] = Field(
            (), validate_default=True, description="words and phrases that no text may hold"
        )
        patterns: tuple[str, ...] = Field(
            (), description="regular expressions that no text may match anywhere"
        )

        @field_validator("phrases")
        @classmethod
        def _with_those_of_the_file(cls, value: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
            """So that the options alone decide the verdicts, and a change of the file is one of them."""
            named = info.data.get("file")
            written = _read(Path((info.context or {}).get("folder", "")) / named) if named else ()
            for phrase in (*value, *written):
                if not _words(phrase):
                    raise ValueError(f"{phrase!r} has no letter or digit to look for; make it a pattern")
            return tuple(dict.fromkeys([*value, *written]))

        @field_validator("patterns")
        @classmethod
        def _linear(cls, value: tuple[str, ...]) -> tuple[str, ...]:
            for pattern in value:
                if problem := problem_with(pattern):
                    raise ValueError(problem)
                if stands_in(pattern, ""):
                    raise ValueError(f"{pattern!r} matches the empty text, and so every text")
            return value

        @model_validator(mode="after")
        def _forbids_something(self) -> Self:
            if not self.phrases and not self.patterns:
                raise ValueError("forbids nothing; list phrases or patterns, or name a file of phrases")
            return self

    def __init__(self, task: Task, phrases: Sequence[str], patterns: Sequence[str]) -> None:
        self._task = task
        self._patterns = tuple(patterns)
        self._phrases = _Phrases.of(phrases)

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Forbidden:
        return cls(context.task, options.phrases, options.patterns)

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        for text in text_fields(self._task, record.fields):
            if (evidence := self._found(text)) is not None:
                return reject(record, filter_id(type(self)), "forbidden", evidence)
        return None

    def _found(self, text: str) -> dict[str, Any] | None:
        """The entry by its number in its list (from 0) and as the recipe writes it."""
        if (found := self._phrases.first_in(text)) is not None:
            number, phrase = found
            return {"entry": number, "phrase": phrase}
        for number, pattern in enumerate(self._patterns):
            if stands_in(pattern, text):
                return {"entry": number, "pattern": pattern}
        return None


def _read(path: Path) -> tuple[str, ...]:
    """The lines of a file that are no comment and not empty. Raises ValueError with the way out."""
    lines = read_named_file(path).splitlines()
    phrases = tuple(line.strip() for line in lines if line.strip() and not line.lstrip().startswith("#"))
    if not phrases:
        raise ValueError(f"{path} has no phrase; write one a line (# begins a comment)")
    return phrases


class _Folding(dict[int, str | None]):
    """For `str.translate`: word characters and their marks stay, invisible ones go, others part words.

    `text.normalise` parts words at combining marks, which in Hindi or Thai stand within them; there a
    phrase would be found in the middle of a longer word.
    """

    def __missing__(self, code: int) -> str | None:
        char = chr(code)
        kind = unicodedata.category(char)
        said: str | None = char if kind[0] in "LMN" else None if kind == "Cf" else " "
        self[code] = said
        return said


_FOLDING = _Folding()


def _words(text: str) -> list[str]:
    """Words in lower case and plain width; each character of a script without spaces is one."""
    if text.isascii():
        return normalise(text).split()
    # Without invisible characters first: they would keep letters from being composed.
    folded = unicodedata.normalize("NFKC", text.translate(_FOLDING)).casefold()
    return units(folded.translate(_FOLDING))


@dataclass(frozen=True, slots=True)
class _Phrases:
    """Phrases by their first word; each with its words, its number and its wording."""

    by_first: Mapping[str, tuple[tuple[tuple[str, ...], int, str], ...]]

    @classmethod
    def of(cls, phrases: Sequence[str]) -> _Phrases:
        found: dict[str, list[tuple[tuple[str, ...], int, str]]] = {}
        for number, phrase in enumerate(phrases):
            words = tuple(_words(phrase))
            found.setdefault(words[0], []).append((words, number, phrase))
        return cls({first: tuple(entries) for first, entries in found.items()})

    def first_in(self, text: str) -> tuple[int, str] | None:
        """(number, wording) of the phrase that stands first in the text."""
        if not self.by_first:
            return None
        words = _words(text)
        if self.by_first.keys().isdisjoint(words):
            return None
        for at, word in enumerate(words):
            for phrase, number, wording in self.by_first.get(word, ()):
                if tuple(words[at : at + len(phrase)]) == phrase:
                    return number, wording
        return None
