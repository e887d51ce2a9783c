"""A task in plain values, as a manifest keeps it and as it crosses to a process, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from seedbed.core.protocols import Task
from seedbed.core.registry import Registry

if TYPE_CHECKING:  # whoever looks at a run needs nothing that binds a recipe
    from seedbed.run.binding import BoundRecipe


def task_facts(bound: BoundRecipe) -> dict[str, Any]:
    """Its kind, options and labels."""
    return {
        "kind": bound.task.kind,
        "options": bound.recipe.task.options.model_dump(mode="json"),
        "labels": list(bound.labels),
    }


def bound_task(facts: Mapping[str, Any], registry: Registry) -> Task:
    """The task of which these are the facts."""
    plugin = registry.tasks.get(facts["kind"])
    task: Task = plugin.bind(plugin.Options.model_validate(facts["options"]), facts["labels"] or None)
    return task
