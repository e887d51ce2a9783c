"""Rows of a source as records of a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from seedbed.core.record import Provenance, Record, real_record_id
from seedbed.sources.readers import read_rows
from seedbed.sources.spec import SourceSpec


def load_real(
    spec: SourceSpec,
    task_fields: Sequence[str],
    *,
    may_be_empty: Collection[str] = (),
    redacted: Counter[str] | None = None,
) -> list[Record]:
    """Read a source into records that hold the task's fields and nothing else of the row.

    Every field must be text, and not empty unless it is in `may_be_empty`, or keep the schema that the
    source has for its column. The id of a record comes from the source's name and the row's key, never from
    its position. `redacted` counts what was replaced in the rows. Raises SourceError.
    """
    columns = {name: spec.column(name) for name in task_fields}
    rows = read_rows(
        spec,
        text_columns=list(columns.values()),
        may_be_empty={columns[name] for name in may_be_empty},
        redacted=redacted,
    )
    provenance = Provenance(origin="real", source=spec.name, licence=spec.licence)
    return [
        Record(
            id=real_record_id(spec.name, row.key),
            fields={name: row.meant[column] for name, column in columns.items()},
            provenance=provenance,
        )
        for row in rows
    ]
