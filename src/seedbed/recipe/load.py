"""From a recipe's file to a recipe, or to everything that is wrong with it."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from seedbed.core.errors import Problem, RecipeError
from seedbed.core.registry import Registry
from seedbed.recipe.budget import Budget
from seedbed.recipe.checks import Declared, check
from seedbed.recipe.cover import contradictions
from seedbed.recipe.document import ANY_ITEM, Entry, KeyPath, Place
from seedbed.recipe.export import read_export
from seedbed.recipe.extends import EXTENDS, RECIPE_FILE, difference, read_tree
from seedbed.recipe.filters import read_filters
from seedbed.recipe.findings import Findings
from seedbed.recipe.generate import read_generate
from seedbed.recipe.judges import asks_a_model, check_judges, roles_of_filters
from seedbed.recipe.method_needs import check_methods, roles_asked
from seedbed.recipe.mix import Mix
from seedbed.recipe.overrides import apply_overrides
from seedbed.recipe.recipe import Header, Recipe
from seedbed.recipe.roles import read_roles
from seedbed.recipe.section import Reading
from seedbed.recipe.sources import read_sources
from seedbed.recipe.student import check_roles, options_of_student, read_student, roles_of_student
from seedbed.recipe.task import read_task

# Labels and slot values are text, spelt as they stand: `012`, `1.10` and `true` too.
_AS_WRITTEN: tuple[KeyPath, ...] = (("task", "labels", "*"), ("generate", "axes", "*", ANY_ITEM))


@dataclass(frozen=True)
class LoadedRecipe:
    """A valid recipe and where each of its keys stands."""

    recipe: Recipe
    path: Path
    folder: Path
    _root: Entry = field(repr=False)

    def resolve(self, path: str) -> Path:
        """A path of the recipe (source, template, recording) as seen from here."""
        return self.folder / path

    def written(self, key: str) -> Any:
        """What stands under a key of the recipe, as plain values; None where it is not written."""
        entry = self._root.child(key)
        return entry.plain() if entry is not None else None

    def overridden(self) -> dict[str, Any]:
        """What overrides changed of the file, as the plain values of a recipe that extends it.

        A key that they took away has None.
        """
        as_it_stands, _ = read_tree(self.path)
        changed: dict[str, Any] = difference(as_it_stands, self._root).plain(_AS_WRITTEN)
        return changed

    def problem(self, keys: Sequence[str | int], message: str) -> Problem:
        """A problem at the place of a key or of its nearest ancestor, for whoever finds one later."""
        return self._root.place_of(keys).problem(message, keys)


def load_recipe(
    path: Path,
    registry: Registry,
    overrides: Sequence[str] = (),
    env: Mapping[str, str] = os.environ,
    *,
    default_filters: Sequence[str],
) -> LoadedRecipe:
    """Read and validate a recipe as a whole; `path` is its folder or its file.

    `overrides` are `a.b=c` with a YAML value; `default_filters` is what `filters: default` means.
    Raises RecipeError with every problem, at its file and line.
    """
    file = path / RECIPE_FILE if path.is_dir() else path
    root, problems = read_tree(file)
    problems += apply_overrides(root, overrides)
    raw = root.plain(_AS_WRITTEN)
    if not isinstance(raw, dict):
        what = "is empty" if raw is None else "must be a map of keys and values"
        raise RecipeError([*problems, Place(str(file)).problem(f"the recipe {what}; it needs name and task")])

    findings = Findings(root, problems)
    reading = Reading(findings, registry, file.parent, env, default_filters)
    recipe = _read_sections(raw, reading)
    if found := findings.problems():
        raise RecipeError(found)
    assert recipe is not None, "a recipe that cannot be built has a problem to tell"
    return LoadedRecipe(recipe, file, file.parent, root)


def check_cover(loaded: LoadedRecipe, values_of: Mapping[str, Sequence[str]]) -> list[Problem]:
    """What is wrong with the cover of the fields whose values the recipe itself does not list.

    `values_of` are the labels, or an axis's values, as they are read from the data.
    """
    generate = loaded.recipe.generate
    return [
        loaded.problem(("generate", "cover", name, *([value] if value is not None else [])), message)
        for name, entry in generate.cover.items()
        if name in values_of
        for value, message in contradictions(entry, values_of[name], generate.target)
    ]


def _read_sections(raw: dict[str, Any], reading: Reading) -> Recipe | None:
    findings = reading.findings
    read_of_task = read_task(raw.get("task"), reading)
    section = read_of_task.section if read_of_task is not None else None
    task = read_of_task.bound if read_of_task is not None else None
    mix = findings.model(Mix, raw["mix"], ("mix",)) if raw.get("mix") is not None else None
    roles = read_roles(raw.get("roles"), reading)
    generate = read_generate(raw.get("generate"), reading, task)
    asked = roles_asked(generate, reading.registry)
    # A role that has the name of a filter, and that no method asks, is there for that filter: `judge` ranks
    # what the others keep, `guard` reads it.
    bound = roles.bound if roles is not None else {}
    of_filters = [name for name in bound if asks_a_model(name, reading.registry)]
    default = (*reading.default_filters, *(name for name in of_filters if name not in asked))
    reading = replace(reading, default_filters=default)
    filters = read_filters(raw.get("filters"), reading)
    asked_by_filters = roles_of_filters(filters, reading.registry)
    sections: dict[str, Any] = {
        "task": section,
        "sources": read_sources(raw.get("sources"), reading, task),
        "roles": roles,
        "generate": generate,
        "filters": filters,
        "mix": mix,
        "student": read_student(raw.get("student"), reading),
        "budget": findings.model(Budget, raw.get("budget"), ("budget",)),
        "export": read_export(raw.get("export"), reading),
    }
    declared = Declared(
        section,
        task,
        sections["sources"],
        generate,
        mix,
        sections["student"],
        options_of_student(raw.get("student"), reading.registry.students),
        sections["export"],
    )
    check(declared, findings, reading.registry)
    written = raw.get("generate")
    check_methods(
        generate,
        task,
        sections["sources"],
        roles,
        {*asked, *asked_by_filters.values(), *of_filters, *roles_of_student(sections["student"])},
        written.get("methods") if isinstance(written, dict) else None,
        findings,
        reading.registry,
    )
    if sections["student"] is not None and roles is not None:
        check_roles(sections["student"], roles, findings)
    check_judges(
        roles,
        filters,
        asked_by_filters,
        asked,
        generate,
        raw.get("filters"),
        findings,
        reading.registry,
        compares_arms=sections["student"] is not None and task is not None and task.label_field is None,
    )
    for key in [key for key in raw if key not in Recipe.model_fields]:
        if key == EXTENDS:
            findings.add((key,), "is read before --set is; write it into the recipe's file")
        else:
            findings.unknown_key((key,), (*Recipe.model_fields, EXTENDS))
    own = {key: raw[key] for key in Header.model_fields if key in raw}
    header = findings.model(Header, own, ())
    if header is None or findings.problems():
        return None
    return Recipe(**dict(header), **{key: value for key, value in sections.items() if value is not None})
