"""From a valid recipe to everything a run needs: data read, templates checked, quotas counted.

No request is made here and nothing is written but the files of a split. Every problem of every
part is gathered and raised together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar

from seedbed.core.errors import InputError, Problem, RecipeError
from seedbed.core.field_text import asked_in
from seedbed.core.hashing import short_id
from seedbed.core.protocols import Method, ModelFilter, Task
from seedbed.core.record import Record
from seedbed.core.registry import Registry
from seedbed.generate.personas import text_of_item
from seedbed.prompts.sampling import RowPool
from seedbed.prompts.templates import PromptTemplate, prompt_of, read_template
from seedbed.recipe import (
    ALL_REAL,
    ORDINARY,
    AskedTemplates,
    AxisFile,
    LoadedRecipe,
    Recipe,
    Role,
    check_cover,
    quotas,
    source_of,
)
from seedbed.run.asked_templates import TemplateQuestion, template_of
from seedbed.run.axis_values import Unasked, axes_that_stand, values_by_label
from seedbed.run.filter_checks import filter_problems
from seedbed.run.licensing import check_licence
from seedbed.run.model_filters import build_model_filters, filter_versions
from seedbed.run.planner import EDGE_CASE, PlanSpace, SourceItems
from seedbed.run.pricing import check_price
from seedbed.run.quotas import Quotas
from seedbed.run.real_rows import RealRows, spec_of
from seedbed.run.roles import asked_model, check_role
from seedbed.sources.spec import SourceSpec
from seedbed.store.folder import RunFolder

T = TypeVar("T")


@dataclass(frozen=True)
class BoundRecipe:
    """A recipe with its data: what planning, asking, filtering and proof start from.

    `material` are the items of the sources that methods work on beside real rows. `templates` has the
    steps of methods as `method/step`. `axes` are the values that stand. While `unasked` names an axis,
    `space` and `quotas` reckon with words in the place of its values: enough for a plan to count, and
    never for a request. `library` is the task's own prompt, where a method asks it; the same holds for it
    while `unasked_templates` stand out.
    """

    loaded: LoadedRecipe
    task: Task
    task_variables: Mapping[str, str]
    labels: tuple[str, ...]
    train: tuple[Record, ...]
    dev: tuple[Record, ...]
    material: Mapping[str, tuple[Record, ...]]
    compare: tuple[str, ...]
    real_specs: Mapping[str, SourceSpec]
    eval_spec: SourceSpec | None
    templates: Mapping[str, PromptTemplate]
    methods: Mapping[str, Method]
    axes: Mapping[str, tuple[str, ...]]
    unasked: Mapping[str, Unasked]
    library: PromptTemplate | None
    template_question: TemplateQuestion | None
    unasked_templates: Unasked | None
    space: PlanSpace
    quotas: Quotas
    filter_versions: list[list[Any]]
    model_filters: tuple[ModelFilter, ...]

    @property
    def recipe(self) -> Recipe:
        return self.loaded.recipe

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.loaded.folder / "runs" / self.recipe.name)

    @property
    def rehearsal(self) -> bool:
        return self.recipe.is_rehearsal

    @property
    def ranking(self) -> tuple[str, ...]:
        """The model filters as their verdicts name them."""
        return tuple(f"{each.name}@{each.version}" for each in self.model_filters)

    @property
    def asked_roles(self) -> tuple[str, ...]:
        """The roles that methods ask, and those that write in the teacher's place."""
        asked = [role for method in self.methods.values() for role in method.roles()]
        return tuple(dict.fromkeys([*asked, *self.space.teachers]))

    @property
    def items(self) -> Mapping[str, Record]:
        """Every item of the material, by id."""
        return {item.id: item for items in self.material.values() for item in items}

    def compared_text(self, record: Record) -> str:
        """The text of a record that is held against the eval set."""
        return "\n".join(asked_in(record.fields.get(name, "")) for name in self.compare)

    def signature(self) -> dict[str, str]:
        """Hash by part of everything that decides cells and verdicts; target and budget are no part."""
        recipe, generate, judge = self.recipe, self.recipe.generate, self.recipe.roles.judge
        return {
            "task": short_id(
                "part", [self.task_variables, recipe.task.options.model_dump(), list(self.labels)]
            ),
            "real data": short_id(
                "part",
                [
                    _contents(self.train),
                    _contents(self.dev),
                    *(_contents(self.material[name]) for name in sorted(self.material)),
                ],
            ),
            "templates": short_id("part", {name: t.hash for name, t in self.templates.items()}),
            "generate": short_id(
                "part",
                [
                    {name: list(values) for name, values in self.axes.items()},
                    *(
                        [{name: dict(own) for name, own in self.space.by_label.items()}]
                        if self.space.by_label
                        else []
                    ),
                    {name: dict(weights) for name, weights in self.space.method_templates.items()},
                    [
                        [e.name, self.methods[e.name].version, e.weight, e.options.model_dump()]
                        for e in generate.methods
                    ],
                    list(self.space.temperatures),
                    list(self.space.cover),
                    generate.examples,
                    generate.seed,
                    *([dict(generate.teachers)] if generate.teachers else []),
                    *([[case.name, case.ask] for case in generate.edge_cases]),
                ],
            ),
            "filters": short_id("part", self.filter_versions),
            **{name: self._model(role) for name, role in recipe.roles.bound.items()},
            # A judge that a method asks decides drafts, and not verdicts alone.
            **({"judge of methods": self._model(judge)} if judge and "judge" in self.asked_roles else {}),
        }

    def _model(self, role: Role) -> str:
        asked = asked_model(self.loaded, role)
        return short_id("part", [asked.model, asked.revision, asked.max_tokens])


