"""What a recipe's cells can be made of, and how many records of what it wants."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from seedbed.core.errors import RecipeError
from seedbed.core.protocols import Method, Task
from seedbed.core.record import Record
from seedbed.prompts.sampling import RowPool
from seedbed.recipe import ALL_REAL, DOCUMENT, ORDINARY, LoadedRecipe, check_cover, quotas, source_of
from seedbed.run.bound_templates import Templates
from seedbed.run.planner import EDGE_CASE, PlanSpace, SourceItems
from seedbed.run.quotas import Quotas
from seedbed.run.real_rows import RealRows


def plan_space(
    loaded: LoadedRecipe,
    task: Task,
    labels: Sequence[str],
    templates: Templates,
    methods: Mapping[str, Method],
    real: RealRows,
    values: Mapping[str, Sequence[str]],
    by_label: Mapping[str, Mapping[str, Mapping[str, float]]],
) -> PlanSpace:
    generate = loaded.recipe.generate
    cover = list(dict.fromkeys([*([task.label_field] if task.label_field else []), *generate.cover]))
    axes = {name: dict.fromkeys(values[name], 1.0) for name in generate.axes}
    if generate.edge_cases:
        cover.append(EDGE_CASE)
        axes[EDGE_CASE] = dict.fromkeys([*(case.name for case in generate.edge_cases), ORDINARY], 1.0)
    if task.label_field:
        axes[task.label_field] = dict.fromkeys(labels, 1.0)
    rows_of: dict[str, list[str]] = {"": []}
    for row in real.train:
        rows_of[""].append(row.id)
        if (label := task.label(row.fields)) is not None:
            rows_of.setdefault(label, []).append(row.id)
    by_document = DOCUMENT in generate.cover
    sources: dict[str, SourceItems] = {}
    for name, method in methods.items():
        if (source := source_of(method, loaded.recipe.sources)) is not None:
            items = items_of(source, real)
            documents = {item.id: str(item.fields.get(DOCUMENT, "")) for item in items} if by_document else {}
            ids = sorted(item.id for item in items)
            sources[name] = SourceItems(ids, once=method.source_once, documents=documents)
    if by_document:
        axes[DOCUMENT] = dict.fromkeys(documents_of(real), 1.0)
    return PlanSpace(
        seed=generate.seed,
        cover=tuple(cover),
        axes=axes,
        temperatures=tuple(generate.temperature),
        methods={entry.name: entry.weight for entry in generate.methods},
        method_templates={name: templates.of(method) for name, method in methods.items()},
        axis_blind=frozenset(name for name, method in methods.items() if not method.uses_axes),
        label_field=task.label_field,
        pools={label: RowPool(sorted(ids)) for label, ids in rows_of.items()},
        examples=generate.examples,
        method_examples={
            name: shown for name, method in methods.items() if (shown := method.examples()) is not None
        },
        sources=sources,
        open_label=frozenset(name for name, method in methods.items() if method.open_label),
        teachers=dict(generate.teachers),
        by_label=by_label,
    )


def documents_of(real: RealRows) -> tuple[str, ...]:
    """The documents of all sources that are cut into chunks, in the order of their names."""
    chunks = (item for items in real.material.values() for item in items)
    return tuple(sorted({str(item.fields[DOCUMENT]) for item in chunks if DOCUMENT in item.fields}))


def items_of(source: str, real: RealRows) -> Sequence[Record]:
    """What stands in a source for a method to work on."""
    if source in real.material:
        return real.material[source]
    return [row for row in real.train if source in (ALL_REAL, row.provenance.source)]


def quotas_of(loaded: LoadedRecipe, from_data: Mapping[str, Sequence[str]], space: PlanSpace) -> Quotas:
    generate = loaded.recipe.generate
    if problems := check_cover(loaded, from_data):
        raise RecipeError(problems)
    by_field = {
        name: quotas(generate.cover.get(name, "even"), list(space.axes[name]), generate.target)
        for name in space.cover
        if name != EDGE_CASE
    }
    if generate.edge_cases:
        wanted = {case.name: case.count for case in generate.edge_cases}
        by_field[EDGE_CASE] = {**wanted, ORDINARY: generate.target - sum(wanted.values())}
    return Quotas(generate.target, by_field)
