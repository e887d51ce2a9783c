"""Methods of generation, one file each, and the table that names them."""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table, loaders

METHODS: Table[Any] = Table(
    "method",
    "seedbed.methods",
    loaders(
        "seedbed.generate",
        {
            "template": "template:Template",
            "direct": "direct:Direct",
            "backtranslation": "backtranslation:Backtranslation",
            "code_from_seed": "code_from_seed:CodeFromSeed",
            "critique": "critique:Critique",
            "dialogue": "dialogue:Dialogue",
            "distil": "distil:Distil",
            "evolve": "evolve:Evolve",
            "grounded": "grounded:Grounded",
            "instruction_backtranslation": "instruction_backtranslation:InstructionBacktranslation",
            "iterative": "iterative:Iterative",
            "label": "label:Label",
            "magpie": "magpie:Magpie",
            "personas": "personas:Personas",
            "preference": "preference:Preference",
            "rejection": "rejection:RejectionSampling",
            "self_consistency": "self_consistency:SelfConsistency",
            "self_instruct": "self_instruct:SelfInstruct",
            "translate": "translate:Translate",
        },
    ),
)
