"""`secrets`: no record holds a key, a token or a password."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.places import first_found
from seedbed.filters.subject import FilterOptions, filter_id, reject
from seedbed.text.secrets import find_secrets


class Secrets:
    """Rejects as `secret` what has the form of one, or is assigned to a name of one and looks random.

    The evidence says what kind of secret stands where, and never what it is.
    """

    name: ClassVar = "secrets"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        pass

    def __init__(self, task: Task) -> None:
        self._task = task

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Secrets:
        return cls(context.task)

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        found = first_found(self._task, record.fields, find_secrets)
        return None if found is None else reject(record, filter_id(type(self)), "secret", found)
