"""Rows of a source as records of a task."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from seedbed.core.errors import SourceError
from seedbed.core.record import DEEPEST, Provenance, Record, real_record_id
from seedbed.sources.marks import own_depth
from seedbed.sources.readers import Row, read_rows
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
    its position. `redacted` counts what was replaced in the rows. Raises SourceError, also for rows that the
    program wrote itself and that are too deep to be worked on: see `Origins`.
    """
    columns = {name: spec.column(name) for name in task_fields}
    rows = read_rows(
        spec,
        text_columns=list(columns.values()),
        may_be_empty={columns[name] for name in may_be_empty},
        redacted=redacted,
    )
    origins = Origins(spec)
    records = [
        Record(
            id=real_record_id(spec.name, row.key),
            fields={name: row.meant[column] for name, column in columns.items()},
            provenance=origins.of(row),
        )
        for row in rows
    ]
    origins.refuse_too_deep()
    return records


class Origins:
    """The provenance of a source's rows, which differs only where some are the program's own output.

    A model that learns from its own output loses a little of the real data's variety each time (Shumailov et
    al. 2024). So what is made from rows of depth 1 is allowed and known for what it is, and rows from which
    depth 3 would come are refused as a source of anything.
    """

    def __init__(self, spec: SourceSpec) -> None:
        self._spec = spec
        self._known: dict[int, Provenance] = {}
        self._too_deep: Counter[int] = Counter()

    def of(self, row: Row) -> Provenance:
        depth = own_depth(row.values)
        if depth >= DEEPEST:
            self._too_deep[depth] += 1
        if depth not in self._known:
            spec = self._spec
            self._known[depth] = Provenance("real", spec.name, licence=spec.licence, depth=depth)
        return self._known[depth]

    def refuse_too_deep(self) -> None:
        """Raises SourceError where a row is so deep that nothing may be made from it."""
        if self._too_deep:
            rows, deepest = self._too_deep.total(), max(self._too_deep)
            raise SourceError(
                f"{self._spec.path}: {rows:,} row{'s are' if rows > 1 else ' is'} output of Seedbed of depth "
                f"{deepest} (generated from what was generated), so that records made from them would be of "
                f"depth {deepest + 1}; depth {DEEPEST + 1} is refused. Take them out: begin from real rows"
            )
