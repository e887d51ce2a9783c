"""Measures: how varied the texts are, beside real ones of equal number and length.

A measure is a class with `name`, `version`, `label`, what is `better`, and `prepare`, `size` and
`value`; one line in this table. A changed value wants a changed `version`. numpy is all it needs.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from seedbed.core.registry import Table


def _loader(module: str, name: str) -> Callable[[], Any]:
    return lambda: getattr(import_module(f"seedbed.metrics.{module}"), name)


METRICS: Table[Any] = Table(
    "measure",
    "seedbed.metrics",
    {
        "compression_gzip": _loader("compression", "CompressionGzip"),
        "compression_xz": _loader("compression", "CompressionXz"),
        "distinct_1": _loader("distinct", "Distinct1"),
        "distinct_2": _loader("distinct", "Distinct2"),
        "distinct_3": _loader("distinct", "Distinct3"),
        "distinct_texts": _loader("repetition", "DistinctTexts"),
        "common_opening": _loader("repetition", "CommonOpening"),
        "nearest_neighbour": _loader("neighbours", "NearestNeighbour"),
        "topic_coverage": _loader("topics", "TopicCoverage"),
        "topic_entropy": _loader("topics", "TopicEntropy"),
    },
)
