"""A run's drafts as one Arrow table, for whoever goes on in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING, Any

import orjson

from seedbed.core.fate import Fate
from seedbed.core.protocols import Task
from seedbed.core.record import Record
from seedbed.run.planner import TEACHER, TEMPERATURE
from seedbed.run.view import RunView

if TYPE_CHECKING:
    import pyarrow as pa

_ROWS_AT_A_TIME = 10_000
_PLAIN = (str, int, float, bool)


def records_table(view: RunView, task: Task, accepted: bool | None) -> pa.Table:
    """One row a draft by rank: accepted ones, the others (False), or all (None).

    Columns: `id`; the task's fields; `accepted` and `reason`; `slot_NAME` for each axis that is no
    field; `temperature`; then `method`, `template`, `model`, `endpoint`, `cell`, `draft`, `depth` and
    `parents`. Fields are text; where one holds lists or maps, they are JSON text. A draft that could not
    be read has null fields.
    """
    import pyarrow as pa

    slots = _slot_names(view, task)
    schema = pa.schema(
        [
            ("id", pa.string()),
            *((name, pa.string()) for name in task.fields),
            ("accepted", pa.bool_()),
            ("reason", pa.string()),
            *((f"slot_{name}", pa.string()) for name in slots),
            ("temperature", pa.float64()),
            *((name, pa.string()) for name in ("method", "template", "model", "endpoint", "cell")),
            ("draft", pa.int32()),
            ("depth", pa.int32()),
            ("parents", pa.list_(pa.string())),
        ]
    )
    wanted = (pair for pair in view.ledger().with_fates() if accepted is None or pair[1].accepted is accepted)
    batches = [pa.RecordBatch.from_pylist(rows, schema) for rows in _in_parts(wanted, task, slots)]
    return pa.Table.from_batches(batches, schema)


def _slot_names(view: RunView, task: Task) -> list[str]:
    names: dict[str, None] = {}
    for entry in view.ledger().rounds:
        for cell in view.rounds.read_plan(entry.number):
            names.update(dict.fromkeys(cell.axes))
    return [name for name in names if name not in (*task.fields, TEMPERATURE, TEACHER)]


def _in_parts(
    pairs: Iterator[tuple[Record, Fate]], task: Task, slots: Sequence[str]
) -> Iterator[list[dict[str, Any]]]:
    while rows := [_row(record, fate, task, slots) for record, fate in islice(pairs, _ROWS_AT_A_TIME)]:
        yield rows


def _row(record: Record, fate: Fate, task: Task, slots: Sequence[str]) -> dict[str, Any]:
    provenance = record.provenance
    model = provenance.models.get("teacher")
    temperature = record.slots.get(TEMPERATURE)
    return {
        "id": record.id,
        **{name: _text(record.fields.get(name)) for name in task.fields},
        "accepted": fate.accepted,
        "reason": fate.reason or None,
        **{f"slot_{name}": record.slots.get(name) for name in slots},
        "temperature": float(temperature) if temperature is not None else None,
        "method": provenance.method,
        "template": provenance.template,
        "model": model.model if model is not None else None,
        "endpoint": model.endpoint if model is not None else None,
        "cell": provenance.cell,
        "draft": provenance.draft,
        "depth": provenance.depth,
        "parents": list(provenance.parents),
    }


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return str(value) if isinstance(value, _PLAIN) else orjson.dumps(value).decode()