def _contents(rows: Sequence[Record]) -> list[str]:
    """What the rows are, in an order that their file does not decide: an id may outlive its text."""
    return sorted(short_id("row", [row.id, dict(row.fields)]) for row in rows)


class _Gatherer:
    """Runs steps and keeps their problems, so that a user sees all of them at once."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def attempt(self, step: Callable[[], T]) -> T | None:
        try:
            return step()
        except InputError as error:
            self.problems += error.problems
            return None

    def raise_if_any(self) -> None:
        if self.problems:
            raise RecipeError(list(dict.fromkeys(self.problems)))


def bind(loaded: LoadedRecipe, registry: Registry) -> BoundRecipe:
    """Read the data and check every part against it. Raises RecipeError with all problems."""
    gather = _Gatherer()
    recipe = loaded.recipe
    plugin = registry.tasks.get(recipe.task.kind)
    unlabelled: Task = plugin.bind(recipe.task.options, None)
    real = RealRows(loaded, unlabelled, gather.attempt)
    labels = _labels(loaded, unlabelled, real.train, gather)
    task: Task = plugin.bind(recipe.task.options, labels)
    methods: dict[str, Method] = {
        entry.name: registry.methods.get(entry.name)(entry.options) for entry in recipe.generate.methods
    }
    templates = _templates(loaded, methods, gather)
    # Before what may end the gathering: these look at the recipe alone.
    for name, role in recipe.roles.bound.items():
        gather.attempt(lambda n=name, r=role: check_role(loaded, n, r))  # type: ignore[misc]
        gather.attempt(lambda n=name, r=role: check_licence(loaded, n, r))  # type: ignore[misc]
    for name, paid in recipe.roles.priced.items():
        gather.attempt(lambda n=name, r=paid: check_price(loaded, n, r))  # type: ignore[misc]
    _check_templates(loaded, task, templates, methods, gather)
    variables = _task_variables(recipe, task)
    template_question = _template_question(loaded, task, labels, variables)
    open_templates = None
    if template_question is not None:
        templates, open_templates = _with_standing(templates, template_question)
    _check_student(loaded, registry, gather)
    gather.problems += filter_problems(loaded, registry, task, real.train)
    model_filters = gather.attempt(lambda: build_model_filters(loaded, task, registry)) or ()
    texts_of = partial(_texts_of, unlabelled, real)
    axes, unasked = axes_that_stand(loaded, variables, gather.attempt, texts_of)
    known = {**axes, **{name: tuple(asked.values) for name, asked in unasked.items()}}
    by_label = {
        name: {label: dict.fromkeys(own, 1.0) for label, own in values.items()}
        for name, axis in recipe.generate.axes.items()
        if isinstance(axis, AxisFile)
        and axis.label is not None
        and (values := gather.attempt(lambda n=name, a=axis: values_by_label(loaded, n, a, labels)))  # type: ignore[misc]
    }
    space = _space(loaded, task, labels, templates, methods, real, known, by_label)
    from_data = {
        name: axes[name] for name, axis in recipe.generate.axes.items() if isinstance(axis, AxisFile)
    }
    if task.label_field is not None and labels:
        from_data[task.label_field] = labels
    counted = gather.attempt(lambda: _quotas(loaded, from_data, space))
    gather.raise_if_any()
    assert counted is not None
    return BoundRecipe(
        loaded=loaded,
        task=task,
        task_variables=variables,
        labels=labels,
        train=tuple(real.train),
        dev=tuple(real.dev),
        material={name: tuple(items) for name, items in real.material.items()},
        compare=unlabelled.compare_fields,
        real_specs=real.specs,
        eval_spec=real.eval_spec,
        templates={**templates.questions, **templates.steps},
        methods=methods,
        axes=axes,
        unasked=unasked,
        library=templates.library,
        template_question=template_question,
        unasked_templates=open_templates,
        space=space,
        quotas=counted,
        filter_versions=filter_versions(recipe, registry, model_filters),
        model_filters=model_filters,
    )


def real_and_eval(loaded: LoadedRecipe, registry: Registry) -> tuple[Task, SourceSpec | None]:
    """The task before its labels are known, and the source that is locked as a whole, if there is one."""
    plugin = registry.tasks.get(loaded.recipe.task.kind)
    task: Task = plugin.bind(loaded.recipe.task.options, None)
    for name, source in loaded.recipe.sources.items():
        if source.lock:
            return task, spec_of(name, source, loaded.folder, task)
    return task, None


def _labels(loaded: LoadedRecipe, task: Task, train: Sequence[Record], gather: _Gatherer) -> tuple[str, ...]:
    """Labels as declared, else as the train rows have them, sorted."""
    if task.label_field is None:
        return ()
    declared = loaded.recipe.task.labels
    found = {label for row in train if (label := task.label(row.fields)) is not None}
    if not declared:
        return tuple(sorted(found))
    strange = sorted(found - set(declared))
    if strange:
        message = f"the real data has labels that are not listed: {', '.join(strange)}"
        gather.problems.append(loaded.problem(("task", "labels"), message))
    return tuple(declared)


@dataclass(frozen=True)
class _Templates:
    """`own` are those of `generate.templates`, `library` the task's; None where no method asks it.

    `steps` are prompts of methods, as `method/step`.
    """

    own: Mapping[str, PromptTemplate]
    library: PromptTemplate | None
    steps: Mapping[str, PromptTemplate]

    def of(self, method: Method) -> dict[str, float]:
        """What a method's cells choose from: templates, or its name where it has its own prompts alone."""
        if not method.asks_template:
            return {method.name: 1.0}
        if self.own and method.uses_axes:
            return dict.fromkeys(self.own, 1.0)
        assert self.library is not None, "a method that asks the library's prompt has it"
        return {self.library.name: 1.0}

    @property
    def questions(self) -> dict[str, PromptTemplate]:
        """What cells are asked with."""
        library = {self.library.name: self.library} if self.library is not None else {}
        return library | dict(self.own)


