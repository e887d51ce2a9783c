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
        "template": _method("template", "Template"),
        "direct": _method("direct", "Direct"),
        "backtranslation": _method("backtranslation", "Backtranslation"),
        "code_from_seed": _method("code_from_seed", "CodeFromSeed"),
        "critique": _method("critique", "Critique"),
        "dialogue": _method("dialogue", "Dialogue"),
        "distil": _method("distil", "Distil"),
        "evolve": _method("evolve", "Evolve"),
        "grounded": _method("grounded", "Grounded"),
        "instruction_backtranslation": _method("instruction_backtranslation", "InstructionBacktranslation"),
        "iterative": _method("iterative", "Iterative"),
        "label": _method("label", "Label"),
        "magpie": _method("magpie", "Magpie"),
        "personas": _method("personas", "Personas"),
        "preference": _method("preference", "Preference"),
        "rejection": _method("rejection", "RejectionSampling"),
        "self_consistency": _method("self_consistency", "SelfConsistency"),
        "self_instruct": _method("self_instruct", "SelfInstruct"),
        "translate": _method("translate", "Translate"),
    },
)
