"""Contradictions between keys that are each right in themselves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seedbed.core.protocols import Task
from seedbed.core.registry import Registry
from seedbed.recipe.axes import DOCUMENT, AskedAxis, AxisFile
from seedbed.recipe.cover import EVEN, contradictions
from seedbed.recipe.document import KeyPath
from seedbed.recipe.findings import Findings
from seedbed.recipe.generate import Generate
from seedbed.recipe.mix import Mix
from seedbed.recipe.sources import Source
from seedbed.recipe.student import StudentEntry
from seedbed.recipe.task import TaskSection
from seedbed.recipe.words import meant


@dataclass(frozen=True)
class Declared:
    """The sections that could be read; None stands for one that could not, or was not written.

    `student_options` is where the options of the student stand.
    """

    section: TaskSection | None
    task: Task | None
    sources: Mapping[str, Source]
    generate: Generate | None
    mix: Mix | None
    student: StudentEntry | None
    student_options: KeyPath
    export: tuple[str, ...] = ()


def check(declared: Declared, findings: Findings, registry: Registry) -> None:
    """Report every contradiction between keys in which nothing was found before."""
    _check_labels(declared, findings)
    _check_student(declared, findings, registry)
    _check_mix(declared, findings)
    _check_export(declared, findings, registry)
    if declared.generate is not None and declared.task is not None:
        _check_cover_fields(declared.generate, declared.task, declared.sources, findings)
        _check_cover(declared, declared.generate, declared.task, findings)
        _check_axes(declared.generate, declared.task, findings, registry)
        _check_edge_cases(declared.generate, findings, registry)
    if declared.generate is not None and not findings.touch(("sources",)):
        _check_personas(declared, declared.generate, findings)


def _check_labels(declared: Declared, findings: Findings) -> None:
    section, task = declared.section, declared.task
    if section is None or task is None or task.label_field is None or section.labels is not None:
        return
    if _has_real(declared) or findings.touch(("sources",), ("task",)):
        return
    findings.add(
        ("task",),
        "the labels cannot be read from data, for there is no real source; list them: labels: [a, b]",
    )


def _check_student(declared: Declared, findings: Findings, registry: Registry) -> None:
    if declared.student is None or declared.task is None or findings.touch(("student",), ("task",)):
        return
    name = declared.student.name
    student = registry.students.get(name)(declared.student.options)
    for path, message in student.problems(declared.task):
        findings.add(
            (*declared.student_options, *path) if path else ("student",), f"the student '{name}' {message}"
        )


def _check_mix(declared: Declared, findings: Findings) -> None:
    if declared.mix is None or _has_real(declared) or findings.touch(("mix",), ("sources",)):
        return
    findings.add(("mix",), "there is no real source to mix with; add one under sources, or remove mix")


def _check_export(declared: Declared, findings: Findings, registry: Registry) -> None:
    """A format that the kind cannot be written in would be found out only after the run."""
    if declared.task is None or findings.touch(("export",), ("task", "kind")):
        return
    for at, name in enumerate(declared.export):
        # An exporter of another package may not say for which kinds it is.
        kinds = getattr(registry.exporters.get(name), "kinds", None)
        if kinds is not None and declared.task.kind not in kinds:
            findings.add(
                ("export", at),
                f"{name} is for tasks of the kind {' or '.join(kinds)}, and this one is {declared.task.kind}",
            )


def _has_real(declared: Declared) -> bool:
    return any(not source.lock and not source.is_material for source in declared.sources.values())


def _check_cover_fields(
    generate: Generate, task: Task, sources: Mapping[str, Source], findings: Findings
) -> None:
    if findings.touch(("task",), ("generate", "axes")):
        return
    documents = any(source.chunk is not None for source in sources.values())
    fields = [
        *([task.label_field] if task.label_field else []),
        *generate.axes,
        *([DOCUMENT] if documents else []),
    ]
    for field in generate.cover:
        if field in fields:
            continue
        hint = meant(field, fields, "add it under axes")
        findings.add(("generate", "cover", field), f"cover is over the label field or an axis; {hint}")


def _check_cover(declared: Declared, generate: Generate, task: Task, findings: Findings) -> None:
    if findings.touch(("generate", "target")):
        return
    labels = declared.section.labels if declared.section is not None else None
    for field, entry in generate.cover.items():
        path = ("generate", "cover", field)
        if findings.touch(path, ("generate", "axes", field)):
            continue
        axis = generate.axes.get(field)
        if isinstance(axis, AxisFile) and axis.label is not None:
            findings.add(
                path, "the values of this axis hang on the label, so that cover cannot share them out"
            )
            continue
        if isinstance(axis, AskedAxis) and entry != EVEN:
            findings.add(path, "the teacher gives this axis's values, which nobody knows yet; write even")
            continue
        values: Sequence[str] | None = axis if isinstance(axis, tuple) else None
        if field == task.label_field:
            values = None if findings.touch(("task", "labels")) else labels
        for value, message in contradictions(entry, values, generate.target):
            findings.add((*path, value) if value is not None else path, message)


def _check_personas(declared: Declared, generate: Generate, findings: Findings) -> None:
    """Texts that suggest people must be there, and be no eval."""
    for name, axis in generate.axes.items():
        path = ("generate", "axes", name)
        if not isinstance(axis, AskedAxis) or axis.source != "personas" or findings.touch(path):
            continue
        known = [source for source, each in declared.sources.items() if not each.lock]
        if axis.texts is None and not _has_real(declared):
            findings.add(path, "personas are found in texts, and there is no real row; write texts: SOURCE")
        elif axis.texts is not None and axis.texts not in known:
            hint = meant(axis.texts, known, "add it under sources")
            findings.add((*path, "texts"), f"no source of that name may be read; {hint}")


def _check_axes(generate: Generate, task: Task, findings: Findings, registry: Registry) -> None:
    for name, axis in generate.axes.items():
        if isinstance(axis, AxisFile) and axis.label is not None and task.label_field is None:
            message = f"its values hang on a label, and a task of kind {task.kind} has none; remove label"
            findings.add(("generate", "axes", name, "label"), message)
    unused, nothing_asked = _unused_by_methods(generate, findings, registry), _fixes_all(generate, task)
    for key, message in unused.items():
        findings.add(("generate", key), message)
    if nothing_asked and not findings.touch(("task",)):
        findings.add(("generate", "axes"), nothing_asked)


def _check_edge_cases(generate: Generate, findings: Findings, registry: Registry) -> None:
    path = ("generate", "edge_cases")
    if not generate.edge_cases or findings.touch(path, ("generate", "target"), ("generate", "methods")):
        return
    wanted = sum(case.count for case in generate.edge_cases)
    if wanted > generate.target:
        findings.add(
            path, f"they ask for {wanted} but target is {generate.target}; raise the target to {wanted}"
        )
    blind = [
        entry.name
        for entry in generate.methods
        if not (method := registry.methods.get(entry.name)).uses_axes and not method.open_label
    ]
    if blind:
        findings.add(
            path, f"the method {blind[0]} uses no axes, so that it cannot be asked for one; take either out"
        )


def _unused_by_methods(generate: Generate, findings: Findings, registry: Registry) -> dict[str, str]:
    """Keys that only methods with slots look at, where there is no such method."""
    names = [entry.name for entry in generate.methods]
    if findings.touch(("generate", "methods")) or any(registry.methods.get(n).uses_axes for n in names):
        return {}
    listed = " and ".join(names)
    return {
        key: f"given, but the method {listed} uses no {key}; add template to methods, or remove {key}"
        for key in ("axes", "templates")
        if getattr(generate, key) and not findings.touch(("generate", key))
    }


def _fixes_all(generate: Generate, task: Task) -> str | None:
    """Axes named like fields fix them; some field must be left to the teacher."""
    if any(field != task.label_field and field not in generate.axes for field in task.fields):
        return None
    fixed = ", ".join(field for field in task.fields if field in generate.axes)
    return f"the axes fix every field ({fixed}) and leave nothing to ask for; remove one of them"