def _templates(loaded: LoadedRecipe, methods: Mapping[str, Method], gather: _Gatherer) -> _Templates:
    library = None
    asking = [method for method in methods.values() if method.asks_template]
    files = loaded.recipe.generate.template_files
    if asking and not (files and all(method.uses_axes for method in asking)):
        library = gather.attempt(lambda: prompt_of(loaded.recipe.task.kind, loaded.folder))
    own: dict[str, PromptTemplate] = {}
    for name in files:
        found = gather.attempt(lambda n=name: read_template(loaded.folder / n, n))  # type: ignore[misc]
        if found is not None:
            own[name] = found
    steps: dict[str, PromptTemplate] = {}
    for method in methods.values():
        for step in method.steps:
            name = f"{method.name}/{step}"
            found = gather.attempt(lambda n=name: prompt_of(n, loaded.folder))  # type: ignore[misc]
            if found is not None:
                steps[name] = found
        for file in method.prompt_files():
            found = gather.attempt(lambda f=file: read_template(loaded.folder / f, f))  # type: ignore[misc]
            if found is not None:
                steps[f"{method.name}/{file}"] = found
    gather.raise_if_any()
    return _Templates(own, library, steps)


def _check_templates(
    loaded: LoadedRecipe,
    task: Task,
    templates: _Templates,
    methods: Mapping[str, Method],
    gather: _Gatherer,
) -> None:
    generate = loaded.recipe.generate
    slots = [*generate.axes, *([task.label_field] if task.label_field else [])]
    questions = templates.questions
    for template in questions.values():
        gather.problems += template.problems(slots)
    for method in methods.values():
        for step, variables in {**method.steps, **method.prompt_files()}.items():
            gather.problems += templates.steps[f"{method.name}/{step}"].problems([*slots, *variables])
    gather.raise_if_any()
    used = list(templates.own.values()) or list(questions.values())
    with_axes = [
        *used,
        *(t for name, t in templates.steps.items() if methods[name.partition("/")[0]].uses_axes),
    ]
    if generate.edge_cases and not all(template.uses(EDGE_CASE) for template in used):
        shown = next(template for template in used if not template.uses(EDGE_CASE))
        message = (
            f"never shows the edge case; write {{{{ {EDGE_CASE} }}}}, which is empty where there is none"
        )
        gather.problems.append(Problem(message, shown.path))
    blind = [name for name, method in methods.items() if not method.uses_axes]
    for axis in generate.cover:
        if blind and axis != task.label_field:
            message = f"the method {blind[0]} uses no axes, so that it cannot cover one; take either out"
            gather.problems.append(loaded.problem(("generate", "cover", axis), message))
    for axis in generate.axes:
        if axis not in task.fields and not any(template.uses(axis) for template in with_axes):
            message = f"no template uses this axis; write {{{{ {axis} }}}} in one, or take the axis out"
            gather.problems.append(loaded.problem(("generate", "axes", axis), message))
    open_fields = [name for name in task.fields if name != task.label_field]
    asked = [name for name in open_fields if name not in generate.axes]
    if task.label_field is not None:
        for template in used:
            if not any(template.uses(name) for name in ("label", task.label_field)):
                message = (
                    f"never shows the label, which the teacher must know; write {{{{ {task.label_field} }}}}"
                )
                gather.problems.append(Problem(message, template.path))
    for name, method in methods.items():
        output = getattr(method.options, "output", "json")
        left = asked if method.uses_axes else open_fields
        if output == "text" and len(left) != 1:
            message = (
                f"`output: text` takes the whole reply as one field, but {len(left)} are asked for "
                f"({', '.join(left)}); use `output: json`, or give an axis the name of a field"
            )
            gather.problems.append(loaded.problem(("generate", "methods", name), message))


