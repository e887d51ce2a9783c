"""Answers that are JSON: whether they keep the task's schema, and how much of the row's record they hold."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import orjson

from seedbed.core.protocols import Task
from seedbed.student.rows import Row
from seedbed.student.scores.protocol import OneByOne
from seedbed.tasks.extraction import Extraction
from seedbed.verify.answers import answer_key
from seedbed.verify.json_values import first_error

_FENCED = re.compile(r"\A\s*```(?:json)?[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL | re.IGNORECASE)


def answers_records(task: Task) -> bool:
    """Whether what is answered is JSON: a record, or several fields of a custom task."""
    return task.kind == "extraction" or (
        task.kind == "custom" and task.label_field is None and len(_answered(task)) > 1
    )


def record_in(answer: str) -> Any:
    """The value of an answer that is JSON, perhaps in a fence. Raises ValueError."""
    fenced = _FENCED.match(answer)
    return orjson.loads(fenced[1] if fenced else answer)


class ValidRecord(OneByOne):
    """1 where the answer is JSON that keeps the schema of what is answered."""

    name: ClassVar[str] = "valid_record"

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        try:
            value = record_in(answer)
        except ValueError:
            return 0.0
        return float(first_error(orjson.dumps(_schema_of(task)), value) is None)


class _OfRecords(OneByOne):
    """Compares what the answer holds with what the row's does; None where the row has no record."""

    def one(self, task: Task, answer: str, row: Row) -> float | None:
        try:
            wanted = _without_nulls(orjson.loads(row.answer))
        except ValueError:
            return None
        try:
            return self.worth(_without_nulls(record_in(answer)), wanted)
        except (ValueError, RecursionError):  # no JSON, or nested as no record is
            return 0.0

    @abstractmethod
    def worth(self, said: Any, wanted: Any) -> float:
        """Of two records without their nulls."""


class RecordMatch(_OfRecords):
    """1 where all of the record is right, lists in their order, and nothing is there that should not be."""

    name: ClassVar[str] = "record_match"

    def worth(self, said: Any, wanted: Any) -> float:
        return float(_key(said) == _key(wanted))


class FieldMatch(_OfRecords):
    """F1 of the values in the record, each by its path: what is missing and what is too much count alike.

    Texts are compared without regard to case, spaces and marks around them, numbers by their value. Items of
    a list may come in any order, and a null is as good as nothing.
    """

    name: ClassVar[str] = "field_match"

    def worth(self, said: Any, wanted: Any) -> float:
        ours, theirs = Counter(_values(said)), Counter(_values(wanted))
        if not theirs:
            return float(not ours and type(said) is type(wanted))
        return 2 * (ours & theirs).total() / (ours.total() + theirs.total())


def _answered(task: Task) -> list[str]:
    return [name for name in task.fields if name not in task.compare_fields]


def _schema_of(task: Task) -> Mapping[str, Any]:
    if isinstance(task, Extraction):
        return task.record_schema
    return task.schema(task.compare_fields)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {name: _without_nulls(item) for name, item in value.items()}
        return {name: item for name, item in kept.items() if item is not None}
    return [_without_nulls(item) for item in value] if isinstance(value, list) else value


def _values(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """(path, key of the value) of every value that holds no other."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from _values(item, f"{path}/{name}")
    elif isinstance(value, list):
        for item in value:
            yield from _values(item, f"{path}/*")
    elif value is not None:
        yield path, _key(value)


def _key(value: Any) -> str:
    # In a list, where `5` and `"5"` are two values.
    return answer_key([value])
