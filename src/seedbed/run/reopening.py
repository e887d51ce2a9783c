"""Answers, refusals and failures that shall be asked for again, and the rounds that open for it.

What is forgotten stays in the reply log, and counts and costs as before; it only answers nothing any
more (store/forgotten.py). The rounds from the first that is concerned on become open plans again, as
an interrupted run leaves them: a partial view has every draft but those of reopened cells, and
`seedbed run` asks those and closes the rounds, with everything else from the log. Neither the
recipe nor an endpoint nor the eval is touched for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.cell import Cell
from seedbed.core.fate import Fate, fate_of
from seedbed.core.record import Record
from seedbed.core.verdict import Verdict
from seedbed.run.asking import scope_of
from seedbed.run.closing import CellResult, Tally
from seedbed.run.judging_again import failed_cells
from seedbed.run.manifest import Manifest, now
from seedbed.run.view import RunView
from seedbed.store.folder import RunFolder
from seedbed.store.ledger import Ledger
from seedbed.store.replies import LoggedRefusal, ReplyLog, StandingRow
from seedbed.store.rounds import CommittedRound, RoundData, Rounds
from seedbed.store.shards import read_rows
from seedbed.store.successor import Forgetting, Successor


@dataclass(frozen=True)
class Question:
    """What may be reopened: a draft, a failed cell, or logged rows of a cell that nobody judged yet.

    `cause` is that of a failed cell; `rows` answer the question in the log. `of_content`: a model
    filter asked it about the draft, and `cause` says why that stayed unjudged.
    """

    cell: Cell
    rows: Sequence[StandingRow] = ()
    record: Record | None = None
    fate: Fate | None = None
    cause: str = ""
    of_content: bool = False


@dataclass
class Reopening:
    """Questions to be asked again, and what they are known to cost."""

    cells: set[str] = field(default_factory=set)
    rows: dict[int, StandingRow] = field(default_factory=dict)
    failed_cells: set[str] = field(default_factory=set)
    unanswered: set[str] = field(default_factory=set)
    contents: set[bytes] = field(default_factory=set)
    accepted_records: set[str] = field(default_factory=set)

    def add(self, question: Question) -> None:
        self.cells.add(question.cell.id)
        self.rows |= {row.id: row for row in question.rows}
        record = question.record
        if question.of_content:
            self.contents.update(row.key.scope for row in question.rows)
            if record is not None and not question.rows:
                self.unanswered.add(record.id)
        elif question.cause:
            self.failed_cells.add(question.cell.id)
        if record is not None and question.fate is not None and question.fate.accepted:
            self.accepted_records.add(record.id)

    @property
    def accepted(self) -> int:
        return len(self.accepted_records)

    def to_json(self) -> dict[str, Any]:
        """`calls`: at least so many ask them again. Tokens are those that the forgotten replies took."""
        rows = self.rows.values()
        # Of a draft the judge is asked once more, and again only where that cannot be used.
        asked = {(row.key.scope, row.key.request) for row in rows if row.key.scope not in self.contents}
        refused = {row.key.scope for row in rows if row.refusal} - self.contents
        judged = len(self.contents) + len(self.unanswered)
        return {
            "cells": len(self.cells),
            "answers": sum(not row.refusal for row in rows),
            "refusals": sum(row.refusal for row in rows),
            "failed_cells": len(self.failed_cells),
            "accepted": self.accepted,
            "calls": len(asked) + judged + max(0, len(self.failed_cells) - len(refused)),
            "prompt_tokens": sum(row.usage.prompt_tokens for row in rows),
            "completion_tokens": sum(row.usage.completion_tokens for row in rows),
        }


def questions(folder: RunFolder, asker: str, log: ReplyLog) -> Iterator[Question]:
    """Everything of the run's present rounds that could be asked again, a round at a time."""
    rounds = Rounds(folder.rounds)
    ledger = Ledger(rounds)
    judged = {entry.number: entry for entry in ledger.rounds}
    open_numbers = set(rounds.open_numbers())
    for number in sorted(judged.keys() | open_numbers):
        cells = rounds.read_open_plan(number) if number in open_numbers else rounds.read_plan(number)
        by_scope: dict[bytes, list[StandingRow]] = {}
        for row in log.standing({scope_of(asker, cell.id) for cell in cells}):
            by_scope.setdefault(row.key.scope, []).append(row)
        drafts: dict[str, list[tuple[Record, Fate]]] = {}
        for record, fate in ledger.with_fates(number):
            drafts.setdefault(record.provenance.cell or "", []).append((record, fate))
        failed = failed_cells(judged[number]) if number in judged else rounds.failed_before(number)
        for position, cell in enumerate(cells):
            rows = by_scope.get(scope_of(asker, cell.id), [])
            if position in failed:
                refusals = [row for row in rows if row.refusal]
                yield Question(cell, refusals, cause=failed[position])
            elif cell.id in drafts:
                by_key = {str(row.key): row for row in rows}
                for record, fate in drafts[cell.id]:
                    keys = record.provenance.reply_keys
                    yield Question(cell, [by_key[key] for key in keys if key in by_key], record, fate)
            else:
                for row in rows:
                    logged = log.get(row.key) if row.refusal else None
                    yield Question(
                        cell, [row], cause=logged.cause if isinstance(logged, LoggedRefusal) else ""
                    )


