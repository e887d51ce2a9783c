"""How alike two texts are: sets of shingles, bags of words, and shared runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence, Set
from typing import Any

from seedbed.text.normalise import normalise


def char_shingles(text: str, width: int) -> frozenset[str]:
    """Distinct runs of `width` characters, with a space at either end; of a shorter text, itself."""
    if not text:
        return frozenset()
    padded = f" {text} "
    return frozenset([padded[at : at + width] for at in range(max(1, len(padded) - width + 1))])


def jaccard(a: Set[Any], b: Set[Any]) -> float:
    """|a ∩ b| / |a ∪ b|; 0.0 for two empty sets, which have nothing in common."""
    shared = len(a & b)
    return shared / (len(a) + len(b) - shared) if shared else 0.0


def trigrams(text: str) -> frozenset[str]:
    """Distinct runs of three characters of a text's normal form."""
    return char_shingles(normalise(text), 3)


def unlike(
    found: Sequence[str],
    known: Sequence[str],
    features: Callable[[str], Set[str]] = trigrams,
    near: float = 0.8,
) -> list[str]:
    """Those of a few short texts that are not nearly one before them: exact Jaccard of features below `near`.

    For two texts of equal length 0.8 is a cosine of 0.89 over the same features.
    """
    fresh: list[str] = []
    seen = [features(text) for text in known]
    for text in found:
        own = features(text)
        if own and all(jaccard(own, other) < near for other in seen):
            fresh.append(text)
            seen.append(own)
    return fresh


def dice(a: Sequence[Any], b: Sequence[Any]) -> float:
    """2·|a ∩ b| / (|a| + |b|) of two bags: the F1 of one in the other. 0.0 where both are empty."""
    shared = (Counter(a) & Counter(b)).total()
    return 2 * shared / (len(a) + len(b)) if shared else 0.0


def longest_shared_run(a: Sequence[Any], b: Sequence[Any]) -> int:
    """Length of the longest run of items (characters, tokens) that stands in both, in O(|a|·|b|)."""
    best = 0
    previous: list[int] = [0] * (len(b) + 1)
    for item in a:
        current = [0] * (len(b) + 1)
        for at, other in enumerate(b):
            if item == other:
                current[at + 1] = run = previous[at] + 1
                best = max(best, run)
        previous = current
    return best
