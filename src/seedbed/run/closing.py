"""A round as it fills, and its close: corpus filters, the target, measures for planning, one commit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from seedbed.core.background import give_way
from seedbed.core.cell import Cell
from seedbed.core.fate import Fate, fate_of
from seedbed.core.record import Record
from seedbed.core.verdict import (
    OVER_TARGET,
    TARGET_FILTER,
    UNJUDGED,
    Verdict,
    by_score,
    over_target,
    revived,
)
from seedbed.run.corpus import Member, judge_kin
from seedbed.run.filtering import Checked, FilterSet
from seedbed.run.planner import cover_value
from seedbed.run.quotas import Quotas
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import CommittedRound, RoundData, Rounds

# Drafts that are counted before others may have the interpreter.
DRAFTS_AT_ONCE = 128
# What a round counts for each value of a cover field.
COUNTED = ("cells", "failed", "drafts", "good", "accepted")


class CellResult(NamedTuple):
    """A finished cell: its drafts with the record filters' verdicts, or the cause of its failure."""

    cell: Cell
    drafts: Sequence[tuple[Record, Checked]] = ()
    cause: str = ""


@dataclass
class OpenRound:
    """A planned round and what came back so far, by plan position."""

    number: int
    cells: list[Cell]
    started: int = 0
    results: dict[int, CellResult] = field(default_factory=dict)
    unasked: int = 0

    @property
    def complete(self) -> bool:
        return len(self.results) == len(self.cells)

    @property
    def seen(self) -> bool:
        """Whether nothing more will come: every cell has its result, or stays pending unasked."""
        return len(self.results) + self.unasked == len(self.cells)


def close_round(
    number: int,
    cells: Sequence[Cell],
    results: Mapping[int, CellResult],
    *,
    rounds: Rounds,
    filters: FilterSet,
    quotas: Quotas,
    cover: Sequence[str],
    real_keys: Sequence[Path],
    real: Mapping[str, Record],
    partial: bool = False,
    kin: Mapping[str, Sequence[Verdict]] | None = None,
) -> tuple[Quotas, CommittedRound]:
    """Judge and commit a round; returns the quotas with what it took.

    Everything is taken in plan order, so the shards do not depend on the order of arrival. Cells
    without a result stay pending, which only a partial view has. `kin` are the verdicts of corpus
    and model filters by record, where they were passed before; a model filter's scores decide whom
    the target takes first.
    """
    drafts = [
        (position, record, checked)
        for position in sorted(results)
        for record, checked in results[position].drafts
    ]
    if kin is None:
        members = [Member(record, checked.keys) for _, record, checked in drafts if checked.kept]
        kin = kin_verdicts(
            members, rounds=rounds, filters=filters, real_keys=real_keys, real=real, partial=partial
        )
    give_way()
    passed = [[*checked.verdicts, *kin.get(record.id, ())] for _, record, checked in drafts]
    give_way()
    fates = [fate_of(verdicts) for verdicts in passed]
    good = [at for at, fate in enumerate(fates) if fate.accepted]
    keys = [(name, drafts[at][1].id, found) for at in good for name, found in drafts[at][2].keys.items()]
    give_way()
    for at in _by_rank(good, passed, filters.ranking):
        record = drafts[at][1]
        if not quotas.take({name: cover_value(record.slots, name) for name in cover}):
            passed[at].append(over_target(record.id))
            fates[at] = fate_of(passed[at])
    give_way()
    tally = Tally(cells, results, cover, filters.ranking)
    for (position, record, _), verdicts, fate in zip(drafts, passed, fates, strict=True):
        tally.draft(position, record, verdicts, fate)
        if position % DRAFTS_AT_ONCE == 0:
            give_way()
    data = RoundData(
        records=[(position, record) for position, record, _ in drafts],
        verdicts=[verdict for verdicts in passed for verdict in verdicts],
        keys=keys,
        cells=_states(cells, results),
        measures=tally.measures(),
    )
    return quotas, rounds.commit(number, data, partial=partial)


