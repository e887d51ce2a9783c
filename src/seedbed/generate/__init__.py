"""Methods of generation, one file each, and the table that names them."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedbed.core.registry import Table


def _method(module: str, name: str) -> Callable[[], Any]:
    """Imports a method at its first use."""
    return lambda: getattr(import_module(f"seedbed.generate.{module}"), name)


METHODS: Table[Any] = Table(
    "method",
    "seedbed.methods",
    {
        "direct": _method("direct", "Direct"),
        "template": _method("template", "Template"),
        "evolve": _method("evolve", "Evolve"),
        "iterative": _method("iterative", "Iterative"),
        "label": _method("label", "Label"),
        "personas": _method("personas", "Personas"),
        "self_instruct": _method("self_instruct", "SelfInstruct"),
    },
)
