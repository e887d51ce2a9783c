"""Corpus filters at a round's close: candidates by shared keys, verified pairs, one reducer."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

from seedbed.core.protocols import CorpusFilter
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.run.filtering import Keys
from seedbed.store.kin import EarlierKeys, candidates, distinct
from seedbed.text.reduce import reduce

# What a round is compared with may be the whole run: its texts come in parts.
PAIRS_AT_A_TIME = 4000
TEXTS_AT_A_TIME = 1000
EDGES_AT_A_TIME = 500

Pairs: TypeAlias = "npt.NDArray[np.int64]"


@dataclass(frozen=True, slots=True)
class Member:
    """A record that the record filters kept, with its corpus keys by filter name."""

    record: Record
    keys: Mapping[str, Keys]


def versioned(filter_: CorpusFilter) -> str:
    return f"{filter_.name}@{filter_.version}"


def judge_kin(
    filters: Sequence[CorpusFilter],
    members: Sequence[Member],
    earlier_keys: Sequence[Path],
    earlier_records: Callable[[Sequence[str]], Mapping[str, Record]],
    known: EarlierKeys | None = None,
) -> list[Verdict]:
    """Verdicts of every corpus filter on the members of a round, which come in rank order.

    `earlier_keys` are key shards of what stayed before (real rows and closed rounds), of which `known` may
    hold some, and `earlier_records` finds those records by id. A member that fell to one filter is not looked
    at by the next. Whatever stayed before outranks the round.
    """
    verdicts: list[Verdict] = []
    alive = list(range(len(members)))
    for filter_ in filters:
        lost = _losers(filter_, members, alive, earlier_keys, earlier_records, known)
        name = versioned(filter_)
        for at in alive:
            record = members[at].record.id
            if at in lost:
                survivor, score = lost[at]
                verdicts.append(Verdict(record, name, False, filter_.reason, score, survivor=survivor))
            else:
                verdicts.append(Verdict(record, name, True))
        alive = [at for at in alive if at not in lost]
    return verdicts


def _losers(
    filter_: CorpusFilter,
    members: Sequence[Member],
    alive: Sequence[int],
    earlier_keys: Sequence[Path],
    earlier_records: Callable[[Sequence[str]], Mapping[str, Record]],
    known: EarlierKeys | None,
) -> dict[int, tuple[str, float]]:
    """Members that fall to a twin: position -> (survivor's id, closeness)."""
    none: Keys = array("q")
    own = [members[at].keys.get(filter_.name, none) for at in alive]
    sizes = np.array([len(numbers) for numbers in own], np.int64)
    ranks = np.repeat(np.asarray(alive, np.int64), sizes)
    keys = np.frombuffer(b"".join(own), np.int64)
    inside, before = candidates(filter_.name, ranks, keys, earlier_keys, known)
    met = {*distinct(inside).tolist(), *(at for at, _ in before)}
    texts = _forms(filter_, {at: members[at].record for at in met})

    edges: list[tuple[str, str, float]] = []
    survivors: dict[str, bool] = {}
    position: dict[str, int] = {}
    for part, old in _in_parts(before, earlier_records):
        # Earlier records are numbered from where the members end.
        numbers = {record: len(members) + place for place, record in enumerate(old)}
        ids = dict(zip(numbers.values(), numbers, strict=True))
        both = texts | _forms(filter_, {number: old[record] for record, number in numbers.items()})
        named = [(at, numbers[record]) for at, record in part if record in old]
        for at, number, score in kinship(filter_, named, both):
            edges.append((members[at].record.id, ids[number], score))
            position[members[at].record.id] = at
            survivors[ids[number]] = old[ids[number]].is_real
    for at, lower, score in kinship(filter_, inside, texts):
        one, two = members[at].record.id, members[lower].record.id
        edges.append((one, two, score))
        position[one], position[two] = at, lower
    # Real rows stand first, then earlier records; among equals the id decides.
    by_rank = sorted(survivors, key=lambda record: (not survivors[record], record))
    by_rank += sorted(position, key=position.__getitem__)
    return {position[loser]: result for loser, result in reduce(by_rank, edges).items() if loser in position}


def forms(filter_: CorpusFilter, texts: Sequence[str]) -> Sequence[str]:
    """What the filter compares of each of the texts."""
    found: Sequence[str] = filter_.forms(texts) if hasattr(filter_, "forms") else texts
    return found


def _forms(filter_: CorpusFilter, records: Mapping[int, Record]) -> dict[int, str]:
    texts = [filter_.text(record) for record in records.values()]
    return dict(zip(records, forms(filter_, texts), strict=True))


class Numbered(Protocol):
    """The `forms` of texts, each found by its number: in memory, or in a file."""

    def __getitem__(self, number: int, /) -> str: ...


def kinship(
    filter_: CorpusFilter, pairs: Pairs | Sequence[tuple[int, int]], texts: Numbered
) -> Iterator[tuple[int, int, float]]:
    """Those of the candidate pairs that are kin, and how close. Forms are looked up as they are compared."""
    both = np.asarray(pairs, np.int64).reshape(-1, 2)
    possible = _possible(filter_, both, texts).tolist()
    for at in range(0, len(possible), EDGES_AT_A_TIME):
        part = possible[at : at + EDGES_AT_A_TIME]
        scores = _edges(filter_, [(texts[one], texts[two]) for one, two in part])
        for (one, two), score in zip(part, scores, strict=True):
            if score is not None:
                yield one, two, score


def _edges(filter_: CorpusFilter, pairs: Sequence[tuple[str, str]]) -> Sequence[float | None]:
    if hasattr(filter_, "edges"):
        scores: Sequence[float | None] = filter_.edges(pairs)
        return scores
    return [filter_.edge(one, two) for one, two in pairs]


def _possible(filter_: CorpusFilter, pairs: Pairs, texts: Numbered) -> Pairs:
    """Without the pairs that a filter with `sketches` rules out by them: of some filters, nearly all."""
    if not len(pairs) or not hasattr(filter_, "sketches") or not hasattr(filter_, "can_be_kin"):
        return pairs
    numbers = distinct(pairs)
    parts = [numbers[at : at + TEXTS_AT_A_TIME] for at in range(0, len(numbers), TEXTS_AT_A_TIME)]
    drawn = np.concatenate([filter_.sketches([texts[number] for number in part.tolist()]) for part in parts])
    places = np.searchsorted(numbers, pairs)
    possible = [
        filter_.can_be_kin(drawn, *places[at : at + PAIRS_AT_A_TIME].T)
        for at in range(0, len(pairs), PAIRS_AT_A_TIME)
    ]
    left: Pairs = pairs[np.concatenate(possible)]
    return left


def _in_parts(
    before: Sequence[tuple[int, str]], earlier_records: Callable[[Sequence[str]], Mapping[str, Record]]
) -> Iterator[tuple[list[tuple[int, str]], Mapping[str, Record]]]:
    """The candidate pairs with the earlier records they name, a bounded number at a time."""
    by_record = sorted(before, key=lambda pair: pair[1])
    for at in range(0, len(by_record), PAIRS_AT_A_TIME):
        part = by_record[at : at + PAIRS_AT_A_TIME]
        yield part, earlier_records(sorted({record for _, record in part}))
