"""Measures: how varied the texts are, beside real ones of equal number and length.

A measure is a class with `name`, `version`, `label`, what is `better`, and `prepare`, `size` and
`value`; one line in this table. A changed value wants a changed `version`. numpy is all it needs.
"""

from __future__ import annotations

from typing import Any

from seedbed.core.registry import Table, loaders

METRICS: Table[Any] = Table(
    "measure",
    "seedbed.metrics",
    loaders(
        "seedbed.metrics",
        {
            "compression_gzip": "compression:CompressionGzip",
            "compression_xz": "compression:CompressionXz",
            "distinct_1": "distinct:Distinct1",
            "distinct_2": "distinct:Distinct2",
            "distinct_3": "distinct:Distinct3",
            "distinct_texts": "repetition:DistinctTexts",
            "common_opening": "repetition:CommonOpening",
            "nearest_neighbour": "neighbours:NearestNeighbour",
            "topic_coverage": "topics:TopicCoverage",
            "topic_entropy": "topics:TopicEntropy",
        },
    ),
)
