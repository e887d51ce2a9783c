"""`pii`: no record holds personal data of a real form."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.filters.places import first_found
from seedbed.filters.subject import FilterOptions, filter_id, reject
from seedbed.text.names import find_names, problem_with_names
from seedbed.text.personal_data import PERSONAL_KINDS, PersonalKind, characters_of, find_personal_data
from seedbed.text.spans import Span, apart


class Names(FilterOptions):
    model: str = Field(min_length=1, description="spaCy pipeline that tells names: a package or a folder")
    kinds: tuple[Literal["person", "place"], ...] = Field(
        ("person",), min_length=1, description="names that count"
    )


class Pii:
    """Rejects as `pii` what is somebody's: numbers by their check digit, addresses by their form.

    Values of ranges that are reserved for examples are nobody's and do not count, nor do those of `allow`.
    The evidence says what kind of data stands where, and never what it is.
    """

    name: ClassVar = "pii"
    version: ClassVar = 1
    kind: ClassVar = "record"

    class Options(FilterOptions):
        kinds: tuple[PersonalKind, ...] = Field(
            PERSONAL_KINDS, description="kinds of data that count (default: all)"
        )
        allow: tuple[str, ...] = Field(
            (), description="values that may stand there; `@acme.com` stands for all addresses of the domain"
        )
        names: Names | None = Field(
            None, description="`{model, kinds}`: look for names too (default: they are not checked)"
        )

        @field_validator("allow")
        @classmethod
        def _says_something(cls, value: tuple[str, ...]) -> tuple[str, ...]:
            for entry in value:
                if not characters_of(entry):
                    raise ValueError(f"{entry!r} has no letter or digit; write a value, or @ and a domain")
            return value

    def __init__(self, task: Task, options: Options) -> None:
        self._task = task
        self._options = options
        self._domains = tuple(entry.casefold() for entry in options.allow if entry.startswith("@"))
        self._values = {characters_of(entry) for entry in options.allow if not entry.startswith("@")}

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Pii:
        return cls(context.task, options)

    @classmethod
    def problems(cls, options: Options, task: Task) -> Iterator[tuple[tuple[str, ...], str]]:
        if options.names is not None and (problem := problem_with_names(options.names.model)):
            yield ("names", "model"), problem

    @classmethod
    def not_checked(cls, options: Options) -> str | None:
        if options.names is None:
            return "names of persons and places; name a spaCy pipeline with `pii: {names: {model: …}}`"
        return None

    def check(self, records: Sequence[Record]) -> list[Verdict | None]:
        return [self._verdict(record) for record in records]

    def _verdict(self, record: Record) -> Verdict | None:
        found = first_found(self._task, record.fields, self._find)
        return None if found is None else reject(record, filter_id(type(self)), "pii", found)

    def _find(self, text: str) -> list[Span]:
        found = find_personal_data(text, self._options.kinds)
        if (names := self._options.names) is not None:
            found = apart([*found, *find_names(text, names.kinds, names.model)])
        return [span for span in found if not self._may_stand(text[span.start : span.end])]

    def _may_stand(self, value: str) -> bool:
        return characters_of(value) in self._values or value.casefold().endswith(self._domains)