def reopen(
    folder: RunFolder, log: ReplyLog, wanted: Iterable[Question], why: str, *, dry_run: bool = False
) -> Reopening:
    """Forget what answers these questions and open the rounds of their cells again.

    The caller holds the run's lock. Done wholly or not at all, also where it is killed; `dry_run`
    only counts. Raises StoreError.
    """
    result = Reopening()
    for question in wanted:
        result.add(question)
    if dry_run or not result.cells:
        return result
    manifest = Manifest.read(folder)
    successor = Successor(folder)
    ranking = manifest.value["facts"].get("model_filters", ())
    _open_again(Rounds(folder.rounds), successor.rounds, result.cells, ranking)
    value = manifest.with_rounds_aside(why)
    value["stopped"] = None
    value["proof_of_earlier"] = manifest.value["proof_of_earlier"] or folder.proof.is_file()
    successor.take_over(value, log=log.path, forgetting=Forgetting(sorted(result.rows), now(), why))
    return result


def reopen_failed(folder: RunFolder, log: ReplyLog) -> str:
    """Reopen every failed cell of the run, whatever it failed of; returns what to tell the user."""
    failed = (question for question in questions(folder, RunView(folder).asker, log) if question.cause)
    done = reopen(folder, log, failed, "failed cells are asked again")
    refusals = sum(row.refusal for row in done.rows.values())
    return f"{len(done.cells):,} failed cells are asked again, {refusals:,} of which the endpoint had refused"


def _open_again(present: Rounds, coming: Rounds, cells: set[str], ranking: Sequence[str]) -> None:
    """The same rounds, those from the first with one of these cells on as open plans with their views."""
    committed = {entry.number: entry for entry in present.committed()}
    opened = set(present.open_numbers())
    numbers = sorted(committed.keys() | opened)
    plans = {number: {cell.id for cell in present.read_plan(number)} for number in numbers}
    concerned = [number for number in numbers if plans[number] & cells]
    first = min(concerned, default=0)
    without_cells = [e for e in committed.values() if not e.partial and not e.measures["cells"]["planned"]]
    moved_the_target = {entry.number for entry in without_cells}
    if any(number > first for number in moved_the_target):
        first = 0  # its verdicts are on drafts of any earlier round: those close anew with it gone
    ledger = Ledger(present)
    for number in numbers:
        entry = committed.get(number)
        if number < first and entry is not None and not entry.partial:
            coming.copy_closed(present, entry)
        elif number not in moved_the_target:
            _open_round(number, entry, present, coming, ledger, cells, ranking)


def _open_round(
    number: int,
    entry: CommittedRound | None,
    present: Rounds,
    coming: Rounds,
    ledger: Ledger,
    reopened: set[str],
    ranking: Sequence[str],
) -> None:
    cells = present.read_plan(number)
    is_open = entry is None or entry.partial
    before = present.failed_before(number) if is_open or entry is None else failed_cells(entry)
    coming.write_plan(
        number, cells, {at: cause for at, cause in before.items() if cells[at].id not in reopened}
    )
    if entry is not None:
        data = _view(entry, cells, ledger, reopened, ranking)
        if data is not None:
            coming.commit(number, data, partial=True)


def _view(
    entry: CommittedRound,
    cells: Sequence[Cell],
    ledger: Ledger,
    reopened: set[str],
    ranking: Sequence[str],
) -> RoundData | None:
    """What stands of a round without the reopened cells: drafts, their verdicts as passed, and counts."""
    results: dict[int, CellResult] = {}
    states = []
    for row in read_rows(entry.file("cells"), ["position", "cell", "state", "cause"]):
        pending = row["state"] == "pending" or row["cell"] in reopened
        if not pending:
            results[row["position"]] = CellResult(cells[row["position"]], cause=row["cause"])
        state = ("pending", "") if pending else (row["state"], row["cause"])
        states.append((row["position"], row["cell"], *state))
    if not results:
        return None
    cover = tuple(name for name in entry.measures["cover"] if name)
    tally = Tally(cells, results, cover, ranking)
    position_of = {cell.id: at for at, cell in enumerate(cells)}
    records: list[tuple[int, Record]] = []
    verdicts: list[Verdict] = []
    passed = ledger.verdicts_of_round(entry)
    for record, _ in ledger.with_fates(entry.number):
        position = position_of[record.provenance.cell or ""]
        if position in results:
            records.append((position, record))
            verdicts += passed[record.id]
            tally.draft(position, record, passed[record.id], fate_of(passed[record.id]))
    rank = {record.id: at for at, (_, record) in enumerate(records)}
    keys: dict[tuple[str, str], list[int]] = {}
    for row in read_rows(entry.file("keys"), ["filter", "key", "record"]):
        if row["record"] in rank:
            keys.setdefault((row["filter"], row["record"]), []).append(row["key"])
    by_rank = sorted(keys.items(), key=lambda item: rank[item[0][1]])
    of_records = [(name, record, numbers) for (name, record), numbers in by_rank]
    return RoundData(records, verdicts, of_records, states, tally.measures())
