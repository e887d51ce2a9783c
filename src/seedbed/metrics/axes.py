"""Axis coverage: of what was asked for, how much the accepted records have."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any


def axis_coverage(
    asked: Mapping[str, Sequence[str]],
    found: Mapping[str, Counter[str]],
    real: Mapping[str, Counter[str]],
) -> dict[str, dict[str, Any]]:
    """By axis: `values` asked for, those `covered` by a record, `counts` and `real_counts` by value.

    `real_counts` is None where an axis is no field of the real rows. A value that only the real rows
    have is not among those asked for and is left out.
    """
    coverage = {}
    for axis, values in asked.items():
        counts = {value: found.get(axis, Counter())[value] for value in values}
        beside = real.get(axis)
        coverage[axis] = {
            "values": len(counts),
            "covered": sum(count > 0 for count in counts.values()),
            "counts": counts,
            "real_counts": None if beside is None else {value: beside[value] for value in counts},
        }
    return coverage
