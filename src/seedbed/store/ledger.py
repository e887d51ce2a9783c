"""Questions over the shards of a run: fates, accepted records, the way of one record.

Nothing derived is kept on disk: the committed Parquet files are read, a round at a time. Arrow's
functions are imported by whoever calls them: 7 MB that a run need not hold while it calibrates its filters.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from seedbed.core.cell import Cell
from seedbed.core.fate import ACCEPTED, Fate, fate_of
from seedbed.core.record import Record
from seedbed.core.verdict import OVER_TARGET, Verdict, by_score
from seedbed.store.rounds import CommittedRound, Rounds
from seedbed.store.shards import (
    from_json,
    read_columns,
    read_plan,
    read_records,
    read_rows,
    read_verdicts,
    record_from_row,
    verdict_from_row,
)

FIRST = 3
"""Drafts of one fate that are told by name."""

_FATE_COLUMNS = ("record", "filter", "keep", "reason")


@dataclass(slots=True)
class OfOneFate:
    """How many drafts came to it, and the ids of the first by rank."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def add(self, ids: Sequence[str]) -> None:
        self.count += len(ids)
        self.first += ids[: FIRST - len(self.first)]


class Ledger:
    """A read-only view of a run's committed rounds, partial views included unless told otherwise.

    It goes through the rounds one at a time: what it holds does not grow with the run.
    """

    def __init__(self, rounds: Rounds | Sequence[CommittedRound], *, partial: bool = True) -> None:
        """Over a listing of rounds, or over the run's rounds as they are now."""
        self.rounds = list(rounds.committed(partial=partial) if isinstance(rounds, Rounds) else rounds)
        self._by_fate: dict[Fate, OfOneFate] | None = None

    def _doubted(self, entry: CommittedRound) -> tuple[list[str], dict[str, Fate]]:
        """Ids of all drafts of one round by rank, and the fates of those that some filter rejected: by the
        round's own verdicts, then by those that later rounds without cells passed on them."""
        import pyarrow.compute as pc

        later = (o for o in self.rounds if o.number > entry.number and not o.measures["cells"]["planned"])
        tables = [read_columns(e.file("verdicts"), _FATE_COLUMNS) for e in (entry, *later)]
        verdicts = pa.concat_tables(tables)
        # Most drafts were rejected by nobody: only the others are folded one by one.
        doubted = pc.unique(verdicts.filter(pc.invert(verdicts["keep"]))["record"])
        passed: dict[str, list[Verdict]] = {}
        for row in verdicts.filter(pc.is_in(verdicts["record"], doubted)).to_pylist():
            passed.setdefault(row["record"], []).append(Verdict(**row))
        ids = read_columns(entry.file("records"), ["id"])["id"].to_pylist()
        return ids, {record: fate_of(verdicts) for record, verdicts in passed.items()}

    def _fates(self, entry: CommittedRound) -> dict[str, Fate]:
        """Fates of all drafts of one round. What no filter looked at (a recipe may have none) is accepted."""
        ids, doubted = self._doubted(entry)
        return {record: doubted.get(record, ACCEPTED) for record in ids}

    def by_fate(self) -> dict[Fate, OfOneFate]:
        """The drafts by what became of them, accepted ones first. Read from the verdicts once."""
        if self._by_fate is None:
            groups = {ACCEPTED: OfOneFate()}
            for entry in self.rounds:
                ids, doubted = self._doubted(entry)
                lost = {record for record, fate in doubted.items() if not fate.accepted}
                groups[ACCEPTED].add([record for record in ids if record not in lost])
                for record in ids:
                    if record in lost:
                        groups.setdefault(doubted[record], OfOneFate()).add([record])
            self._by_fate = groups
        return self._by_fate

    def verdicts_of_round(self, entry: CommittedRound) -> dict[str, list[Verdict]]:
        """All verdicts on the drafts of one round, whichever round passed them, by draft."""
        ids = read_columns(entry.file("records"), ["id"])["id"].to_pylist()
        passed: dict[str, list[Verdict]] = {record: [] for record in ids}
        later = (o for o in self.rounds if o.number > entry.number and not o.measures["cells"]["planned"])
        for source in (entry, *later):
            for verdict in read_verdicts(source.file("verdicts")):
                if verdict.record in passed:
                    passed[verdict.record].append(verdict)
        return passed

    def reasons(self) -> tuple[int, Counter[str]]:
        """(accepted, rejected by reason), folded from the verdicts themselves."""
        counted: Counter[str] = Counter()
        for fate, group in self.by_fate().items():
            counted[fate.reason] += group.count
        return counted.pop("", 0), counted

    def filters(self) -> list[str]:
        """Every `filter@version` that passed a verdict, in the order in which the filters run."""
        names: dict[str, None] = {}
        for entry in self.rounds:
            with pq.ParquetFile(entry.file("verdicts")) as file:
                for batch in file.iter_batches(columns=["filter"], use_threads=False):
                    names.update(dict.fromkeys(batch.column("filter").unique().to_pylist()))
        return list(names)

    def flags(self) -> Iterator[Verdict]:
        """Verdicts that keep a record and still give a reason to look at it, by rank."""
        import pyarrow.compute as pc

        for entry in self.rounds:
            if not any("flagged" in counts for counts in entry.measures["filters"].values()):
                continue
            with pq.ParquetFile(entry.file("verdicts")) as file:
                for batch in file.iter_batches(batch_size=512, use_threads=False):
                    marked = pc.and_(batch.column("keep"), pc.not_equal(batch.column("reason"), ""))
                    yield from (verdict_from_row(row) for row in batch.filter(marked).to_pylist())

    def with_fates(self, number: int | None = None) -> Iterator[tuple[Record, Fate]]:
        """Every draft (of one round, where it is named) with its fate, by rank: round, position, draft."""
        for entry in self.rounds:
            if number not in (None, entry.number):
                continue
            fates = self._fates(entry)
            for record in read_records(entry.file("records")):
                yield record, fates[record.id]

    def with_verdicts(self) -> Iterator[tuple[Record, Sequence[Verdict]]]:
        """Every draft by rank with the verdicts of its own round, without their evidence."""
        for entry in self.rounds:
            table = read_columns(entry.file("verdicts"), _FATE_COLUMNS)
            passed: dict[str, list[Verdict]] = {}
            for row in table.to_pylist():
                passed.setdefault(row["record"], []).append(Verdict(**row))
            for record in read_records(entry.file("records")):
                yield record, passed.get(record.id, ())

    def flagged(self) -> Iterator[tuple[Record, Fate, str]]:
        """Flagged drafts by rank, with their fate and the flag's reason."""
        for entry in self.rounds:
            found = {
                verdict.record: verdict.reason
                for verdict in read_verdicts(entry.file("verdicts"))
                if verdict.is_flag
            }
            if not found:
                continue
            fates = self._fates(entry)
            for record in read_records(entry.file("records")):
                if record.id in found:
                    yield record, fates[record.id], found[record.id]

    def accepted(self) -> Iterator[Record]:
        """Accepted records by rank."""
        return (record for record, fate in self.with_fates() if fate.accepted)

    def accepted_fields(self) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
        """(id, fields, slots) of accepted records by rank: a record's provenance is most of the reading.

        Records of equal slots share one map of them.
        """
        slots_of = lru_cache(1024)(from_json)
        for entry in self.rounds:
            fates = self._fates(entry)
            for row in read_rows(entry.file("records"), ["id", "fields", "slots"]):
                if fates[row["id"]].accepted:
                    yield row["id"], from_json(row["fields"]), slots_of(row["slots"])

    def good(self, ranking: Sequence[str] = ()) -> Iterator[tuple[Record, bool]]:
        """(record, accepted) of every record that only the target may have turned away, by rank.

        Scores of the model filters that `ranking` names come before the place in a round's plan.
        """
        for entry in self.rounds:
            fates = self._fates(entry)
            found: Iterator[tuple[Record, bool]] = (
                (record, fate.accepted)
                for record in read_records(entry.file("records"))
                if (fate := fates[record.id]).accepted or fate.reason == OVER_TARGET
            )
            if ranking:
                scores = self._scores(entry, ranking)
                found = iter(sorted(found, key=lambda each: by_score(scores.get(each[0].id, {}), ranking)))
            yield from found

    def scores(self, filters: Sequence[str]) -> dict[str, dict[str, float]]:
        """By `filter@version`: what each draft that it scored has, the last word where there are several."""
        found: dict[str, dict[str, float]] = {name: {} for name in filters}
        for entry in self.rounds:
            for record, scores in self._scores(entry, filters).items():
                for name, score in scores.items():
                    if score is not None:
                        found[name][record] = score
        return found

    def _scores(self, entry: CommittedRound, ranking: Sequence[str]) -> dict[str, dict[str, float | None]]:
        import pyarrow.compute as pc

        verdicts = read_columns(entry.file("verdicts"), ["record", "filter", "score"])
        scores: dict[str, dict[str, float | None]] = {}
        for row in verdicts.filter(pc.is_in(verdicts["filter"], pa.array(ranking, pa.string()))).to_pylist():
            scores.setdefault(row["record"], {})[row["filter"]] = row["score"]
        return scores

    def find(self, prefix: str, most: int = 5) -> list[Record]:
        """Records whose id starts with `prefix`, at most `most`."""
        import pyarrow.compute as pc

        return list(islice(self._where(lambda ids: pc.starts_with(ids, prefix)), most))

    def records(self, ids: Iterable[str]) -> dict[str, Record]:
        """Records by id; unknown ids are left out."""
        import pyarrow.compute as pc

        wanted = pa.array(set(ids), pa.string())
        found = self._where(lambda ids: pc.is_in(ids, wanted))
        return {record.id: record for record in islice(found, len(wanted))}

    def _where(self, condition: Callable[[pa.Array], pa.Array]) -> Iterator[Record]:
        """Records whose ids meet a condition; no other row is made an object of."""
        for entry in self.rounds:
            with pq.ParquetFile(entry.file("records")) as file:
                for batch in file.iter_batches(batch_size=512, use_threads=False):
                    found = batch.filter(condition(batch.column("id")))
                    yield from (record_from_row(row) for row in found.to_pylist())

    def verdicts(self, record: str) -> list[Verdict]:
        """All verdicts on a record in the order they were passed."""
        return [
            verdict
            for entry in self.rounds
            for verdict in read_verdicts(entry.file("verdicts"))
            if verdict.record == record
        ]

    def verdicts_on(self, ids: Iterable[str]) -> dict[str, list[Verdict]]:
        """All verdicts on each of these records in the order they were passed."""
        import pyarrow.compute as pc

        passed: dict[str, list[Verdict]] = {record: [] for record in ids}
        wanted = pa.array(list(passed), pa.string())
        for entry in self.rounds:
            with pq.ParquetFile(entry.file("verdicts")) as file:
                about = file.read(["record"], use_threads=False)["record"]
                if not pc.any(pc.is_in(about, wanted)).as_py():
                    continue
                for batch in file.iter_batches(batch_size=512, use_threads=False):
                    for row in batch.filter(pc.is_in(batch.column("record"), wanted)).to_pylist():
                        passed[row["record"]].append(verdict_from_row(row))
        return passed

    def cell(self, cell_id: str) -> Cell | None:
        """The planned cell of that id."""
        for entry in self.rounds:
            plan = entry.folder.with_suffix("") / "plan.parquet"
            for cell in read_plan(plan):
                if cell.id == cell_id:
                    return cell
        return None
