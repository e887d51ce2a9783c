"""Readings of a weather mast: gaps, spikes and hours."""

from itertools import groupby, pairwise
from statistics import median


def gaps(times, most):
    """(before, after) of each stretch without a reading that is longer than `most` seconds."""
    return [(a, b) for a, b in pairwise(times) if b - a > most]


def without_spikes(values, width=5, limit=3.0):
    """Values further than `limit` from the median of their neighbourhood become None."""
    half = width // 2
    kept = []
    for at, value in enumerate(values):
        near = values[max(0, at - half) : at + half + 1]
        kept.append(value if abs(value - median(near)) <= limit else None)
    return kept


def runs(values, wanted):
    """(start, length) of each run of values for which `wanted` is true."""
    found, at = [], 0
    for good, group in groupby(values, key=wanted):
        length = len(list(group))
        if good:
            found.append((at, length))
        at += length
    return found


def by_hour(rows):
    hours = {}
    for second, value in rows:
        hours.setdefault(second // 3600, []).append(value)
    return {hour: sum(values) / len(values) for hour, values in sorted(hours.items())}
