"""ROUGE-L: how much of two texts is one sequence of words (Lin 2004, *ROUGE*, section 3)."""

from __future__ import annotations

from collections.abc import Sequence


def rouge_l(a: Sequence[str], b: Sequence[str]) -> float:
    """The F-measure (β = 1) of the longest common subsequence of words; 0.0 where either has none."""
    return 2 * common_subsequence(a, b) / (len(a) + len(b)) if a and b else 0.0


def common_subsequence(a: Sequence[str], b: Sequence[str]) -> int:
    """Length of the longest sequence of items that stands in both in order, whatever stands between.

    All of `a` at once, a bit each (Hyyrö 2004, *Bit-parallel LCS-length computation revisited*): an item of
    `b` costs a few operations on one long integer.
    """
    places: dict[str, int] = {}
    for at, item in enumerate(a):
        places[item] = places.get(item, 0) | 1 << at
    row = every = (1 << len(a)) - 1
    for item in b:
        met = row & places.get(item, 0)
        row = ((row + met) | (row - met)) & every
    return len(a) - row.bit_count()
