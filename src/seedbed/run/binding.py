"""From a valid recipe to everything a run needs: data read, templates checked, quotas counted.

No request is made here and nothing is written but the files of a split and the key of redacted data.
Every problem of every part is gathered and raised together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from importlib.util import find_spec
from typing import Any, TypeVar

from seedbed.core.field_text import asked_in
from seedbed.core.hashing import short_id
from seedbed.core.protocols import Method, ModelFilter, Task
from seedbed.core.record import Record
from seedbed.core.registry import Registry
from seedbed.generate.personas import text_of_item
from seedbed.prompts.templates import PromptTemplate
from seedbed.recipe import (
    ALL_REAL,
    DOCUMENT,
    AxisFile,
    LoadedRecipe,
    Recipe,
    options_of_student,
)
from seedbed.review.calibration import Comparison
from seedbed.run.asked_templates import TemplateQuestion, template_of
from seedbed.run.axis_values import Unasked, axes_that_stand, values_by_label
from seedbed.run.bound_templates import (
    check_templates,
    template_question_of,
    templates_of,
    with_standing,
)
from seedbed.run.filter_checks import filter_problems
from seedbed.run.gathering import Gatherer
from seedbed.run.licensing import check_licence, writing_roles
from seedbed.run.model_filters import ModelFilters, build_model_filters, filter_versions
from seedbed.run.plan_space import documents_of, items_of, plan_space, quotas_of
from seedbed.run.planner import PlanSpace
from seedbed.run.pricing import check_price
from seedbed.run.quotas import Quotas
from seedbed.run.real_rows import RealRows, passages_in, spec_of
from seedbed.run.roles import asked_model, check_role
from seedbed.run.slices import slice_problems
from seedbed.run.student_prompt import prompt_problems
from seedbed.sources.spec import SourceSpec
from seedbed.store.folder import RunFolder
from seedbed.student.protocol import absent

T = TypeVar("T")


@dataclass(frozen=True)
class BoundRecipe:
    """A recipe with its data: what planning, asking, filtering and proof start from.

    `material` are the items of the sources that methods work on beside real rows. `templates` has the
    steps of methods as `method/step`. `axes` are the values that stand. While `unasked` names an axis,
    `space` and `quotas` reckon with words in the place of its values: enough for a plan to count, and
    never for a request. `library` is the task's own prompt, where a method asks it; the same holds for it
    while `unasked_templates` stand out. `compared` are the judges that have a calibration, by filter;
    `redacted` is what was replaced in each redacted source, by kind.
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
    compared: Mapping[str, Comparison]
    redacted: Mapping[str, Mapping[str, int]]

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
        recipe, generate = self.recipe, self.recipe.generate
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
            # Who answers a filter alone is a part of what filters say.
            **{
                name: asked_model(self.loaded, role).hash
                for name, role in recipe.roles.bound.items()
                if name == "teacher" or name in self.asked_roles
            },
        }


def _contents(rows: Sequence[Record]) -> list[str]:
    """What the rows are, in an order that their file does not decide: an id may outlive its text."""
    return sorted(short_id("row", [row.id, dict(row.fields)]) for row in rows)


