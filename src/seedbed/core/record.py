"""The record: what every room passes on and no room edits.

What there is for each record of a run is a named tuple here and in `core.chat`: a frozen dataclass takes
three to four times as long to make.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from seedbed.core.hashing import short_id

Origin = Literal["real", "generated"]

# What an exported row is known by when it comes back: `seedbed_id: sbd-<24 hexadecimal digits>`, and from
# the second generation on how deep it is: `sbd-<24 hexadecimal digits>-d2`.
EXPORT_ID_COLUMN = "seedbed_id"
EXPORT_ID_PREFIX = "sbd-"
EXPORT_ID = re.compile(rf"\b{re.escape(EXPORT_ID_PREFIX)}([0-9a-f]{{24}})(?:-d(\d{{1,3}}))?\b")

DEEPEST = 2
"""Generations away from real data that records may be: see `Provenance.depth`."""


class ModelRef(NamedTuple):
    """The model that answered in one role, as the reply itself named it."""

    model: str
    endpoint: str
    revision: str | None = None


class Provenance(NamedTuple):
    """Where a record comes from. It has no clock in it: equal replies give equal records.

    `depth` is 0 for real data and one more than its deepest parent for generated data; a row of a source that
    this program wrote has the depth it was written with. `parents` are the rows that were shown, and the
    item of a source that was worked on. `reply_keys` are `<request hash>/<scope hash>/<draw>` and find the
    raw replies in the log; `steps` says of each of them which prompt it answers and in which role
    (`iterative/questions by teacher`), where there are several. `carried` are the fields that stand as the
    item worked on has them, and that no model wrote.
    """

    origin: Origin
    source: str
    parents: tuple[str, ...] = ()
    licence: str | None = None
    method: str | None = None
    template: str | None = None
    template_hash: str | None = None
    models: Mapping[str, ModelRef] = {}
    sampling: Mapping[str, Any] = {}
    reply_keys: tuple[str, ...] = ()
    cell: str | None = None
    draft: int = 0
    depth: int = 0
    steps: tuple[str, ...] = ()
    carried: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """Why a reply gave no fields: the draft exists, is counted, and keeps its text.

    `cause` is `truncated`, `not_json` or `invalid_schema`.
    """

    cause: str
    detail: str
    text: str


@dataclass(frozen=True, slots=True)
class Rejection:
    """A method's own verdict on its draft: why it is worth nothing, though it can be read.

    `reason` is a stable slug, `by` the `method@version` that says so.
    """

    reason: str
    evidence: Mapping[str, Any] = field(default_factory=dict)
    score: float | None = None
    by: str = ""


class Record(NamedTuple):
    """One row of data, real or generated. Immutable.

    `fields` holds plain JSON values by the task's field names; it is empty where `unreadable`
    says why the reply could not be read. `slots` are the cell's values that the prompt saw; where the
    cell leaves the label open, the label that was given is among them. `notes` are what the method has to
    say of the record (a span of evidence, votes, who said which turn); `rejected` is its own verdict.
    """

    id: str
    fields: Mapping[str, Any]
    provenance: Provenance
    slots: Mapping[str, str] = {}
    unreadable: Unreadable | None = None
    notes: Mapping[str, Any] = {}
    rejected: Rejection | None = None

    @property
    def is_real(self) -> bool:
        return self.provenance.origin == "real"


def real_record_id(source: str, row_key: str) -> str:
    """Id of a real row: its source and its row key, never its position."""
    return short_id("real", [source, row_key])


def generated_record_id(fields: Mapping[str, Any], text: str, cell: str, draft: int) -> str:
    """Id of a draft: content, cell and draft index. `text` stands in where no field was readable."""
    return short_id("draft", [fields, text if not fields else "", cell, draft])


def exported_as(id_: str, depth: int) -> str:
    """By what a record is known outside."""
    return EXPORT_ID_PREFIX + id_ + (f"-d{depth}" if depth > 1 else "")


def record_named(name: str) -> str:
    """The id of a record that is named by it, by its beginning, or by what an export calls it."""
    found = EXPORT_ID.fullmatch(name)
    return found[1] if found else name.removeprefix(EXPORT_ID_PREFIX)
