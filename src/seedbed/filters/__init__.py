"""Filters: what a record must pass. Record filters look at one at a time, corpus filters find kin.

A filter is a class with `name`, `version`, `kind`, `Options` and `build(options, context)`; one file
and one line in this table. Its instances are small and picklable. A changed verdict wants a changed
`version`: the golden verdicts in the tests hold that.
"""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table, loaders

FILTERS: Table[Any] = Table(
    "filter",
    "seedbed.filters",
    loaders(
        "seedbed.filters",
        {
            "refusal": "refusal:Refusal",
            "schema": "schema:Schema",
            "format": "format:Format",
            "length": "length:Length",
            "duplicates": "duplicates:Duplicates",
            "near_duplicates": "near_duplicates:NearDuplicates",
            "semantic_duplicates": "semantic_duplicates:SemanticDuplicates",
            "contamination": "contamination:Contamination",
            "forbidden": "forbidden:Forbidden",
            "rouge_l": "rouge_l:RougeL",
            "language": "language:Language",
            "constraints": "constraints:Constraints",
            "label_agreement": "label_agreement:LabelAgreement",
            "verify": "verify:Verify",
            "judge": "judge:Judge",
            "secrets": "secrets:Secrets",
            "pii": "pii:Pii",
            "toxicity": "toxicity:Toxicity",
            "guard": "guard:Guard",
            "memorised": "memorised:Memorised",
            "groundedness": "groundedness:Groundedness",
            "faithfulness": "faithfulness:Faithfulness",
        },
    ),
)

DEFAULT_FILTERS = (
    "refusal",
    "schema",
    "format",
    "length",
    "secrets",
    "pii",
    "toxicity",
    "duplicates",
    "near_duplicates",
    "contamination",
)
