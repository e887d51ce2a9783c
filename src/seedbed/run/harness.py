"""A run's eval written as a task for another harness."""

from __future__ import annotations

from pathlib import Path

from seedbed.core.errors import InputError, Problem
from seedbed.publish.harness import EvalFile, Harness, write_harness
from seedbed.run.binding import BoundRecipe


def write_for(bound: BoundRecipe, kind: Harness, out: Path) -> list[Path]:
    """The task's files in the folder `out`. Raises InputError where there is no eval, or it does not fit."""
    spec = bound.eval_spec
    if spec is None:
        message = "there is no eval; write lock: true into a source, or split: {eval: 0.3}"
        raise InputError([bound.loaded.problem(("sources",), message)])
    found = spec.resolved_format()
    if found == "text":
        raise InputError([Problem("a folder of texts has no answers to score by", str(spec.path))])
    matched = spec.matches()
    files = tuple(path.absolute() for path in (matched.files if matched is not None else (spec.path,)))
    return write_harness(kind, bound.recipe.name, bound.task, EvalFile(files, found, spec.columns), out)
