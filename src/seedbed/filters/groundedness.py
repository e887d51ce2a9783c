"""`groundedness`: the numbers, dates and names of an answer stand in its source."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.standing import (
    Standing,
    StandingOptions,
    problems_without_documents,
    quote_of,
    says_it_is_not_there,
    standing_problems,
)
from seedbed.filters.subject import excerpt, filter_id, flag, reject
from seedbed.text.claims import CLAIM_KINDS, ClaimKind, span_of, unsupported

_QUOTED = re.compile(r"[\"“„«]([^\"“”„«»]+)[\"“”»]")
# Fewer words in quotation marks are a title or an odd word.
_SHORTEST_QUOTE = 3


class Groundedness:
    """Rejects as `unsupported` an answer with a number, a date or a name that its source does not have.

    The source is the record's context, and the passage of a document that the record is about. What is asked
    the answer may say again. What the words between numbers and names claim is not looked at: `faithfulness`
    asks a judge about that. Without a source a record is kept, and flagged as `no_source`.

    With `quote: required` it must quote its source too, in the evidence that its method kept or else between
    quotation marks: `no_quote` has no quotation, `misquoted` none that stands in the source.
    """

    name: ClassVar = "groundedness"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(StandingOptions):
        check: tuple[ClaimKind, ...] = Field(
            CLAIM_KINDS, description="what must stand in the source: date, number, name"
        )
        quote: Literal["required"] | None = Field(
            None, description="`required`: a quotation must be there, and stand in the source"
        )

    def __init__(self, standing: Standing, options: Options) -> None:
        self._standing = standing
        self._options = options

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Groundedness:
        return cls(Standing(context.task, options, context.documents), options)

    @classmethod
    def problems(cls, options: Options, task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
        return standing_problems(options, task)

    problems_without_documents = staticmethod(problems_without_documents)

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        by = filter_id(type(self))
        source, answer = self._standing.source(record), self._standing.answer(record)
        if not answer:
            return None
        if not source:
            return flag(record, by, "no_source", {})
        known = f"{source}\n{self._standing.question(record)}"
        if claims := unsupported(answer, known, self._options.check):
            found = [excerpt(f"{claim.kind} {claim.text}") for claim in claims]
            return reject(record, by, "unsupported", {"claims": found})
        if self._options.quote and not says_it_is_not_there(record):
            quotes = [quote] if (quote := quote_of(record)) else _quotations(answer)
            if not quotes:
                return reject(record, by, "no_quote", {})
            if all(span_of(each, source) is None for each in quotes):
                return reject(record, by, "misquoted", {"quote": excerpt(quotes[0])})
        return None


def _quotations(answer: str) -> list[str]:
    return [words for words in _QUOTED.findall(answer) if len(words.split()) >= _SHORTEST_QUOTE]
