"""`memorised`: no text holds a long run of words that stands in a real row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from pydantic import Field

from seedbed.core.field_text import texts_in
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.standing import Passages, quote_of
from seedbed.filters.subject import FilterOptions, excerpt, filter_id, no_text_fields, reject
from seedbed.text.normalise import normalise, units
from seedbed.text.shared_runs import SharedRuns, common_from
from seedbed.text.similarity import longest_shared_run

LOWEST, HIGHEST = 13, 50
UNCALIBRATED = 20
ENOUGH_REAL = 50
MISSED_REAL = 0.01
_CALIBRATION_ROWS = 2000


@dataclass(frozen=True, slots=True)
class _Text:
    """One text of a record: of a conversation each turn is one."""

    record: Record
    field: str
    words: tuple[str, ...]

    @property
    def padded(self) -> str:
        return _padded(self.words)


class Memorised:
    """The longest run of words that a text shares with a real row, from 50 characters in normal form on.

    Of a run counts what does not stand in what the record was made from: a field that its method took from
    the row that it worked on, the passage that it is about, the evidence that it quotes. Examples that a
    teacher was shown are no such source. Phrases that stand in max(3, 1 %) of the real texts do not count at
    all.

    The length from which a text is memorised is the lowest of 13 … 50 words at which at most 1 % of the real
    rows, each held against the others, would fall; 20 without 50 of them. `run` sets it. By 13 words in a row
    GPT-3 was held against its tests (Brown et al. 2020, arXiv 2005.14165), and 50 tokens are what Carlini et
    al. call memorised (2022, arXiv 2202.07646).
    """

    name: ClassVar = "memorised"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        sources: tuple[str, ...] = Field(
            (), description="sources whose rows count (default: all that hold real rows)"
        )
        fields: tuple[str, ...] = Field((), description="text fields that are looked at (default: all)")
        run: int | None = Field(
            None,
            ge=10,
            description="words in a row from which a text is memorised (default: found from the real rows)",
        )

    def __init__(
        self, fields: Sequence[str], real: RealTexts, passages: Passages, least: int, longest: Sequence[int]
    ) -> None:
        """`longest`: for each of a sample of real rows, the words of its longest run with another."""
        self.least = least
        self._fields = tuple(fields)
        self._real = real
        self._passages = passages
        self._longest = longest

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Memorised:
        names, task = options.sources, context.task
        rows = [row for row in context.real if not names or row.provenance.source in names]
        real = RealTexts(task, rows, context.real_texts or ())
        longest = real.shared_by(rows[:: max(1, len(rows) // _CALIBRATION_ROWS)])
        least = options.run or _calibrated(longest)
        return cls(options.fields or task.text_fields, real, Passages(context.documents), least, longest)

    @classmethod
    def problems(cls, options: Options, task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
        for _, message in no_text_fields(options.fields, task):
            yield ("fields",), message

    @classmethod
    def problems_with_rows(cls, options: Options, task: Task, real: Sequence[Record]) -> Iterator[str]:
        there = dict.fromkeys(row.provenance.source for row in real)
        if not there:
            yield "has no real rows to look for; name a source of them, or take the filter out"
            return
        for name in options.sources:
            if name not in there:
                yield f"names the source '{name}', which has no real rows; there are: {', '.join(there)}"

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        found: dict[str, dict[str, Any]] = {}
        for text, runs in self._real.runs_of(records, self._fields):
            for row, run in runs:
                words = len(run) - self._quoted(text.record, run) if len(run) >= self.least else 0
                known = found.get(text.record.id)
                if words >= self.least and (known is None or words > known["words"]):
                    found[text.record.id] = self._evidence(text, row, run, words)
        return [self._verdict(record, found.get(record.id)) for record in records]

    def _quoted(self, record: Record, run: Sequence[str]) -> int:
        """How many words of the run, in a row, stand in what the record was made from."""
        own = [text for name in record.provenance.carried for text in texts_in(record.fields.get(name))]
        sources = (*own, quote_of(record), self._passages.behind(record))
        return max(longest_shared_run(run, _words(source)) for source in sources)

    def _evidence(self, text: _Text, row: str, run: Sequence[str], words: int) -> dict[str, Any]:
        """`share`: of the text, that it is. `real`: of the real rows, those with a run as long in another."""
        as_long = sum(longest >= words for longest in self._longest)
        return {
            "words": words,
            "least": self.least,
            "field": text.field,
            "row": row,
            "run": excerpt(" ".join(run)),
            "share": round(words / len(text.words), 3),
            "real": round(as_long / len(self._longest), 4),
        }

    def _verdict(self, record: Record, found: Mapping[str, Any] | None) -> Verdict | None:
        if found is None:
            return None
        return reject(record, filter_id(type(self)), "memorised", found, found["share"])


class RealTexts:
    """The texts of real rows, and what others share with them; equal texts are one."""

    def __init__(self, task: Task, rows: Sequence[Record], sample: Sequence[str]) -> None:
        """`sample` are real texts by which a phrase is common."""
        self._task = task
        self._row_of: dict[str, str] = {}
        for text in _texts_of(rows, task.text_fields):
            self._row_of.setdefault(text.padded, text.record.id)
        self._texts = list(self._row_of)
        self._runs = SharedRuns(self._texts)
        common = list(dict.fromkeys(_padded(_words(text)) for text in sample))
        self._runs.ignore_common(common, common_from(len(common)))

    def runs_of(
        self, records: Sequence[Record], fields: Sequence[str]
    ) -> Iterator[tuple[_Text, list[tuple[str, list[str]]]]]:
        """Each text of these fields with (row, words) of every run that it shares with one of these."""
        texts = list(_texts_of(records, fields))
        matches = self._runs.matches([text.padded for text in texts])
        for text, runs in zip(texts, matches, strict=True):
            yield text, [(self._row_of[self._texts[at]], _whole_words(run)) for at, run in runs]

    def shared_by(self, rows: Sequence[Record]) -> list[int]:
        """For each of these real rows the words of its longest run with another, not counting its copies."""
        longest = dict.fromkeys((row.id for row in rows), 0)
        for text, runs in self.runs_of(rows, self._task.text_fields):
            own = text.record.id
            words = [len(run) for row, run in runs if row != own and run != list(text.words)]
            longest[own] = max([longest[own], *words])
        return list(longest.values())


def _calibrated(longest: Sequence[int]) -> int:
    if len(longest) < ENOUGH_REAL:
        return UNCALIBRATED
    least = LOWEST
    while least < HIGHEST and sum(words >= least for words in longest) > MISSED_REAL * len(longest):
        least += 1
    return least


def _texts_of(records: Sequence[Record], fields: Sequence[str]) -> Iterator[_Text]:
    for record in records:
        for name in fields:
            for text in texts_in(record.fields.get(name)):
                if words := _words(text):
                    yield _Text(record, name, words)


def _words(text: str) -> tuple[str, ...]:
    return tuple(units(normalise(text)))


def _padded(words: Sequence[str]) -> str:
    """One space before and after each word, so that what lies between two spaces is whole words."""
    return f" {' '.join(words)} "


def _whole_words(run: str) -> list[str]:
    return run[run.find(" ") : run.rfind(" ")].split()
