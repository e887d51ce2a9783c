"""The filters over a data set that somebody already has, and its leaks against an eval set.

Rows come in batches: workers pass the record filters over a batch and make the keys of the corpus filters,
the eval lock looks for leaks meanwhile. What is held of all rows are their keys.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core.errors import InputError, Problem
from seedbed.core.field_text import texts_in
from seedbed.core.globs import files_below
from seedbed.core.protocols import EvalHit
from seedbed.core.record import Provenance, Record
from seedbed.core.registry import nearest
from seedbed.core.verdict import Verdict
from seedbed.run.apart import run_apart
from seedbed.run.audit_filters import AuditFilters, ColumnTask, audit_filters, filters_named
from seedbed.run.file_kin import FileKin
from seedbed.run.filtering import FilterPool, Survey
from seedbed.run.measuring import FileMeasures
from seedbed.run.workers import worker_count
from seedbed.sources.eval_lock import EvalLockClient, EvalLockServer
from seedbed.sources.readers import Row, TextColumns, read_rows
from seedbed.sources.spec import SourceSpec, compared_text, cut
from seedbed.sources.writing import write_without
from seedbed.tasks.conversation import MESSAGES
from seedbed.tasks.fields import object_schema

if TYPE_CHECKING:
    from seedbed.run.binding import BoundRecipe

CALIBRATION_ROWS = 2000
EXAMPLES = 5
_BATCH_ROWS, _BATCH_CHARACTERS = 500, 500_000


@dataclass(frozen=True)
class Audit:
    """`leaks` are equalities, one entry a pair; `near` is listed apart and never counts as a leak.

    `filters` counts by filter and reason, `examples` are the first rows of each; `not_run` says of filters
    of the recipe why they did not look at the file.
    """

    rows: int
    text_column: str
    leaks: tuple[Mapping[str, Any], ...]
    near: tuple[Mapping[str, Any], ...]
    duplicates: tuple[Mapping[str, Any], ...]
    near_duplicates: tuple[Mapping[str, Any], ...]
    filters: Mapping[str, Mapping[str, int]]
    measures: Mapping[str, Any]
    examples: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    not_run: Mapping[str, str] = field(default_factory=dict)
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
            "examples": {name: list(found) for name, found in self.examples.items()},
            "not_run": dict(self.not_run),
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
    filters: Sequence[str] = (),
) -> Audit:
    """Audit a CSV, JSONL or Parquet file, a folder of texts or a glob; rows are counted from 0.

    The text is the column `text`, or else the one with the most text; of a column of conversations it is
    what the users say. `against` is an eval file, which a process of its own opens. `drop` writes the file
    without its leaking rows (`drop_near`: and without near ones). With a `recipe` its filters look at the
    rows instead of the default ones, and the rows are measured beside its real train rows; `filters` adds
    some by name (`pii`) or with options in YAML (`{language: {languages: [en]}}`). Raises InputError with the
    problems of either file, and where a filter that is asked for cannot look through the file.
    """
    spec = SourceSpec("file", file, ignore_after=ignore_after)
    asked = filters_named(filters)
    look = _first_look(spec, text)
    compared = [cut(compared_text(row, (look.column,)), ignore_after) for row in look.sample]
    chosen = audit_filters(
        look.column, look.columns, [{look.column: value} for value in compared], asked, recipe
    )
    with ExitStack() as stack:
        client = None
        if against is not None:
            common = [compared_text(row, (look.column,)) for row in look.sample]
            client = stack.enter_context(_locked(against, look, ignore_after, common)).client
        kin = FileKin(chosen.filters.corpus)
        stack.callback(kin.close)
        measures = FileMeasures(file, look.column, look.columns, recipe)
        through = _Through(spec, look.column, chosen, kin, measures, client)
        run_apart(through.run)
        # A process of its own measures, while this one compares.
        measuring = stack.enter_context(ThreadPoolExecutor(1)).submit(measures.figures)
        fallen: dict[str, list[dict[str, Any]]] = {}
        for each, found in kin.found():
            fallen[each.name] = found
            through.count(each.name, each.reason, len(found))
            through.examples[each.name] += found[:EXAMPLES]
        figures = measuring.result()
    leaks, near = through.leaks, through.near
    dropped = None
    if drop is not None:
        gone = {leak["row"] for leak in leaks} | ({n["row"] for n in near} if drop_near else set())
        keep = [*files_below(against), against] if against is not None else []
        write_without(spec, look.columns, _Staying(spec, gone), drop, keep=keep)
        dropped = len(gone)
    return Audit(
        rows=look.rows,
        text_column=look.column,
        leaks=tuple(leaks),
        near=tuple(near),
        duplicates=tuple(fallen.get("duplicates", ())),
        near_duplicates=tuple(fallen.get("near_duplicates", ())),
        filters=through.counts,
        measures=figures,
        examples={name: found for name, found in through.examples.items() if found},
        not_run=chosen.not_run,
        dropped=dropped,
    )


@dataclass(frozen=True)
class _Look:
    """What has to be known before the first row is checked. `sample` are rows from all over the file."""

    rows: int
    columns: Sequence[str]
    column: str
    sample: Sequence[Mapping[str, Any]]


def _first_look(spec: SourceSpec, wanted: str | None) -> _Look:
    texts, every, rows = TextColumns(), 1, 0
    columns: list[str] = []
    sample: list[Mapping[str, Any]] = []
    for row in read_rows(spec):
        columns = columns or list(row.values)
        texts.add(row.values)
        rows += 1
        if row.index % every == 0:
            sample.append(row.values)
            if len(sample) == 2 * CALIBRATION_ROWS:
                sample, every = sample[::2], 2 * every
    column = _column(texts, columns, wanted, spec.path)
    if column not in texts:
        # Says which row is the first without a text there.
        for _ in read_rows(spec, text_columns=[column], may_be_empty=[column]):
            pass
    few = min(len(sample), CALIBRATION_ROWS)
    return _Look(rows, columns, column, [sample[at * len(sample) // few] for at in range(few)])


def _column(texts: TextColumns, columns: list[str], wanted: str | None, file: Path) -> str:
    if wanted is None:
        try:
            return texts.longest()
        except ValueError as error:
            raise InputError([Problem(f"{error}; name one with --text", str(file))]) from error
    if wanted not in columns:
        close = nearest(wanted, columns)
        hint = f"did you mean {close!r}?" if close else "there are: " + ", ".join(columns)
        raise InputError([Problem(f"no column {wanted!r}; {hint}", str(file))])
    return wanted


def _locked(against: Path, look: _Look, ignore_after: str | None, common: Sequence[str]) -> EvalLockServer:
    """The eval file behind its process. Raises EvalLockError, SourceError."""
    column = look.column
    other = SourceSpec("against", against, compare=(column,), ignore_after=ignore_after)
    if not isinstance(look.sample[0][column], str):
        other = replace(other, structured={column: object_schema([column], own={column: MESSAGES})})
    return EvalLockServer.start(other, common=common)


class _Through:
    """One way through the file, and what was found on it."""

    def __init__(
        self,
        spec: SourceSpec,
        column: str,
        chosen: AuditFilters,
        kin: FileKin,
        measures: FileMeasures,
        client: EvalLockClient | None,
    ) -> None:
        self._spec, self._column, self._chosen = spec, column, chosen
        self._kin, self._measures, self._client = kin, measures, client
        names = [
            *(each.name for each in chosen.filters.record),
            *(each.name for each in chosen.filters.corpus),
        ]
        self.counts: dict[str, Counter[str]] = {name: Counter() for name in names}
        self.examples: dict[str, list[Mapping[str, Any]]] = {name: [] for name in names}
        self.leaks: list[Mapping[str, Any]] = []
        self.near: list[Mapping[str, Any]] = []

    async def run(self) -> None:
        """A few batches are under way at a time; what comes of them is taken up in the order of the file."""
        waiting: deque[asyncio.Task[None]] = deque()
        async with FilterPool(self._chosen.filters) as pool:
            with ThreadPoolExecutor(1) as asking:
                previous: asyncio.Task[None] | None = None
                for batch in _batches(self._spec, self._column):
                    previous = asyncio.create_task(self._look(batch, pool, asking, previous))
                    waiting.append(previous)
                    if len(waiting) > 2 * worker_count():
                        await waiting.popleft()
                for task in waiting:
                    await task

    def count(self, name: str, reason: str, rows: int) -> None:
        if rows:
            self.counts[name][reason] += rows

    async def _look(
        self,
        batch: Sequence[Row],
        pool: FilterPool,
        asking: ThreadPoolExecutor,
        previous: asyncio.Task[None] | None,
    ) -> None:
        records = [self._record(row) for row in batch]
        texts = [compared_text(row.values, (self._column,)) for row in batch]
        surveying = asyncio.create_task(pool.survey(records))
        hits: list[list[EvalHit]] = []
        if self._client is not None:
            loop = asyncio.get_running_loop()
            hits = await loop.run_in_executor(asking, self._client.check, texts)
        survey = await surveying
        if previous is not None:
            await previous
        self._take_up(batch, records, survey)
        for row, text, found in zip(batch, texts, hits, strict=False):
            self._take_up_hits(row.index, text, found)

    def _record(self, row: Row) -> Record:
        task = self._chosen.task
        if isinstance(task, ColumnTask):
            fields = {self._column: cut(compared_text(row.values, (self._column,)), self._spec.ignore_after)}
        else:
            fields = {name: row.values[name] for name in task.fields if name in row.values}
        return Record(str(row.index), fields, _FROM_FILE)

    def _take_up(self, batch: Sequence[Row], records: Sequence[Record], survey: Survey) -> None:
        for verdict in survey.said:
            self._take_up_verdict(verdict)
        texts = {each.name: [each.text(record) for record in records] for each in self._chosen.filters.corpus}
        self._kin.add(survey, texts)
        for row in batch:
            self._measures.add(row.index, row.values)

    def _take_up_verdict(self, verdict: Verdict) -> None:
        name = verdict.filter_name
        self.counts[name][verdict.reason] += 1  # a flag is a find like another
        if sum(shown["reason"] == verdict.reason for shown in self.examples[name]) < EXAMPLES:
            self.examples[name].append(
                {
                    "row": int(verdict.record),
                    "keep": verdict.keep,
                    "reason": verdict.reason,
                    "score": verdict.score,
                    "evidence": dict(verdict.evidence),
                }
            )

    def _take_up_hits(self, row: int, text: str, hits: Sequence[EvalHit]) -> None:
        for hit in hits:
            found = {"row": row, "eval_row": hit.row}
            if hit.is_leak:
                self.leaks.append({**found, "text": text})
            else:
                self.near.append({**found, "rule": hit.rule, "score": round(hit.score, 4), "text": text})


_FROM_FILE = Provenance(origin="real", source="file")


def _batches(spec: SourceSpec, column: str) -> Iterator[list[Row]]:
    batch: list[Row] = []
    characters = 0
    for row in read_rows(spec):
        batch.append(row)
        characters += sum(map(len, texts_in(row.values[column])))
        if len(batch) == _BATCH_ROWS or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


@dataclass(frozen=True)
class _Staying:
    """The rows of a file without some of them, read anew each time."""

    spec: SourceSpec
    gone: set[int]

    def __iter__(self) -> Iterator[Row]:
        return (row for row in read_rows(self.spec) if row.index not in self.gone)
