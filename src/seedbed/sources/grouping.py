"""Rows that must stay on one side of a split, and the side that each such group goes to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from seedbed.core.hashing import seed_from
from seedbed.text.normalise import normalise

Side = Literal["train", "dev", "eval"]
HeldOut = Literal["dev", "eval"]
# Share of the rows for each side, 0 to 1; a side left out has none, and what is left over is train.
Shares = Mapping[HeldOut, float]

NEAR = 0.8
_CHARACTERS = 5
# ℓ of `_near_pairs`: a longer prefix leaves fewer candidates to verify and costs more look-ups.
_EARLY = 8
_TWO_TO_63 = 1 << 63


def group_rows(
    texts: Sequence[str], labels: Sequence[str | None] | None = None, *, near: float = NEAR
) -> list[list[int]]:
    """Group rows by near-duplicate text and by equal label, transitively.

    `texts[i]` is what is compared of row i; `labels[i]` the value of its `group` column (None or
    empty: none). Returns lists of row indices, each ascending, ordered by their first. Two texts
    are near where they are equal when normalised, or where the Jaccard similarity of their sets of
    character 5-grams is at least `near`. The search is exact: no such pair is missed.
    """
    union = _UnionFind(len(texts))
    by_text: dict[str, int] = {}
    for row, text in enumerate(texts):
        if norm := normalise(text):
            union.join(row, by_text.setdefault(norm, row))
    by_label: dict[str, int] = {}
    for row, label in enumerate(labels or ()):
        if label:
            union.join(row, by_label.setdefault(label, row))
    firsts = list(by_text.values())
    for a, b in _near_pairs([_shingles(norm) for norm in by_text], near):
        union.join(firsts[a], firsts[b])
    groups: defaultdict[int, list[int]] = defaultdict(list)
    for row in range(len(texts)):
        groups[union.root(row)].append(row)
    return sorted(groups.values())


def split_groups(groups: Sequence[Sequence[str]], shares: Shares, seed: int) -> dict[str, Side]:
    """The side of every row key. A group goes where the hash of its smallest key and the seed falls.

    Eval takes the lower end of the hash's range and dev the upper, so that a changed share moves
    rows between train and that side alone, and one more row moves no group but those that it joins.
    The price: a share is met only on average. With n rows in groups of sizes gᵢ, the standard
    deviation of a side's share p is √(p·(1−p)·Σgᵢ²) / n: 1.6 % for 1,000 single rows and p = 0.5.
    """
    eval_end, dev_start = shares.get("eval", 0.0), 1.0 - shares.get("dev", 0.0)
    sides: dict[str, Side] = {}
    for group in groups:
        place = seed_from("split", seed, min(group)) / _TWO_TO_63
        side: Side = "eval" if place < eval_end else "dev" if place >= dev_start else "train"
        sides.update(dict.fromkeys(group, side))
    return sides


def _shingles(norm: str) -> frozenset[str]:
    """Character 5-grams of a normalised text with a space at either end; of a shorter text, itself."""
    padded = f" {norm} "
    return frozenset(padded[at : at + _CHARACTERS] for at in range(max(1, len(padded) - _CHARACTERS + 1)))


def _near_pairs(sets: Sequence[frozenset[str]], near: float) -> Iterator[tuple[int, int]]:
    """Every pair of sets with Jaccard ≥ `near`, once.

    Prefix filtering (AllPairs, Bayardo et al. 2007) with longer prefixes (AdaptJoin, Wang et al. 2012):
    with the shingles of each set s in one global order, rarest first, two such sets share at least
    ℓ of the first |s| − ⌈near·|s|⌉ + ℓ, or as many as the larger must share at all where that is
    fewer. Sets come in order of size, so that `this` is the larger one of every pair.
    """
    counts = Counter(shingle for shingles in sets for shingle in shingles)
    rarest_first = sorted(counts, key=lambda shingle: (counts[shingle], shingle))
    rank = {shingle: place for place, shingle in enumerate(rarest_first)}
    having: defaultdict[int, list[int]] = defaultdict(list)
    for this in sorted(range(len(sets)), key=lambda i: (len(sets[i]), i)):
        size = len(sets[this])
        fewest_shared = _ceil(near * size)
        shared_early: Counter[int] = Counter()
        for shingle in sorted(map(rank.__getitem__, sets[this]))[: size - fewest_shared + _EARLY]:
            shared_early.update(having[shingle])
            having[shingle].append(this)
        enough = min(_EARLY, fewest_shared)
        for other, early in shared_early.items():
            if early < enough:
                continue
            shared = len(sets[this] & sets[other])
            if shared / (size + len(sets[other]) - shared) >= near:
                yield other, this


def _ceil(value: float) -> int:
    """Round up, but not for the dust of floating point: 0.8 · 5 is 4."""
    return -int(-(value - 1e-9) // 1)


class _UnionFind:
    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def root(self, item: int) -> int:
        while self._parent[item] != item:
            self._parent[item] = self._parent[self._parent[item]]
            item = self._parent[item]
        return item

    def join(self, a: int, b: int) -> None:
        """The smaller root stays, so that the outcome does not depend on the order of joins."""
        a, b = self.root(a), self.root(b)
        self._parent[max(a, b)] = min(a, b)
