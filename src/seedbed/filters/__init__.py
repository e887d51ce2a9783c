"""Filters: what a record must pass. Record filters look at one at a time, corpus filters find kin.

A filter is a class with `name`, `version`, `kind`, `Options` and `build(options, context)`; one file
and one line in this table. Its instances are small and picklable. A changed verdict wants a changed
`version`: the golden verdicts in the tests hold that.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedbed.core.registry import Table


def _loader(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(f"seedbed.filters.{module}"), name)


FILTERS: Table[Any] = Table(
    "filter",
    "seedbed.filters",
    {
        "refusal": _loader("refusal", "Refusal"),
        "schema": _loader("schema", "Schema"),
        "format": _loader("format", "Format"),
        "length": _loader("length", "Length"),
        "duplicates": _loader("duplicates", "Duplicates"),
        "near_duplicates": _loader("near_duplicates", "NearDuplicates"),
        "contamination": _loader("contamination", "Contamination"),
        "forbidden": _loader("forbidden", "Forbidden"),
        "rouge_l": _loader("rouge_l", "RougeL"),
        "label_agreement": _loader("label_agreement", "LabelAgreement"),
        "judge": _loader("judge", "Judge"),
    },
)

DEFAULT_FILTERS = ("refusal", "schema", "format", "length", "duplicates", "near_duplicates", "contamination")