def _by_rank(
    drafts: Sequence[int], passed: Sequence[Sequence[Verdict]], ranking: Sequence[str]
) -> Sequence[int]:
    """Drafts in the order in which the target takes them: by score, then by their place in the plan."""
    if not ranking:
        return drafts
    scores = {at: {verdict.filter: verdict.score for verdict in passed[at]} for at in drafts}
    return sorted(drafts, key=lambda at: (by_score(scores[at], ranking), at))


def kin_verdicts(
    members: Sequence[Member],
    *,
    rounds: Rounds,
    filters: FilterSet,
    real_keys: Sequence[Path],
    real: Mapping[str, Record],
    partial: bool = False,
) -> dict[str, list[Verdict]]:
    """What the corpus filters say of members in rank order, beside the real rows and earlier rounds."""
    earlier = rounds.committed(partial=partial)
    keys_before = [*real_keys, *(entry.file("keys") for entry in earlier)]
    ledger = Ledger(rounds, partial=partial)

    def earlier_records(ids: Sequence[str]) -> Mapping[str, Record]:
        found = {record: real[record] for record in ids if record in real}
        return found | ledger.records(record for record in ids if record not in found)

    kin: dict[str, list[Verdict]] = {}
    for verdict in judge_kin(filters.corpus, members, keys_before, earlier_records, rounds.earlier_keys):
        kin.setdefault(verdict.record, []).append(verdict)
    return kin


def _states(cells: Sequence[Cell], results: Mapping[int, CellResult]) -> list[tuple[int, str, str, str]]:
    rows = []
    for position, cell in enumerate(cells):
        result = results.get(position)
        if result is None:
            rows.append((position, cell.id, "pending", ""))
        else:
            rows.append((position, cell.id, "failed" if result.cause else "done", result.cause))
    return rows


class Tally:
    """Counts of one round, by reason, filter and cover value."""

    def __init__(
        self,
        cells: Sequence[Cell],
        results: Mapping[int, CellResult],
        cover: Sequence[str],
        ranking: Sequence[str],
    ) -> None:
        self._ranking = frozenset(ranking)
        self._fields = tuple(cover) or ("",)
        self._planned = len(cells)
        self._failed = Counter(result.cause for result in results.values() if result.cause)
        self._done = len(results) - self._failed.total()
        self._drafts = 0
        self._accepted = 0
        self._good = 0
        self._rejected: Counter[str] = Counter()
        self._looked: Counter[tuple[str, ...]] = Counter()  # drafts by the filters that looked at them
        self._said: dict[str, dict[str, Counter[str]]] = {}
        self._cover: dict[str, dict[str, dict[str, int]]] = {name: {} for name in self._fields}
        self._of_cells = [[self._counts(name, cell.axes) for name in self._fields] for cell in cells]
        for position, of_cell in enumerate(self._of_cells):
            result = results.get(position)
            failed = result is not None and bool(result.cause)
            for counts in of_cell:
                counts["cells"] += 1
                counts["failed"] += failed

    def _counts(self, name: str, values: Mapping[str, Any]) -> dict[str, int]:
        """The counts of a cover field's value."""
        by_value, value = self._cover[name], cover_value(values, name)
        counts = by_value.get(value)
        if counts is None:
            counts = by_value[value] = dict.fromkeys(COUNTED, 0)
        return counts

    def draft(self, position: int, record: Record, verdicts: Sequence[Verdict], fate: Fate) -> None:
        """Count a draft of the cell at that place in the plan."""
        self._drafts += 1
        self._looked[tuple([verdict.filter for verdict in verdicts])] += 1
        if not fate.accepted or self._ranking or any(verdict.reason for verdict in verdicts):
            self._note(verdicts)
        good = fate.accepted or fate.reason == OVER_TARGET
        self._good += good
        for counts in self._of_cells[position]:
            counts["drafts"] += 1
            counts["good"] += good
        if fate.accepted:
            self._accepted += 1
            # Of a cell that leaves the label open the quota of the label that was found is served.
            for name in self._fields:
                self._counts(name, record.slots)["accepted"] += 1
        else:
            self._rejected[fate.reason] += 1

    def _note(self, verdicts: Sequence[Verdict]) -> None:
        """What filters said of a draft: most say nothing.

        Of two by the same filter (a twin that was promoted has them) the later one counts.
        """
        for verdict in {verdict.filter: verdict for verdict in verdicts}.values():
            said = self._said.setdefault(verdict.filter, {})
            if not verdict.keep:
                said.setdefault("rejected", Counter())[verdict.reason] += 1
            elif verdict.reason:
                said.setdefault("flagged", Counter())[verdict.reason] += 1
            if verdict.filter in self._ranking:
                self._score(said, verdict)

    def _score(self, said: dict[str, Counter[str]], verdict: Verdict) -> None:
        if verdict.score is not None:
            said.setdefault("scores", Counter())[f"{verdict.score:g}"] += 1
        else:
            said.setdefault(UNJUDGED, Counter())[str(verdict.evidence.get(UNJUDGED, ""))] += 1

    def _checked(self) -> Counter[str]:
        """Drafts that each filter looked at."""
        checked: Counter[str] = Counter()
        for filters, drafts in self._looked.items():
            for name in dict.fromkeys(filters):
                checked[name] += drafts
        return checked

    def measures(self) -> dict[str, Any]:
        """Plain JSON, as planning and accounts read it."""
        return {
            "cells": {"planned": self._planned, "done": self._done, "failed": self._failed.total()},
            "drafts": self._drafts,
            "accepted": self._accepted,
            "good": self._good,
            "rejected": dict(self._rejected),
            "failed": dict(self._failed),
            "filters": {
                name: {
                    "checked": checked,
                    "rejected": {},
                    **{what: dict(counts) for what, counts in self._said.get(name, {}).items()},
                }
                for name, checked in self._checked().items()
            },
            "cover": self._cover,
        }


