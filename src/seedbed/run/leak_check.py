"""Whatever a prompt may hold is held against the locked eval before anything is asked."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from seedbed.core.record import Record
from seedbed.run.binding import BoundRecipe
from seedbed.run.planner import EDGE_CASE
from seedbed.sources.eval_lock import EvalLockServer
from seedbed.sources.leaks import Kind, check_before_run, leak_error, suggestion_text

Note = Callable[[str], None]


def refuse_leaks(bound: BoundRecipe, server: EvalLockServer, note: Note) -> None:
    """Raise ContaminationError for all that leaks; `note` is told of a marker that would show more."""
    rows = [*bound.train, *bound.dev]
    items: list[tuple[Kind, str, str]] = [
        ("seed", row.provenance.source, bound.compared_text(row)) for row in rows
    ]
    for source, texts in bound.material.items():
        items += [_of_material(bound, source, item) for item in texts]
    for axis, values in bound.axes.items():
        items += [("slot", axis, value) for value in values]
    items += [("slot", EDGE_CASE, case.ask) for case in bound.recipe.generate.edge_cases]
    items += [("template", t.name, t.text) for t in bound.templates.values()]
    items.append(("template", "task.description", bound.task_variables["description"]))
    for entry in bound.recipe.generate.methods:
        said = _words_of(entry.options.model_dump())
        items += [("template", f"generate.methods.{entry.name}", text) for text in said]
    if bound.recipe.student is not None:
        said = _words_of(bound.recipe.student.options.model_dump())
        items += [("template", f"student.{bound.recipe.student.name}", text) for text in said]
    leaks = check_before_run(server.client, items)
    seeds = [text for kind, name, text in items if kind == "seed" and name not in bound.material]
    suggestion = server.client.suggest_ignore_after(seeds) if seeds else None
    if leaks:
        files = {name: str(spec.path) for name, spec in bound.real_specs.items() if spec.matches() is None}
        raise leak_error(leaks, eval_path=server.info.path, files=files, suggestion=suggestion)
    if suggestion is not None:
        note(suggestion_text(suggestion))


def _words_of(value: Any) -> Iterator[str]:
    """Every text in a method's options, some of which stand in prompts: principles, a scene, a glossary."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for pair in value.items():
            yield from (text for part in pair for text in _words_of(part))
    elif isinstance(value, Sequence):
        for part in value:
            yield from _words_of(part)


def _of_material(bound: BoundRecipe, source: str, item: Record) -> tuple[Kind, str, str]:
    """A row without its label by what is compared, a piece of a document as it stands."""
    if "document" in item.fields:
        return "passage", f"{source}: {item.fields['document']}", item.fields["text"]
    return "seed", source, bound.compared_text(item)
