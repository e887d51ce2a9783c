"""Candidates for kinship: which records share a key, within a round and with all that stayed before.

The round's keys are sorted once; the keys of the run so far pass by them, one shard's and one filter's
at a time, and of the records behind them those alone that share a key are looked at. Memory is that of
the round, of what is found, and of the first `MOST_KEPT` keys of the run, which need not be read anew at
each close (`python -m benchmarks.memory` shows the sum of it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

Keys = npt.NDArray[np.int64]

# A record is compared with the first members of each of its key groups and not with every other,
# so that a thousand records with one key stay linear. Near copies share most of their keys, and
# with them a group in which their twin stands early; equal texts share all.
GROUP_FIRST = 8
# Of the earlier records behind one key the first (real rows first), and of all that a record
# meets those it shares most keys with: a phrase that the whole run shares stays bearable.
MOST_EARLIER = 64
# Keys of earlier shards that stay in memory, 8 bytes each: those of 60,000 records with 16 keys.
MOST_KEPT = 1 << 20


@dataclass(slots=True)
class _Shard:
    """The first and the last filter of each of a shard's groups of rows, and keys that were read by group."""

    filters: list[tuple[str, str] | None]
    keys: dict[int, Keys] = field(default_factory=dict)


class EarlierKeys:
    """Key shards of what stayed before. What was read of them is kept while there is room.

    A run goes through all of them at each close, in the same order: what is kept first serves as often as
    anything that took its place would.
    """

    def __init__(self, most: int = MOST_KEPT) -> None:
        self._shards: dict[tuple[Path, int, int], _Shard] = {}
        self._room = most

    def meeting(self, name: str, keys: Keys, paths: Sequence[Path]) -> Iterator[tuple[Keys, list[str]]]:
        """Keys and records of a filter whose key is among these, which are sorted, in the shards' order."""
        for path in paths:
            shard = self._shard(path)
            for group, filters in enumerate(shard.filters):
                # A group without rows has none.
                if filters is not None and filters[0] <= name <= filters[1]:
                    theirs = self._keys(path, shard, group)
                    met = keys[np.minimum(np.searchsorted(keys, theirs), len(keys) - 1)] == theirs
                    if met.any():
                        yield _records_behind(path, group, theirs, met, name, mixed=filters[0] != filters[1])

    def _shard(self, path: Path) -> _Shard:
        status = path.stat()
        place = (path, status.st_ino, status.st_mtime_ns)
        if place not in self._shards:
            with pq.ParquetFile(path) as file:
                groups = [file.metadata.row_group(at) for at in range(file.num_row_groups)]
            found = [group.column(0).statistics for group in groups]
            self._shards[place] = _Shard([(each.min, each.max) if each else None for each in found])
        return self._shards[place]

    def _keys(self, path: Path, shard: _Shard, group: int) -> Keys:
        known = shard.keys.get(group)
        if known is None:
            with pq.ParquetFile(path) as file:
                known = file.read_row_group(group, ["key"], use_threads=False)["key"].to_numpy()
            if len(known) <= self._room:
                self._room -= len(known)
                shard.keys[group] = known
        return known


def _records_behind(
    path: Path, group: int, keys: Keys, met: npt.NDArray[np.bool_], name: str, *, mixed: bool
) -> tuple[Keys, list[str]]:
    """The keys that were met and their records; of an older shard all filters are mixed in a group."""
    columns = ["filter", "record"] if mixed else ["record"]
    with pq.ParquetFile(path, read_dictionary=["record"]) as file:
        table = file.read_row_group(group, columns, use_threads=False)
    if mixed:
        import pyarrow.compute as pc

        met = met & pc.equal(table["filter"], name).to_numpy()
    return keys[met], table["record"].filter(pa.array(met)).to_pylist()


def candidates(
    filter_name: str,
    ranks: Keys | Sequence[int],
    keys: Keys | Sequence[int],
    earlier: Sequence[Path],
    known: EarlierKeys | None = None,
) -> tuple[Keys, list[tuple[int, str]]]:
    """Pairs that share a key: (rank, lower rank) within the round, (rank, record id) before it.

    `ranks` and `keys` run in parallel: one entry for each key of each record of the round.
    `earlier` are key shards, of which `known` may hold some. The first pairs are an array of shape
    (pairs, 2), for there may be millions. Both are sorted and hold each pair once.
    """
    ranked, keyed = np.asarray(ranks, np.int64), np.asarray(keys, np.int64)
    order = np.argsort(keyed)
    sorted_keys, sorted_ranks = keyed[order], ranked[order]
    met = (known or EarlierKeys()).meeting(filter_name, sorted_keys, earlier) if len(keyed) else iter(())
    return _inside(sorted_keys, sorted_ranks), _before(sorted_keys, sorted_ranks, met)


def distinct(numbers: Keys) -> Keys:
    """`np.unique`, by sorting: its table of hashes takes six times as long for millions of numbers."""
    ordered = np.sort(numbers, axis=None)
    return ordered[np.r_[True, ordered[1:] != ordered[:-1]]] if len(ordered) else ordered


def candidates_inside(ranks: Keys, keys: Keys) -> Keys:
    """The first pairs of `candidates`."""
    order = np.argsort(keys)
    return _inside(keys[order], ranks[order])


def _inside(keys: Keys, ranks: Keys) -> Keys:
    """Each member of a key's group with the first of it that rank before it. The keys are sorted."""
    same = keys[1:] == keys[:-1]
    if not same.any():
        return np.empty((0, 2), np.int64)
    shared = np.r_[False, same] | np.r_[same, False]
    is_first = ~np.r_[False, same][shared]
    # A group and a rank in one number, for numbers are sorted faster than rows of two.
    bits = int(ranks.max()).bit_length()
    ranks = np.sort((np.cumsum(is_first) << bits) | ranks[shared]) & ((1 << bits) - 1)
    firsts = np.flatnonzero(is_first)
    places = np.arange(len(ranks)) - np.repeat(firsts, np.diff(np.r_[firsts, len(ranks)]))
    at = np.flatnonzero(~is_first)
    places, starts, high = places[at], at - places[at], ranks[at] << bits
    found = []
    for place in range(GROUP_FIRST):
        left = places > place
        places, starts, high = places[left], starts[left], high[left]
        found.append(high | ranks[starts + place])
    numbers = distinct(np.concatenate(found))
    one, two = numbers >> bits, numbers & ((1 << bits) - 1)
    unlike = one != two  # a record may have a key twice
    return np.stack((one[unlike], two[unlike]), axis=1)


def _before(keys: Keys, ranks: Keys, meeting: Iterator[tuple[Keys, list[str]]]) -> list[tuple[int, str]]:
    shared: dict[int, Counter[str]] = {}
    met: Counter[int] = Counter()
    for found, records in meeting:
        first = np.searchsorted(keys, found, "left").tolist()
        last = np.searchsorted(keys, found, "right").tolist()
        for key, start, end, record in zip(found.tolist(), first, last, records, strict=True):
            met[key] += 1
            if met[key] > MOST_EARLIER:
                continue
            for rank in ranks[start:end].tolist():
                shared.setdefault(rank, Counter())[record] += 1
    pairs = []
    for rank, counts in shared.items():
        most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:MOST_EARLIER]
        pairs += [(rank, record) for record, _ in most]
    return sorted(pairs)