def bind(loaded: LoadedRecipe, registry: Registry, *, calibrated: bool = True) -> BoundRecipe:
    """Read the data and check every part against it. Raises RecipeError with all problems.

    Unless `calibrated`, judges are bound as they are before anybody compares them with people.
    """
    gather = Gatherer()
    recipe = loaded.recipe
    plugin = registry.tasks.get(recipe.task.kind)
    unlabelled: Task = plugin.bind(recipe.task.options, None)
    real = RealRows(loaded, unlabelled, gather.attempt)
    labels = _labels(loaded, unlabelled, real.train, gather)
    task: Task = plugin.bind(recipe.task.options, labels)
    methods: dict[str, Method] = {
        entry.name: registry.methods.get(entry.name)(entry.options) for entry in recipe.generate.methods
    }
    # Before what may end the gathering: these look at the recipe alone.
    for name, role in recipe.roles.bound.items():
        gather.attempt(lambda n=name, r=role: check_role(loaded, n, r))  # type: ignore[misc]
    for name, role in writing_roles(recipe).items():
        gather.attempt(lambda n=name, r=role: check_licence(loaded, n, r))  # type: ignore[misc]
    for name, paid in recipe.roles.priced.items():
        gather.attempt(lambda n=name, r=paid: check_price(loaded, n, r))  # type: ignore[misc]
    templates = templates_of(loaded, methods, gather)
    check_templates(loaded, task, templates, methods, gather)
    variables = _task_variables(recipe, task)
    template_question = template_question_of(loaded, task, labels, variables)
    open_templates = None
    if template_question is not None:
        templates, open_templates = with_standing(templates, template_question)
    _check_student(loaded, registry, gather)
    gather.problems += filter_problems(loaded, registry, task, real.train)
    gather.problems += slice_problems(loaded, task, labels, real.train, real.dev)
    documents = passages_in(real.material)
    build_judges = partial(build_model_filters, loaded, task, variables, labels, registry, documents)
    model_filters = gather.attempt(partial(build_judges, calibrated=calibrated)) or ModelFilters()
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
    space = plan_space(loaded, task, labels, templates, methods, real, known, by_label)
    from_data = {
        name: axes[name] for name, axis in recipe.generate.axes.items() if isinstance(axis, AxisFile)
    }
    if task.label_field is not None and labels:
        from_data[task.label_field] = labels
    if DOCUMENT in recipe.generate.cover:
        from_data[DOCUMENT] = documents_of(real)
    counted = gather.attempt(lambda: quotas_of(loaded, from_data, space))
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
        filter_versions=filter_versions(loaded, registry, model_filters),
        model_filters=model_filters.filters,
        compared=model_filters.compared,
        redacted={name: dict(counts) for name, counts in real.redacted.items()},
    )


def real_and_eval(loaded: LoadedRecipe, registry: Registry) -> tuple[Task, SourceSpec | None]:
    """The task before its labels are known, and the source that is locked as a whole, if there is one.

    It is to be looked at alone: redacted it is only once the other sources are known to be sound.
    """
    plugin = registry.tasks.get(loaded.recipe.task.kind)
    task: Task = plugin.bind(loaded.recipe.task.options, None)
    for name, source in loaded.recipe.sources.items():
        if source.lock:
            return task, replace(spec_of(name, loaded, task), redaction=None)
    return task, None


def _labels(loaded: LoadedRecipe, task: Task, train: Sequence[Record], gather: Gatherer) -> tuple[str, ...]:
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


def _check_student(loaded: LoadedRecipe, registry: Registry, gather: Gatherer) -> None:
    """A proof that cannot be made is told before a request is paid for."""
    student = loaded.recipe.student
    if student is None:
        return
    missing = [name for name in registry.students.get(student.name).needs if find_spec(name) is None]
    if missing:
        message = f"needs {', '.join(missing)}: pip install 'seedbed[{student.name}]', or remove student"
        gather.problems.append(loaded.problem(("student",), message))
    options = options_of_student(loaded.written("student"), registry.students)
    for key, message in absent(registry.students.get(student.name)(student.options), loaded.folder):
        gather.problems.append(loaded.problem((*options, *key), message))
    gather.problems += prompt_problems(loaded)


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
    counted = quotas_of(bound.loaded, {}, space)
    return replace(bound, axes=axes, unasked={}, space=space, quotas=counted)


def _texts_of(task: Task, real: RealRows, source: str | None) -> dict[str, str]:
    """What the items of a source say, by id; of all real rows where none is named."""
    return {item.id: text_of_item(task, item) for item in items_of(source or ALL_REAL, real)}


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