def _check_student(loaded: LoadedRecipe, registry: Registry, gather: _Gatherer) -> None:
    """A proof that cannot be made is told before a request is paid for."""
    student = loaded.recipe.student
    if student is None:
        return
    missing = [name for name in registry.students.get(student.name).needs if find_spec(name) is None]
    if missing:
        message = f"needs {', '.join(missing)}: pip install 'seedbed[{student.name}]', or remove student"
        gather.problems.append(loaded.problem(("student",), message))


def _template_question(
    loaded: LoadedRecipe, task: Task, labels: Sequence[str], variables: Mapping[str, str]
) -> TemplateQuestion | None:
    """How templates are asked of the teacher, where the recipe has it write them."""
    asked = loaded.recipe.generate.templates
    if not isinstance(asked, AskedTemplates):
        return None
    slots = [*loaded.recipe.generate.axes, *([task.label_field] if task.label_field else [])]
    model = asked_model(loaded, loaded.recipe.teacher)
    folder = loaded.folder / ".seedbed" / "templates" / loaded.recipe.name
    return TemplateQuestion(asked, tuple(slots), variables, tuple(labels), model, folder)


def _with_standing(templates: _Templates, question: TemplateQuestion) -> tuple[_Templates, Unasked | None]:
    """With the templates that the teacher has given; what must be asked for yet, if any are missing."""
    if templates.library is None:  # reported: no method asks it
        return templates, None
    standing = question.standing()
    found = [template_of(templates.library, text) for text in standing.values[: question.count]]
    missing = Unasked(question, standing) if len(found) < question.count else None
    return replace(templates, own={template.name: template for template in found}), missing


