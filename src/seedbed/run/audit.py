"""The filters over a data set that somebody already has, and its leaks against an eval set."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core.errors import InputError, Problem
from seedbed.core.field_text import texts_in
from seedbed.core.globs import files_below
from seedbed.core.protocols import EvalHit, FilterContext
from seedbed.core.record import Provenance, Record, real_record_id
from seedbed.core.registry import nearest
from seedbed.filters import DEFAULT_FILTERS, FILTERS
from seedbed.run.corpus import Member, judge_kin
from seedbed.run.filtering import FilterSet
from seedbed.run.measuring import measure_file
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.readers import Row, longest_text_column, read_rows
from seedbed.sources.spec import SourceSpec, compared_text, cut
from seedbed.sources.writing import write_without
from seedbed.tasks.conversation import MESSAGES
from seedbed.tasks.fields import BoundTask, object_schema

if TYPE_CHECKING:
    from seedbed.run.binding import BoundRecipe

CALIBRATION_ROWS = 2000
# These look at replies or at the eval; the audit itself does both in its own way.
_NOT_FOR_FILES = ("schema", "contamination")


@dataclass(slots=True)
class ColumnTask(BoundTask):
    """A file's one text column, where there is no recipe to say what the others mean."""

    @classmethod
    def of(cls, column: str) -> ColumnTask:
        return cls("text", (column,), (column,))

    @property
    def asked_fields(self) -> tuple[str, ...]:
        return self.fields

    @property
    def optional_fields(self) -> tuple[str, ...]:
        return self.fields

    def as_chat(self, fields: Mapping[str, Any]) -> list[dict[str, str]]:
        return [{"role": "user", "content": self.as_text(fields)}]


@dataclass(frozen=True)
class Audit:
    """`leaks` are equalities, one entry a pair; `near` is listed apart and never counts as a leak."""

    rows: int
    text_column: str
    leaks: tuple[Mapping[str, Any], ...]
    near: tuple[Mapping[str, Any], ...]
    duplicates: tuple[Mapping[str, Any], ...]
    near_duplicates: tuple[Mapping[str, Any], ...]
    filters: Mapping[str, Mapping[str, int]]
    measures: Mapping[str, Any]
    dropped: int | None = None

    def _repr_html_(self) -> str:
        from seedbed.publish.notebook_html import audit_html

        return audit_html(self.to_json())

    def to_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "text_column": self.text_column,
            "leaks": list(self.leaks),
            "eval_rows_leaked": len({leak["eval_row"] for leak in self.leaks}),
            "near": list(self.near),
            "duplicates": list(self.duplicates),
            "near_duplicates": list(self.near_duplicates),
            "filters": {name: dict(counts) for name, counts in self.filters.items()},
            "measures": dict(self.measures),
            "dropped": self.dropped,
        }


def audit(
    file: Path,
    *,
    against: Path | None = None,
    text: str | None = None,
    ignore_after: str | None = None,
    drop: Path | None = None,
    drop_near: bool = False,
    recipe: BoundRecipe | None = None,
) -> Audit:
    """Audit a CSV, JSONL or Parquet file, a folder of texts or a glob; rows are counted from 0.

    The text is the column `text`, or else the one with the most text; of a column of conversations it is
    what the users say. `against` is an eval file,
    which a process of its own opens. `drop` writes the file without its leaking rows (`drop_near`:
    and without near ones). With a `recipe` the rows are measured beside its real train rows. Raises
    InputError with the problems of either file.
    """
    spec = SourceSpec("file", file, ignore_after=ignore_after)
    rows = list(read_rows(spec))
    column = _column(rows, text, file)
    if not all(texts_in(row.values.get(column)) for row in rows):
        # Says which row is the first without a text there.
        rows = list(read_rows(spec, text_columns=[column], may_be_empty=[column]))
    texts = [compared_text(row.values, (column,)) for row in rows]
    with ExitStack() as stack:
        # Two processes of their own, one that measures and one that looks for leaks; this one for copies.
        beside = stack.enter_context(ThreadPoolExecutor(2))
        measuring = beside.submit(measure_file, file, [row.values for row in rows], column, recipe)
        checking = None
        if against is not None:
            other = SourceSpec("against", against, compare=(column,), ignore_after=ignore_after)
            if not isinstance(rows[0].values[column], str):
                other = replace(other, structured={column: object_schema([column], own={column: MESSAGES})})
            checking = beside.submit(_hits, other, texts)
        compared = [cut(value, ignore_after) for value in texts]
        kin, filters = _filter(rows, compared, column)
        hits = checking.result() if checking is not None else [[] for _ in texts]
        measures = measuring.result()
    leaks = [
        {"row": row.index, "eval_row": hit.row, "text": value}
        for row, value, found in zip(rows, texts, hits, strict=True)
        for hit in found
        if hit.is_leak
    ]
    near = [
        {"row": row.index, "eval_row": hit.row, "rule": hit.rule, "score": round(hit.score, 4), "text": value}
        for row, value, found in zip(rows, texts, hits, strict=True)
        for hit in found
        if not hit.is_leak
    ]
    dropped = None
    if drop is not None:
        gone = {leak["row"] for leak in leaks} | ({n["row"] for n in near} if drop_near else set())
        stay = [row for row in rows if row.index not in gone]
        keep = [*files_below(against), against] if against is not None else []
        write_without(spec, list(rows[0].values), stay, drop, keep=keep)
        dropped = len(gone)
    return Audit(
        rows=len(rows),
        text_column=column,
        leaks=tuple(leaks),
        near=tuple(near),
        duplicates=tuple(kin["duplicates"]),
        near_duplicates=tuple(kin["near_duplicates"]),
        filters=filters,
        measures=measures,
        dropped=dropped,
    )


