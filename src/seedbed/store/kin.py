"""Candidates for kinship: which records share a key, within a round and with all that stayed before.

The round's keys are sorted once; the keys of the run so far pass by them, one shard's and one filter's
at a time, and of the records behind them those alone that share a key are looked at. Memory is that of
the round and of what is found (`python -m benchmarks.memory` shows the sum of it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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


def candidates(
    filter_name: str, ranks: Keys | Sequence[int], keys: Keys | Sequence[int], earlier: Sequence[Path]
) -> tuple[Keys, list[tuple[int, str]]]:
    """Pairs that share a key: (rank, lower rank) within the round, (rank, record id) before it.

    `ranks` and `keys` run in parallel: one entry for each key of each record of the round.
    `earlier` are key shards. The first pairs are an array of shape (pairs, 2), for there may be millions.
    Both are sorted and hold each pair once.
    """
    ranked, keyed = np.asarray(ranks, np.int64), np.asarray(keys, np.int64)
    order = np.argsort(keyed)
    sorted_keys, sorted_ranks = keyed[order], ranked[order]
    return _inside(sorted_keys, sorted_ranks), _before(filter_name, sorted_keys, sorted_ranks, earlier)


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


def _before(name: str, keys: Keys, ranks: Keys, earlier: Sequence[Path]) -> list[tuple[int, str]]:
    if not len(keys):
        return []
    shared: dict[int, Counter[str]] = {}
    met: Counter[int] = Counter()
    for found, records in _meeting(name, keys, earlier):
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


def _meeting(name: str, keys: Keys, earlier: Sequence[Path]) -> Iterator[tuple[Keys, list[str]]]:
    """Keys and records of the earlier shards whose key is one of the round's, in the order of the shards."""
    for path in earlier:
        with pq.ParquetFile(path, read_dictionary=["record"]) as file:
            for group in range(file.num_row_groups):
                yield from _meeting_in_group(name, keys, file, group)


def _meeting_in_group(
    name: str, keys: Keys, file: pq.ParquetFile, group: int
) -> Iterator[tuple[Keys, list[str]]]:
    filters = file.metadata.row_group(group).column(0).statistics
    # A group without rows has none.
    if filters is None or not filters.min <= name <= filters.max:
        return
    theirs: Keys = file.read_row_group(group, ["key"], use_threads=False)["key"].to_numpy()
    place = np.minimum(np.searchsorted(keys, theirs), len(keys) - 1)
    met = keys[place] == theirs
    if filters.min != filters.max:  # an older shard, all filters mixed
        import pyarrow.compute as pc

        met &= pc.equal(file.read_row_group(group, ["filter"], use_threads=False)["filter"], name).to_numpy()
    if met.any():
        records = file.read_row_group(group, ["record"], use_threads=False)["record"]
        yield theirs[met], records.filter(pa.array(met)).to_pylist()
