"""Prompts as a bound recipe makes them, and a trial of every template before a run begins."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from itertools import product

from seedbed.core.cell import Cell
from seedbed.core.chat import ChatRequest, LoggedReply, Message, prompt_characters
from seedbed.core.errors import Problem, TemplateError
from seedbed.core.record import Provenance, Record
from seedbed.run.asking import AskingSpace, BoundRole, CellAsking
from seedbed.run.binding import BoundRecipe, example_pools
from seedbed.run.content_asking import RecordAsking, content_space
from seedbed.run.planner import Combination
from seedbed.run.roles import asked_model
from seedbed.run.trials import Trials


def asking_space(
    bound: BoundRecipe, roles: Mapping[str, BoundRole], trials: Trials | None = None
) -> AskingSpace:
    return AskingSpace(
        recipe=bound.recipe.name,
        asker=bound.recipe.asker,
        seed=bound.recipe.generate.seed,
        task=bound.task,
        task_variables=bound.task_variables,
        labels=bound.labels,
        templates=bound.templates,
        real={row.id: row for row in bound.train},
        example_pools=example_pools(bound.task, bound.train),
        roles=roles,
        items=bound.items,
        edge_cases={case.name: case.ask for case in bound.recipe.generate.edge_cases},
        versions={name: method.version for name, method in bound.methods.items()},
        trials=trials,
    )


class _Rendered(Exception):
    """A question was made, and is not asked."""


class _NoExecutor:
    """For prompts that are only looked at. `longest` is the longest of them."""

    def __init__(self) -> None:
        self.longest: tuple[Message, ...] = ()

    async def fill(self, request: ChatRequest, scope: bytes, n: int) -> tuple[LoggedReply, ...]:
        if request.raw is None:  # doctor would ask it in a chat
            self.longest = max(self.longest, request.messages, key=prompt_characters)
        raise _Rendered


def _roles_unasked(bound: BoundRecipe, executors: Mapping[str, _NoExecutor]) -> dict[str, BoundRole]:
    roles = {}
    for name, role in bound.recipe.roles.bound.items():
        asked = asked_model(bound.loaded, role)
        roles[name] = BoundRole(asked.model, asked.revision, asked.max_tokens, executors[name])
    return roles


def longest_prompts(bound: BoundRecipe, cells: Sequence[Cell]) -> dict[str, tuple[Message, ...]]:
    """By role the longest first question: of these cells, and for a judge about the longest real row."""
    nobody = {name: _NoExecutor() for name in bound.recipe.roles.bound}
    roles = _roles_unasked(bound, nobody)
    space = asking_space(bound, roles)
    for cell in cells:
        with suppress(_Rendered):
            bound.methods[cell.method](cell, CellAsking(cell, space)).send(None)
    fields = max((row.fields for row in bound.train), key=lambda f: len(str(f)), default={})
    sample = Record("sample", fields, Provenance("generated", bound.recipe.name))
    content = content_space(bound.task_variables, bound.labels, bound.task.fields, roles)
    for each in bound.model_filters:
        with suppress(_Rendered, StopIteration):
            each.check(sample, RecordAsking(content, each, sample)).send(None)
    return {name: executor.longest for name, executor in nobody.items() if executor.longest}


def check_rendering(bound: BoundRecipe) -> None:
    """Let each method come to its first question with every template and for every label.

    Raises TemplateError with each template that does not render.
    """
    roles = _roles_unasked(bound, {name: _NoExecutor() for name in bound.recipe.roles.bound})
    space = asking_space(bound, roles)
    problems: list[Problem] = []
    for name, templates in bound.space.method_templates.items():
        method = bound.methods[name]
        firsts = bound.space.first_values(name)
        combinations: list[Combination] = [firsts]
        if method.open_label:
            combinations = [None]
        elif bound.task.label_field is not None:
            combinations = [(label, *firsts[1:]) for label in bound.labels]
        for template, combination in product(templates, combinations):
            cell = replace(bound.space.cell(name, combination, 0, Counter()), template=template)
            try:
                method(cell, CellAsking(cell, space)).send(None)
            except (_Rendered, StopIteration):
                continue
            except TemplateError as error:
                problems += error.problems
    problems += _of_model_filters(bound, roles)
    if problems:
        raise TemplateError(list(dict.fromkeys(problems)))


def _of_model_filters(bound: BoundRecipe, roles: Mapping[str, BoundRole]) -> list[Problem]:
    """Let each model filter come to its first question, if it asks any, about an empty record."""
    space = content_space(bound.task_variables, bound.labels, bound.task.fields, roles)
    sample = Record(
        "sample", dict.fromkeys(bound.task.fields, ""), Provenance("generated", bound.recipe.name)
    )
    problems: list[Problem] = []
    for each in bound.model_filters:
        try:
            each.check(sample, RecordAsking(space, each, sample)).send(None)
        except (_Rendered, StopIteration):
            continue
        except TemplateError as error:
            problems += error.problems
    return problems