def _column(rows: Sequence[Row], wanted: str | None, file: Path) -> str:
    values = [row.values for row in rows]
    if wanted is None:
        try:
            return longest_text_column(values)
        except ValueError as error:
            raise InputError([Problem(f"{error}; name one with --text", str(file))]) from error
    if wanted not in values[0]:
        names = [str(name) for name in values[0]]
        close = nearest(wanted, names)
        hint = f"did you mean {close!r}?" if close else "there are: " + ", ".join(names)
        raise InputError([Problem(f"no column {wanted!r}; {hint}", str(file))])
    return wanted


def _hits(spec: SourceSpec, texts: Sequence[str]) -> list[list[EvalHit]]:
    """The eval rows that each text repeats. Raises EvalLockError, SourceError."""
    common = texts[:: max(1, len(texts) // CALIBRATION_ROWS)][:CALIBRATION_ROWS]
    with EvalLockServer.start(spec, common=common) as server:
        return server.client.check(texts)


def _filter(
    rows: Sequence[Row], texts: Sequence[str], column: str
) -> tuple[dict[str, list[Mapping[str, Any]]], dict[str, dict[str, int]]]:
    task = ColumnTask.of(column)
    sample = [text for text in texts[:: max(1, len(texts) // CALIBRATION_ROWS)] if text.strip()]
    context = FilterContext(task=task, real_texts=sample[:CALIBRATION_ROWS] or None)
    built = []
    for name in DEFAULT_FILTERS:
        if name not in _NOT_FOR_FILES:
            filter_type = FILTERS.get(name)
            built.append(filter_type.build(filter_type.Options(), context))
    filters = FilterSet(
        tuple(f for f in built if f.kind == "record"), tuple(f for f in built if f.kind == "corpus")
    )
    by_rules = FilterSet(filters.record, ())
    provenance = Provenance(origin="real", source="file")
    records = [
        Record(real_record_id("file", str(row.index)), {column: text}, provenance)
        for row, text in zip(rows, texts, strict=True)
    ]
    row_of = {record.id: row.index for record, row in zip(records, rows, strict=True)}
    counts: dict[str, dict[str, int]] = {f.name: Counter() for f in built}
    for checked in by_rules.check(records):
        for verdict in checked.verdicts:
            if not verdict.keep:
                counts[verdict.filter_name][verdict.reason] += 1
    members = [Member(record, keys) for record, keys in zip(records, filters.keys(records), strict=True)]
    kin: dict[str, list[Mapping[str, Any]]] = {"duplicates": [], "near_duplicates": []}
    for verdict in judge_kin(filters.corpus, members, [], lambda ids: {}):
        if not verdict.keep:
            counts[verdict.filter_name][verdict.reason] += 1
            kin[verdict.filter_name].append(
                {
                    "row": row_of[verdict.record],
                    "twin": row_of[verdict.survivor or ""],
                    "score": round(verdict.score or 0.0, 4),
                }
            )
    return kin, counts
