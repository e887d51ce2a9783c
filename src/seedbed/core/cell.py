"""A cell: one point of the plan, from which a method makes drafts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.hashing import short_id


@dataclass(frozen=True, slots=True)
class Cell:
    """The method entry, template, axis values, real rows, source item and draw number that define a request.

    `parents` are ids of real rows that are shown, `source` the id of the item that the method works on (a
    row without a label, a chunk of a document), "" where it works on none. The id is the hash of those
    alone: neither target nor budget, round or position is in it, so a longer run finds the replies of a
    shorter one.
    """

    method: str
    template: str
    axes: Mapping[str, str | float]
    parents: tuple[str, ...] = ()
    draw: int = 0
    source: str = ""
    id: str = field(init=False)

    def __post_init__(self) -> None:
        value: list[Any] = [self.method, self.template, self.axes, self.parents, self.draw]
        if self.source:
            value.append(self.source)
        object.__setattr__(self, "id", short_id("cell", value))


def asker_of(name: str, *, rehearsal: bool) -> str:
    """Who asks for a recipe of this name. A rehearsal is somebody else: what it asks is free, is no answer
    of any model, and counts towards no cap of the run that follows it in the same folder."""
    return f"{name} (rehearsal)" if rehearsal else name
