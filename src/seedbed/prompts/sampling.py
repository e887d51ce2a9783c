"""Which value a cell gets and which real rows it shows: weighted rendezvous hashing.

Every choice is a function of the cell's own key and of each candidate alone, so one more
value or row takes over only the share of cells that is due to it and disturbs no other
(Thaler & Ravishankar 1998; the weighted form scores -w / ln u).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from seedbed.core.hashing import seed_from, seeds_after

_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def choose(values: Mapping[str, float], *key: str | int) -> str:
    """The value of highest weighted rendezvous score for `key`; weights are positive."""
    if len(values) == 1:
        return next(iter(values))
    best, best_score = "", -math.inf
    seed = seeds_after(*key)
    for value, weight in values.items():
        uniform = (seed(value) + 0.5) / 2**63
        score = -weight / math.log(uniform)
        if score > best_score or (score == best_score and value < best):
            best, best_score = value, score
    return best


class RowPool:
    """Real rows to pick few-shot examples from, by rendezvous hashing of their ids."""

    def __init__(self, ids: Sequence[str]) -> None:
        self.ids = tuple(ids)
        self._hashes = np.array([seed_from("row", i) for i in ids], dtype=np.uint64)

    def pick(self, count: int, *key: str | int) -> tuple[str, ...]:
        """`count` ids, best score first; all of them where there are fewer."""
        count = min(count, len(self.ids))
        if count == 0:
            return ()
        mixed = self._hashes ^ np.uint64(seed_from(*key))
        # splitmix64's finalizer spreads the exclusive-or over all 64 bits; wrap-around is meant.
        with np.errstate(over="ignore"):
            mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
            mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
            mixed = mixed ^ (mixed >> np.uint64(31))
        best = np.argpartition(mixed, -count)[-count:]
        ranked = sorted(best.tolist(), key=lambda at: (-int(mixed[at]), self.ids[at]))
        return tuple(self.ids[at] for at in ranked)
