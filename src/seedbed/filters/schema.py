"""`schema`: a record has the fields that its task declares, and nothing else."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import chain, filterfalse
from operator import attrgetter, itemgetter
from typing import Any, ClassVar

import orjson

from seedbed.core.protocols import FilterContext
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.subject import FilterOptions, excerpt, filter_id, reject
from seedbed.verify.json_values import first_error, validator

_UNREADABLE, _FIELDS = attrgetter("unreadable"), attrgetter("fields")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


class Schema:
    """JSON Schema 2020-12 of the task's fields, checked by jsonschema-rs.

    A reply that gave no fields is rejected with its own cause: `truncated`, `not_json` or
    `invalid_schema`. A string with a lone surrogate is `invalid_schema`: no UTF-8 file can hold it.
    """

    name: ClassVar = "schema"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        pass

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = orjson.dumps(schema)
        # With an identity of its own, so that what it refers to in itself is still found.
        self._batch_schema = orjson.dumps({"type": "array", "items": {"$id": "urn:record", **schema}})
        self._free = _free_fields(schema)

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Schema:
        return cls(context.task.schema())

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        if self._all_are_valid(records):
            return [None] * len(records)
        return [self._verdict(record) for record in records]

    def _all_are_valid(self, records: Sequence[Record]) -> bool:
        """Most batches are without fault, and one look at them all takes half of the time."""
        if any(map(_UNREADABLE, records)):
            return False
        batch = list(map(_FIELDS, records))
        try:
            orjson.dumps(self._doubtful(batch))  # no lone surrogate, which the validator would not see
            return bool(validator(self._batch_schema).is_valid(batch))
        except (TypeError, ValueError):
            return False

    def _doubtful(self, batch: Sequence[Any]) -> Sequence[Any]:
        """What may hold a lone surrogate where all are valid: the texts that are not ASCII. Where there is
        more than texts it is all of it, which takes twice as long to write as to validate."""
        if self._free is None:
            return batch
        values = chain.from_iterable(map(itemgetter(name), batch) for name in self._free)
        try:
            return list(filterfalse(str.isascii, values))
        except (KeyError, TypeError):  # a field is missing, or is no text
            return batch

    def _verdict(self, record: Record) -> Verdict | None:
        by = filter_id(type(self))
        if (unreadable := record.unreadable) is not None:
            evidence = {"detail": excerpt(unreadable.detail), "excerpt": excerpt(unreadable.text)}
            return reject(record, by, unreadable.cause, evidence)
        if (problem := self._problem(record.fields)) is not None:
            path, message = problem
            return reject(record, by, "invalid_schema", {"path": path, "message": excerpt(message)})
        return None

    def _problem(self, fields: Mapping[str, Any]) -> tuple[str, str] | None:
        """(path, message) of the first thing wrong, as `answer/0/text`; None where all is well."""
        plain = dict(fields)
        for name, value in plain.items():
            if _holds_lone_surrogate(name) or _holds_lone_surrogate(value):
                return excerpt(name), "holds a lone surrogate, which UTF-8 cannot store"
        return first_error(self._schema, plain)


def _free_fields(schema: Mapping[str, Any]) -> tuple[str, ...] | None:
    """The fields whose values a schema does not list; None where it lets in fields that it does not name."""
    if schema.get("additionalProperties") is not False or "patternProperties" in schema:
        return None
    fields: Mapping[str, Any] = schema.get("properties", {})
    return tuple(name for name, own in fields.items() if isinstance(own, bool) or "enum" not in own)


def _holds_lone_surrogate(value: Any) -> bool:
    if isinstance(value, str):
        return not value.isascii() and _LONE_SURROGATE.search(value) is not None
    if isinstance(value, Mapping):
        return any(_holds_lone_surrogate(item) for pair in value.items() for item in pair)
    if isinstance(value, list | tuple):
        return any(map(_holds_lone_surrogate, value))
    return False
