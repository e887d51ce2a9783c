"""`constraints`: a text keeps to what can be checked of an instruction: counts, keywords, case, form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import BaseModel, Field

from seedbed.core.field_text import texts_in, turns_of
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.constraint_kinds import FieldConstraints, first_broken
from seedbed.filters.subject import FilterOptions, filter_id, no_text_fields, reject


class Constraints:
    """Rejects a record as `constraint_broken` where a field does not keep to what the recipe asks of it.

    Of a conversation each turn of the assistant has to. A field that is no text is left to `schema`.
    """

    name: ClassVar = "constraints"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        fields: Mapping[str, FieldConstraints] = Field(
            min_length=1, description="field -> what its text must keep to"
        )

    def __init__(self, constraints: Mapping[str, FieldConstraints]) -> None:
        self._constraints = dict(constraints)

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Constraints:
        return cls(options.fields)

    @staticmethod
    def problems(options: Options, task: Task) -> list[tuple[tuple[str, ...], str]]:
        """(path of the key, message) of the constraints on what is no text field of the task."""
        return [(("fields", name), said) for name, said in no_text_fields(options.fields, task)]

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        for name, constraints in self._constraints.items():
            for text in _texts(record.fields.get(name)):
                if (broken := first_broken(text, constraints)) is not None:
                    kind, found = broken
                    expected = _plain(getattr(constraints, kind))
                    evidence = {"field": name, "constraint": kind, "expected": expected, "found": found}
                    return reject(record, filter_id(type(self)), "constraint_broken", evidence)
        return None


def _texts(value: Any) -> list[str]:
    turns = turns_of(value)
    return [turn["content"] for turn in turns if turn["role"] == "assistant"] if turns else texts_in(value)


def _plain(expected: Any) -> Any:
    """What a constraint expects, as the recipe writes it."""
    if isinstance(expected, BaseModel):
        return expected.model_dump(exclude_none=True)
    if isinstance(expected, Mapping):
        return {key: _plain(value) for key, value in expected.items()}
    return list(expected) if isinstance(expected, tuple) else expected
