"""What methods need of the rest of the recipe: a task that suits them, a source, and roles that answer."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from seedbed.core.protocols import Method, SourceKind, Task
from seedbed.core.registry import Registry
from seedbed.recipe.document import KeyPath
from seedbed.recipe.findings import Findings
from seedbed.recipe.generate import Generate
from seedbed.recipe.roles import RehearsalRole, Roles
from seedbed.recipe.sources import Source
from seedbed.recipe.words import meant

# Stands for all real rows together, whichever source they are from.
ALL_REAL = ""

_WHAT: Mapping[SourceKind, str] = {
    "documents": "documents (`chunk: {tokens: 400}`)",
    "unlabelled": "rows without label or answer (`unlabelled: true`)",
    "real": "real rows",
}


class NoSource(ValueError):
    """A method has no source to work on; the message says what to write."""


def kind_of(source: Source) -> SourceKind | None:
    """What a source is to a method; None for the locked eval, which is nothing to it."""
    if source.lock:
        return None
    if source.chunk is not None:
        return "documents"
    return "unlabelled" if source.unlabelled else "real"


def source_of(method: Method, sources: Mapping[str, Source]) -> str | None:
    """The source that a method works on: as its option names it, else the only one of the kind that suits
    it best. ALL_REAL for real rows that it need not name, None where it works on none.

    Raises NoSource.
    """
    wanted = method.source()
    if wanted is None:
        return None
    fitting = " or ".join(_WHAT[kind] for kind in method.source_kinds)
    if wanted:
        if wanted not in sources:
            raise NoSource(f"no source is called '{wanted}'; {meant(wanted, list(sources), 'add it')}")
        if kind_of(sources[wanted]) not in method.source_kinds:
            raise NoSource(f"works on {fitting}, which the source '{wanted}' is not; name another")
        return wanted
    for kind in method.source_kinds:
        found = [name for name, source in sources.items() if kind_of(source) == kind]
        if found and kind == "real":
            return ALL_REAL
        if len(found) > 1:
            raise NoSource(
                f"could work on any of {', '.join(found)}; write which: {method.source_option}: {found[0]}"
            )
        if found:
            return found[0]
    raise NoSource(f"works on {fitting}, and there is no such source; add one under sources")


def roles_asked(generate: Generate | None, registry: Registry) -> set[str]:
    """The roles that the methods of a recipe ask."""
    entries = generate.methods if generate is not None else ()
    return {role for entry in entries for role in registry.methods.get(entry.name)(entry.options).roles()}


def check_methods(
    generate: Generate | None,
    task: Task | None,
    sources: Mapping[str, Source],
    roles: Roles | None,
    asked: Collection[str],
    raw: Any,
    findings: Findings,
    registry: Registry,
) -> None:
    """Report what methods lack, and roles that nobody asks.

    `asked` are the roles that somebody asks, `raw` is `generate.methods` as it was written.
    """
    if generate is not None and roles is not None:
        for name in generate.teachers:
            _check_role(
                f"generate.teachers names the role {name}",
                name,
                roles,
                ("generate", "teachers", name),
                findings,
            )
    for entry in generate.methods if generate is not None else ():
        method: Method = registry.methods.get(entry.name)(entry.options)
        path = place_of_method(raw, entry.name)
        if findings.touch(path):
            continue
        if task is not None and not findings.touch(("task",)):
            _check_task(method, task, path, findings)
        if generate is not None:
            _check_axes(method, generate, path, findings)
        if not findings.touch(("sources",)):
            try:
                source_of(method, sources)
            except NoSource as error:
                option = method.source_option
                where = (*path, option) if getattr(method.options, option, None) else path
                findings.add(where, f"the method {entry.name} {error}" if where == path else str(error))
            if method.examples() and not any(kind_of(source) == "real" for source in sources.values()):
                findings.add(path, f"the method {entry.name} learns from real rows, and no source has any")
        if roles is not None:
            _check_roles(method, roles, path, findings)
    if generate is not None and roles is not None:
        known = {"teacher", "judge", "embedder", *asked, *generate.teachers}
        for name in roles.others:
            if name not in known and not findings.touch(("roles", name), ("generate", "methods")):
                findings.unknown_key(("roles", name), sorted(known))


def _check_axes(method: Method, generate: Generate, path: KeyPath, findings: Findings) -> None:
    for name, value in method.axis_values().items():
        if findings.touch(("generate", "axes", name)):
            continue
        axis = generate.axes.get(name)
        if axis is None:
            add = f"add axes: {{{name}: [{value}, …]}}"
            findings.add(path, f"no axis is called '{name}'; {meant(name, list(generate.axes), add)}")
        elif isinstance(axis, tuple) and value not in axis:
            findings.add(path, f"the axis {name} has no value '{value}'; {meant(value, axis, 'add it')}")


def _check_task(method: Method, task: Task, path: KeyPath, findings: Findings) -> None:
    if method.tasks and task.kind not in method.tasks:
        kinds = ", ".join(method.tasks)
        findings.add(path, f"the method {method.name} is for tasks of kind {kinds}, and this is {task.kind}")
        return
    for below, message in method.problems(task):
        findings.add((*path, *below), message)


def _check_roles(method: Method, roles: Roles, path: KeyPath, findings: Findings) -> None:
    for name in method.roles():
        _check_role(f"the method {method.name} asks the role {name}", name, roles, path, findings)


def _check_role(who: str, name: str, roles: Roles, path: KeyPath, findings: Findings) -> None:
    role = roles.bound.get(name)
    if role is None:
        if not findings.touch(("roles", name)):
            findings.add(
                path,
                f"{who}, which the recipe does not fill; write roles: {{{name}: {{model: …, endpoint: …}}}}",
            )
    elif isinstance(role, RehearsalRole) != isinstance(roles.teacher, RehearsalRole):
        which, other = (name, "teacher") if isinstance(role, RehearsalRole) else ("teacher", name)
        findings.add(
            ("roles", which),
            f"this role rehearses and the {other} does not; let both rehearse, or neither",
        )


def place_of_method(raw: Any, name: str) -> KeyPath:
    """Where a method stands in the section as it was written: a name, a map, or a list of both."""
    path: KeyPath = ("generate", "methods")
    if isinstance(raw, dict):
        return (*path, name)
    for at, item in enumerate(raw if isinstance(raw, Sequence) and not isinstance(raw, str) else ()):
        if item == name:
            return (*path, at)
        if isinstance(item, dict) and name in item:
            return (*path, at, name)
    return path
