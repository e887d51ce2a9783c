"""`language`: a record is in the languages that the recipe names, or in those of the real rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import ClassVar

from pydantic import Field, field_validator

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import FilterOptions, filter_id, no_text_fields, reject
from seedbed.text.language import code_of, likeliest_languages, likely_languages

TIMES_LIKELIER = 20
MISSED_REAL = 0.005
CALIBRATION_ROWS = 2000
_MOST_CHARS = 10_000

# Told apart by a few words, if at all: where one of them is expected, so are its kin.
_ALIKE = (frozenset({"bs", "hr", "sr"}), frozenset({"id", "ms"}), frozenset({"no", "nn", "da"}))


class Language:
    """Rejects a record as `wrong_language` where one of its fields is by far likelier in another language.

    A field is read as one text, a conversation too, and falls where py3langid takes another language for 20
    times likelier than those that are expected of it together. Of fewer than 20 letters nothing is said, and
    a long text is told by its first 10,000 characters. Bosnian, Croatian and Serbian count as one, Indonesian
    and Malay, Danish and Norwegian too.

    Without `languages`, each field expects those of its real texts (a sample of 2,000): the commonest are
    added until at most 1 in 200 of these, or a single one, would fall. A field of which no real text can be
    told is not looked at.
    """

    name: ClassVar = "language"
    version: ClassVar = 1
    kind: ClassVar = "record"
    needs: ClassVar[tuple[str, ...]] = ("py3langid",)

    class Options(FilterOptions):
        languages: tuple[str, ...] | None = Field(
            None,
            min_length=1,
            description="languages of the texts, by code or English name (default: those of the real rows)",
        )
        fields: tuple[str, ...] | None = Field(
            None, min_length=1, description="text fields that are looked at (default: all)"
        )

        @field_validator("languages")
        @classmethod
        def _by_code(cls, value: tuple[str, ...] | None) -> tuple[str, ...] | None:
            if value is None:
                return None
            codes = []
            for said in value:
                if (code := code_of(said)) is None:
                    raise ValueError(
                        f"{said!r} is no language that can be told; write a code or an English name, such as "
                        "de or German, or take the filter out"
                    )
                codes.append(code)
            return tuple(dict.fromkeys(codes))

    def __init__(self, expected: Mapping[str, Sequence[str]]) -> None:
        """`expected` are the languages of each field that is looked at, by code."""
        self.expected = {field: tuple(codes) for field, codes in expected.items()}

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Language:
        fields = options.fields or context.task.text_fields
        if options.languages is not None:
            return cls(dict.fromkeys(fields, options.languages))
        rows = sorted(context.real, key=lambda row: row.id)[:CALIBRATION_ROWS]
        learnt = {field: _languages_of([_text(row, field) for row in rows]) for field in fields}
        return cls({field: codes for field, codes in learnt.items() if codes})

    @staticmethod
    def problems(options: Options, task: Task) -> list[tuple[tuple[str, ...], str]]:
        """(path of the key, message) of each field that the task does not have."""
        return [(("fields",), said) for _, said in no_text_fields(options.fields or (), task)]

    @staticmethod
    def problems_with_rows(options: Options, task: Task, real: Sequence[Record]) -> list[str]:
        """What is lacking in the real train rows, where the languages are to be learnt from them."""
        fields = options.fields or task.text_fields
        if options.languages or any(likely_languages(_text(row, field)) for row in real for field in fields):
            return []
        return ["has no real text long enough to learn a language from; name them: {languages: [en]}"]

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        doubtful: set[int] = set()
        for field, expected in self.expected.items():
            known = _with_kin(expected)
            likeliest = likeliest_languages([_text(record, field) for record in records])
            doubtful.update(at for at, code in enumerate(likeliest) if code is not None and code not in known)
        return [self._verdict(record) if at in doubtful else None for at, record in enumerate(records)]

    def _verdict(self, record: Record) -> Verdict | None:
        for field, expected in self.expected.items():
            if (other := _other_language(likely_languages(_text(record, field)), expected)) is not None:
                told, score = other
                evidence = {"field": field, "told": told, "expected": list(expected)}
                return reject(record, filter_id(type(self)), "wrong_language", evidence, round(score, 3))
        return None


def _text(record: Record, field: str) -> str:
    return "\n".join(texts_in(record.fields.get(field)))[:_MOST_CHARS]


def _other_language(likely: Mapping[str, float], expected: Sequence[str]) -> tuple[str, float] | None:
    """The language that a text is in instead, and its share of what is said for it and those expected."""
    if not likely:
        return None
    told = next(iter(likely))
    if told in (known := _with_kin(expected)):
        return None
    of_told, of_known = _probability(likely, _with_kin([told])), _probability(likely, known)
    return (told, of_told / (of_told + of_known)) if of_told >= TIMES_LIKELIER * of_known else None


def _with_kin(codes: Sequence[str]) -> frozenset[str]:
    return frozenset(codes).union(*(group for group in _ALIKE if not group.isdisjoint(codes)))


def _probability(likely: Mapping[str, float], codes: Iterable[str]) -> float:
    return sum(likely.get(code, 0.0) for code in sorted(codes))


def _languages_of(texts: Sequence[str]) -> tuple[str, ...]:
    """The commonest languages, as many as it takes for hardly a text to fall; none where none can be told."""
    left = [likely for text in texts if (likely := likely_languages(text))]
    tolerated = max(1, int(MISSED_REAL * len(left))) if len(left) > 1 else 0
    found: list[str] = []
    while len(left) > tolerated:
        ((commonest, _),) = Counter(next(iter(likely)) for likely in left).most_common(1)
        found.append(commonest)
        left = [likely for likely in left if _other_language(likely, found) is not None]
    return tuple(found)