def with_templates(bound: BoundRecipe, texts: Sequence[str]) -> BoundRecipe:
    """The recipe with the templates that were asked for."""
    assert bound.library is not None
    made = {(template := template_of(bound.library, text)).name: template for text in texts}
    chosen = dict.fromkeys(made, 1.0)
    by_method = {
        name: chosen if bound.methods[name].asks_template and bound.methods[name].uses_axes else templates
        for name, templates in bound.space.method_templates.items()
    }
    space = replace(bound.space, method_templates=by_method)
    return replace(bound, templates={**bound.templates, **made}, space=space, unasked_templates=None)


def with_axes(bound: BoundRecipe, values: Mapping[str, Sequence[str]]) -> BoundRecipe:
    """The recipe with the values of the axes that were asked for, and nothing left to ask."""
    axes = {**bound.axes, **{name: tuple(found) for name, found in values.items()}}
    weighed = {name: dict.fromkeys(axes[name], 1.0) for name in values}
    space = replace(bound.space, axes={**bound.space.axes, **weighed})
    counted = _quotas(bound.loaded, {}, space)
    return replace(bound, axes=axes, unasked={}, space=space, quotas=counted)


def _space(
    loaded: LoadedRecipe,
    task: Task,
    labels: Sequence[str],
    templates: _Templates,
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
    sources: dict[str, SourceItems] = {}
    for name, method in methods.items():
        if (source := source_of(method, loaded.recipe.sources)) is not None:
            ids = sorted(item.id for item in _items(source, real))
            sources[name] = SourceItems(ids, once=method.source_once)
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


def _items(source: str, real: RealRows) -> Sequence[Record]:
    """What stands in a source for a method to work on."""
    if source in real.material:
        return real.material[source]
    return [row for row in real.train if source in (ALL_REAL, row.provenance.source)]


def _texts_of(task: Task, real: RealRows, source: str | None) -> dict[str, str]:
    """What the items of a source say, by id; of all real rows where none is named."""
    return {item.id: text_of_item(task, item) for item in _items(source or ALL_REAL, real)}


def _quotas(loaded: LoadedRecipe, from_data: Mapping[str, Sequence[str]], space: PlanSpace) -> Quotas:
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


def _task_variables(recipe: Recipe, task: Task) -> dict[str, str]:
    return {
        "kind": task.kind,
        "description": recipe.task.description or "",
        "label": task.label_field or "",
        "input": task.text_fields[0],
        "answer": task.text_fields[-1],
        **task.prompt_values,
    }


def example_pools(task: Task, train: Sequence[Record]) -> dict[str, list[Mapping[str, Any]]]:
    """Field maps of the train rows by label, and all under ""."""
    pools: dict[str, list[Mapping[str, Any]]] = {"": []}
    for row in train:
        pools[""].append(row.fields)
        if (label := task.label(row.fields)) is not None:
            pools.setdefault(label, []).append(row.fields)
    return pools
