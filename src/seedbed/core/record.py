"""The record: what every room passes on and no room edits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from seedbed.core.hashing import short_id

Origin = Literal["real", "generated"]

# What an exported row is known by when it comes back: `seedbed_id: sbd-<24 hexadecimal digits>`.
EXPORT_ID_COLUMN = "seedbed_id"
EXPORT_ID_PREFIX = "sbd-"


@dataclass(frozen=True, slots=True)
class ModelRef:
    """The model that answered in one role, as the reply itself named it."""

    model: str
    endpoint: str
    revision: str | None = None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Where a record comes from. It has no clock in it: equal replies give equal records.

    `depth` is 0 for real data and one more than its deepest parent for generated data;
    `reply_keys` are `<request hash>/<scope hash>/<draw>` and find the raw replies in the log.
    """

    origin: Origin
    source: str
    parents: tuple[str, ...] = ()
    licence: str | None = None
    method: str | None = None
    template: str | None = None
    template_hash: str | None = None
    models: Mapping[str, ModelRef] = field(default_factory=dict)
    sampling: Mapping[str, Any] = field(default_factory=dict)
    reply_keys: tuple[str, ...] = ()
    cell: str | None = None
    draft: int = 0
    depth: int = 0

    def __reduce__(self) -> tuple[Any, ...]:
        # Records go to the filter workers: what dataclasses do for slots costs three times as much.
        return Provenance, tuple(getattr(self, name) for name in self.__slots__)


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a reply gave no fields: the draft exists, is counted, and keeps its text."""

    cause: Literal["truncated", "not_json", "invalid_schema"]
    detail: str
    text: str


@dataclass(frozen=True, slots=True)
class Record:
    """One row of data, real or generated. Immutable.

    `fields` holds plain JSON values by the task's field names; it is empty where `unreadable`
    says why the reply could not be read. `slots` are the cell's values that the prompt saw.
    """

    id: str
    fields: Mapping[str, Any]
    provenance: Provenance
    slots: Mapping[str, str] = field(default_factory=dict)
    unreadable: Unreadable | None = None

    def __reduce__(self) -> tuple[Any, ...]:
        return Record, (self.id, self.fields, self.provenance, self.slots, self.unreadable)

    @property
    def is_real(self) -> bool:
        return self.provenance.origin == "real"


def real_record_id(source: str, row_key: str) -> str:
    """Id of a real row: its source and its row key, never its position."""
    return short_id("real", [source, row_key])


def generated_record_id(fields: Mapping[str, Any], text: str, cell: str, draft: int) -> str:
    """Id of a draft: content, cell and draft index. `text` stands in where no field was readable."""
    return short_id("draft", [dict(fields), text if not fields else "", cell, draft])
