"""Records with what a person says of each: a file that the judge is compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from seedbed.core.protocols import Task
from seedbed.core.record import Provenance, Record, real_record_id
from seedbed.core.verdict import Said
from seedbed.sources.problems import FileProblems, missing_column
from seedbed.sources.readers import read_rows
from seedbed.sources.spec import SourceSpec

SOURCE = "labels"
COLUMN = "human"

_SCORES: Mapping[Any, Said] = {said: score for score in range(1, 6) for said in (score, str(score))}
_WORDS: Mapping[Any, Said] = {"accept": "accept", "reject": "reject"}


@dataclass(frozen=True, slots=True)
class Labelled:
    """A record and a person's word on it."""

    record: Record
    said: Said


def read_labelled(path: Path, task: Task, column: str = COLUMN) -> list[Labelled]:
    """The rows of a file with all fields of the task; `column` says accept, reject or a score from 1 to 5.

    Of a pair it may name the field of the better answer (`chosen`, `rejected`). Raises SourceError with up to
    20 problems.
    """
    schema = task.schema()["properties"]
    spec = SourceSpec(
        name=SOURCE,
        path=path,
        structured={
            name: task.schema(omit=[other for other in task.fields if other != name])
            for name in task.fields
            if schema[name].get("type") != "string"
        },
    )
    known = {**_SCORES, **_WORDS, **_of_pairs(task)}
    provenance = Provenance(origin="real", source=SOURCE)
    problems, found = FileProblems(path), []
    for row in read_rows(spec, text_columns=task.fields, may_be_empty=task.optional_fields):
        if column not in row.values:
            problems.add(missing_column(column, [str(name) for name in row.values]), line=row.line)
            break
        said = row.values[column]
        if isinstance(said, str):
            said = said.strip().lower()
        if isinstance(said, bool) or not isinstance(said, str | int) or said not in known:
            words = ", ".join(str(word) for word in {**_WORDS, **_of_pairs(task)})
            problems.add(f"{column!r} must be one of {words}, or a whole number from 1 to 5", line=row.line)
            continue
        fields = {name: row.meant[name] for name in task.fields}
        found.append(Labelled(Record(real_record_id(SOURCE, row.key), fields, provenance), known[said]))
    problems.raise_if_any()
    return found


def _of_pairs(task: Task) -> dict[Any, Said]:
    """Which of two answers is the better, by the names of their fields; nothing for other tasks."""
    if task.kind != "preference":
        return {}
    _, chosen, rejected = task.fields
    return {chosen.lower(): "accept", rejected.lower(): "reject"}
