"""`duplicates`: two records whose texts are equal when normalised."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from seedbed.core.hashing import seeds_after
from seedbed.core.protocols import FilterContext, Task
from seedbed.core.record import Record
from seedbed.filters.subject import FilterOptions, whole_text
from seedbed.text.normalise import normalise_all


class Duplicates:
    """Equal normal form. A text of punctuation alone has none, and is compared as it stands."""

    name: ClassVar = "duplicates"
    version: ClassVar = 1
    kind: ClassVar = "corpus"
    reason: ClassVar = "duplicate"

    class Options(FilterOptions):
        pass

    def __init__(self, task: Task) -> None:
        self._task = task

    @classmethod
    def build(cls, options: Options, context: FilterContext) -> Duplicates:
        return cls(context.task)

    def text(self, record: Record) -> str:
        return whole_text(self._task, record.fields)

    def keys(self, texts: Sequence[str]) -> list[list[int]]:
        return [[_key(form)] if form else [] for form in self.forms(texts)]

    def edge(self, a: str, b: str) -> float | None:
        one, two = self.forms([a, b])
        return self.edges([(one, two)])[0]

    def forms(self, texts: Sequence[str]) -> list[str]:
        return [norm or text.strip() for norm, text in zip(normalise_all(texts), texts, strict=True)]

    def edges(self, pairs: Sequence[tuple[str, str]]) -> list[float | None]:
        return [1.0 if one and one == two else None for one, two in pairs]


_key = seeds_after(Duplicates.name)
