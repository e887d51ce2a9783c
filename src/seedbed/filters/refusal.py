"""`refusal`: the reply is an assistant declining, not a record."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.refusal_cues import DENIALS, REPROOFS, Cue, Finding, weigh
from seedbed.filters.subject import FilterOptions, filter_id, reject, text_fields

RAW_POINTS = 2
FIELD_POINTS = 3

_STRUCTURED = re.compile(r"\s*(?:```\w*\s*)?[{\[]")
_JSON_VALUE = re.compile(r'[:\[,]\s*"((?:[^"\\]|\\.){1,1000})')


class Refusal:
    """Reads the opening of a reply by the cues of `refusal_cues` and rejects it as `refused`.

    There are two strengths. A raw reply that gave no fields should have been data, so weak signs
    (2 points) are enough, and a reproof counts. In a field of a parsed record, where customers
    apologise and cannot log in, it takes 3 points of plain denial. A reply of broken JSON is read by
    its string values, at the strength of a field; one that was cut off is left to `schema`.
    """

    name: ClassVar = "refusal"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        pass

    def __init__(self, task: Task) -> None:
        self._task = task

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Refusal:
        return cls(context.task)

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        found = self._finding(record)
        if found is None:
            return None
        evidence = {"points": found.points, "cues": list(found.cues)}
        return reject(record, filter_id(type(self)), "refused", evidence)

    def _finding(self, record: Record) -> Finding | None:
        if (unreadable := record.unreadable) is None:
            return _first(text_fields(self._task, record.fields), DENIALS, FIELD_POINTS)
        if unreadable.cause == "truncated":
            return None
        if _STRUCTURED.match(unreadable.text):
            return _first(_JSON_VALUE.findall(unreadable.text), DENIALS, FIELD_POINTS)
        return _first([unreadable.text], (*DENIALS, *REPROOFS), RAW_POINTS)


def _first(texts: Sequence[str], cues: Sequence[Cue], points: int) -> Finding | None:
    """The finding on the first text that earns so many points."""
    findings = (weigh(text, cues) for text in texts)
    return next((found for found in findings if found.points >= points), None)
