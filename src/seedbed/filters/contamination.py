"""`contamination`: no record repeats the locked eval set."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.field_text import asked_in, texts_in
from seedbed.core.protocols import EvalHit, EvalLock, FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import FilterOptions, filter_id, reject, text_fields, whole_text


class Contamination:
    """Asks the eval lock about a record's compared text, its whole text, and each of its text fields.

    A text that equals an eval row, or carries its canary, is an `eval_leak`; one that is merely
    close is `near_eval`. The evidence names the rule, score and eval row, and never quotes. Without
    a locked eval set there is nothing to look at, and every record is kept.
    """

    name: ClassVar = "contamination"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        pass

    def __init__(self, task: Task, compare: Sequence[str], lock: EvalLock | None) -> None:
        self._task = task
        self._compare = tuple(compare)
        self._lock = lock

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Contamination:
        return cls(context.task, context.compare or context.task.compare_fields, context.eval_lock)

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        if self._lock is None:
            return [None] * len(records)
        asked = [self._texts(record) for record in records]
        answers = iter(self._lock.check([text for texts in asked for text in texts]))
        hits = [[hit for _ in texts for hit in next(answers)] for texts in asked]
        return [self._verdict(record, found) for record, found in zip(records, hits, strict=True)]

    def _verdict(self, record: Record, hits: Sequence[EvalHit]) -> Verdict | None:
        if not hits:
            return None
        worst = min(hits, key=lambda hit: (not hit.is_leak, -hit.score, hit.rule, hit.row))
        reason = "eval_leak" if worst.is_leak else "near_eval"
        evidence = {"rule": worst.rule, "score": worst.score, "eval_row": worst.row}
        return reject(record, filter_id(type(self)), reason, evidence, worst.score)

    def _texts(self, record: Record) -> list[str]:
        """What is compared, the whole, and its parts, each once; none of an unreadable reply."""
        if record.unreadable is not None:
            return []
        fields = record.fields
        there = [fields[name] for name in self._compare if name in fields]
        compared = "\n".join(asked_in(value) for value in there if texts_in(value))
        texts = dict.fromkeys([compared, whole_text(self._task, fields), *text_fields(self._task, fields)])
        return [text for text in texts if text]