def fit(
    rounds: Rounds, quotas: Quotas, cover: Sequence[str], ranking: Sequence[str] = ()
) -> list[tuple[Record, bool]]:
    """Offer every good draft to the quotas by rank; returns those whose fate that changes.

    The flag says whether the target wants the draft now. Writes nothing but into `quotas`.
    """
    changes = []
    for record, accepted in Ledger(rounds, partial=False).good(ranking):
        wanted = quotas.take({name: cover_value(record.slots, name) for name in cover})
        if wanted != accepted:
            changes.append((record, wanted))
    return changes


def retarget(rounds: Rounds, quotas: Quotas, cover: Sequence[str], ranking: Sequence[str] = ()) -> Quotas:
    """Fit what was generated so far to a target that changed; commits a round of verdicts if need be.

    A raised target revives `over_target` drafts before anything is asked, a lowered one turns the
    last away. Plans still open are dropped, as they were made for the other target; their replies
    are in the log.
    """
    rounds.discard_partial()
    changes = fit(rounds, quotas, cover, ranking)
    rounds.discard_open()
    if not changes:
        return quotas
    step = {True: 1, False: -1}
    accepted = sum(step[wanted] for _, wanted in changes)
    turned_away = sum(not wanted for _, wanted in changes)
    by_value: dict[str, dict[str, Counter[str]]] = {name: {} for name in cover}
    for record, wanted in changes:
        for name in cover:
            by_value[name].setdefault(cover_value(record.slots, name), Counter())["accepted"] += step[wanted]
    measures = {
        "cells": {"planned": 0, "done": 0, "failed": 0},
        "drafts": 0,
        "accepted": accepted,
        "good": 0,
        "rejected": {OVER_TARGET: -accepted},
        "failed": {},
        "filters": {TARGET_FILTER: {"checked": turned_away, "rejected": {OVER_TARGET: -accepted}}},
        "cover": {
            name: {value: {what: counts[what] for what in COUNTED} for value, counts in values.items()}
            for name, values in by_value.items()
        },
    }
    number = 1 + max((entry.number for entry in rounds.committed(partial=False)), default=0)
    verdicts = [revived(record.id) if wanted else over_target(record.id) for record, wanted in changes]
    rounds.write_plan(number, [])
    rounds.commit(number, RoundData([], verdicts, [], [], measures))
    return quotas
