"""How good each filter is on data that nobody here wrote: `python -m benchmarks.filters [NAME …] [--write]`.

A module a filter, with `measure() -> list[Figure]`; whoever builds a filter adds its line.
"""

from __future__ import annotations

MODULES = (
    "refusal",
    "duplicates",
    "near_duplicates",
    "semantic_duplicates",
    "language",
    "constraints",
    "label_agreement",
    "secrets",
    "pii",
    "toxicity",
    "memorised",
    "groundedness",
    "verify",
    "defaults",
)
