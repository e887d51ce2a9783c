"""Which filters look through a file: the default ones or a recipe's, and those that are asked for by name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seedbed.core.errors import InputError, Problem
from seedbed.core.protocols import CorpusFilter, FilterContext, RecordFilter, Task
from seedbed.core.record import Provenance, Record
from seedbed.filters import DEFAULT_FILTERS, FILTERS
from seedbed.recipe.document import Entry, Place, parse
from seedbed.recipe.filters import FilterEntry, read_filters
from seedbed.recipe.findings import Findings
from seedbed.recipe.section import Reading
from seedbed.run.filter_checks import problems_of
from seedbed.run.filtering import FilterSet
from seedbed.run.registry import registry
from seedbed.tasks.fields import BoundTask

if TYPE_CHECKING:
    from seedbed.run.binding import BoundRecipe


# Nobody expects them of a file alone: it has no schema, and its leaks are found in their own way.
_OF_RECIPES = ("schema", "contamination")


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
class AuditFilters:
    """Built filters, the task that they see the rows by, and why others are not run, by name."""

    task: Task
    filters: FilterSet
    not_run: Mapping[str, str]


def filters_named(expressions: Sequence[str]) -> tuple[FilterEntry, ...]:
    """Filters by name (`pii`) or with options (`{language: {languages: [en]}}`). Raises InputError."""
    parsed = [parse(expression, f"--filter {expression}", lines=False) for expression in expressions]
    problems = [problem for _, found in parsed for problem in found]
    place = Place("--filter")
    items = Entry([entry for entry, _ in parsed], place)
    findings = Findings(Entry({"filters": items}, place), problems)
    # An empty list of filters would be the default ones.
    entries: tuple[FilterEntry, ...] = ()
    if expressions and not problems:
        entries = read_filters(items.plain(), Reading(findings, registry(), Path.cwd(), {}, ()))
    if found := findings.problems():
        raise InputError(found)
    return entries


def audit_filters(
    column: str,
    columns: Sequence[str],
    sample: Sequence[Mapping[str, Any]],
    asked: Sequence[FilterEntry],
    recipe: BoundRecipe | None,
) -> AuditFilters:
    """The recipe's filters or the default ones, with those `asked` for in their place or after them.

    A recipe's task reads the rows where the file has its fields, else the one column is all that is looked
    at. `sample` are rows `{column: text}` that filters are calibrated on where no recipe has real ones.
    Raises InputError where one that was asked for cannot work on the file.
    """
    task = _task(column, columns, recipe)
    base = {entry.name: entry for entry in (recipe.recipe.filters if recipe is not None else _default())}
    named = {entry.name for entry in asked}
    entries = base | {entry.name: entry for entry in asked}
    context = _context(task, sample, recipe)
    record: list[RecordFilter] = []
    corpus: list[CorpusFilter] = []
    not_run: dict[str, str] = {}
    for name, entry in entries.items():
        plugin = FILTERS.get(name)
        if (reason := next(_against(plugin, entry, context), None)) is not None:
            not_run[name] = reason
        elif plugin.kind == "record":
            record.append(plugin.build(entry.options, context))
        else:
            corpus.append(plugin.build(entry.options, context))
    if refused := [name for name in not_run if name in named]:
        raise InputError(
            [
                Problem(f"{name} cannot look through this file: {not_run[name]}", "--filter")
                for name in refused
            ]
        )
    return AuditFilters(task, FilterSet(tuple(record), tuple(corpus)), not_run)


def _default() -> list[FilterEntry]:
    names = [name for name in DEFAULT_FILTERS if name not in _OF_RECIPES]
    return [FilterEntry(name=name, options=FILTERS.get(name).Options()) for name in names]


def _task(column: str, columns: Sequence[str], recipe: BoundRecipe | None) -> Task:
    if recipe is not None and set(columns) >= set(recipe.task.text_fields):
        return recipe.task
    return ColumnTask.of(column)


def _context(task: Task, sample: Sequence[Mapping[str, Any]], recipe: BoundRecipe | None) -> FilterContext:
    if recipe is None or task is not recipe.task:
        provenance = Provenance(origin="real", source="file")
        real = [Record(f"sample-{at}", row, provenance) for at, row in enumerate(sample)]
        texts = [text for row in sample if (text := task.as_text(row)).strip()]
        return FilterContext(task, texts or None, real=real)
    from seedbed.run.built_filters import calibration_rows  # with all that embeds, which no other audit wants

    texts = [task.as_text(row.fields) for row in calibration_rows(recipe)]
    return FilterContext(task, texts or None, compare=recipe.compare, real=recipe.train)


def _against(plugin: Any, entry: FilterEntry, context: FilterContext) -> Iterator[str]:
    """Why a filter is not run over a file."""
    if plugin.kind == "model":
        yield "it asks a model, which an audit does not"
    if plugin.name == "contamination":
        yield "an audit finds leaks with --against"
    if plugin.name == "schema" and isinstance(context.task, ColumnTask):
        yield "a file has no schema without a recipe whose fields it has"
    for path, message in problems_of(plugin, entry.options, context.task, context.real, False):
        yield ": ".join([*([".".join(map(str, path))] if path else []), message])
