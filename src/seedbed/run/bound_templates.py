"""The templates of a recipe: its own, the library's, those that the teacher wrote, and steps of methods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from seedbed.core.errors import Problem
from seedbed.core.protocols import Method, Task
from seedbed.prompts.templates import PromptTemplate, prompt_of, read_template
from seedbed.recipe import DOCUMENT, AskedTemplates, LoadedRecipe, source_of
from seedbed.run.asked_templates import TemplateQuestion, template_of
from seedbed.run.axis_values import Unasked
from seedbed.run.gathering import Gatherer
from seedbed.run.planner import EDGE_CASE
from seedbed.run.roles import asked_model


@dataclass(frozen=True)
class Templates:
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


def templates_of(loaded: LoadedRecipe, methods: Mapping[str, Method], gather: Gatherer) -> Templates:
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
    return Templates(own, library, steps)


def check_templates(
    loaded: LoadedRecipe,
    task: Task,
    templates: Templates,
    methods: Mapping[str, Method],
    gather: Gatherer,
) -> None:
    generate = loaded.recipe.generate
    documents = [name for name, source in loaded.recipe.sources.items() if source.chunk is not None]
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
    for name, method in methods.items():
        if DOCUMENT in generate.cover and source_of(method, loaded.recipe.sources) not in documents:
            message = f"the method {name} works on no documents and cannot cover them; take either out"
            gather.problems.append(loaded.problem(("generate", "cover", DOCUMENT), message))
    blind = [name for name, method in methods.items() if not method.uses_axes]
    for axis in generate.cover:
        if blind and axis not in (task.label_field, DOCUMENT):
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


def template_question_of(
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


def with_standing(templates: Templates, question: TemplateQuestion) -> tuple[Templates, Unasked | None]:
    """With the templates that the teacher has given; what must be asked for yet, if any are missing."""
    if templates.library is None:  # reported: no method asks it
        return templates, None
    standing = question.standing()
    found = [template_of(templates.library, text) for text in standing.values[: question.count]]
    missing = Unasked(question, standing) if len(found) < question.count else None
    return replace(templates, own={template.name: template for template in found}), missing
