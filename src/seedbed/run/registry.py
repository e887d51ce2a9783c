"""The tables of every room, put together for the recipe to be validated against."""

from __future__ import annotations

from seedbed.core.registry import Registry
from seedbed.filters import FILTERS
from seedbed.generate import METHODS
from seedbed.models import MODELS
from seedbed.publish import EXPORTERS
from seedbed.student import STUDENTS
from seedbed.tasks import TASKS


def registry() -> Registry:
    """Built-in plug-ins and those that installed packages offer."""
    return Registry(
        methods=METHODS,
        filters=FILTERS,
        tasks=TASKS,
        students=STUDENTS,
        exporters=EXPORTERS,
        models=MODELS,
    )
