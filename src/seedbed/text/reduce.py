"""The one reducer of kin: from verified pairs to who stays and who falls."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def reduce(
    ids_by_rank: Sequence[str], edges: Iterable[tuple[str, str, float]]
) -> dict[str, tuple[str, float]]:
    """Keep the first-ranked member of each connected component; return every other one.

    `ids_by_rank` lists each id once, the one to prefer first (real first, then round, plan
    position, draft). `edges` are verified pairs with their similarity, in any order and either
    direction. The answer maps a loser to (survivor, score of the loser's own strongest edge), in
    order of rank; it depends on the set of edges alone, never on their order. Union-find with
    path halving, the smaller rank as root. Raises ValueError for an edge to an id without a rank.
    """
    rank = {key: place for place, key in enumerate(ids_by_rank)}
    parent = list(range(len(ids_by_rank)))
    strongest: dict[int, float] = {}

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    for a, b, score in edges:
        if a not in rank or b not in rank:
            raise ValueError(f"edge {a!r} to {b!r}: both ids must be ranked; rank every id that has keys")
        if a == b:
            continue
        first, second = sorted((root(rank[a]), root(rank[b])))
        parent[second] = first
        for place in (rank[a], rank[b]):
            strongest[place] = max(score, strongest.get(place, score))
    return {
        ids_by_rank[place]: (ids_by_rank[root(place)], strongest[place])
        for place in sorted(strongest)
        if root(place) != place
    }
