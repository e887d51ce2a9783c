"""What model filters asked about the drafts of a run, so that it can be asked again.

A judge's answers stand in the log under the content that was judged. Which they are is read from the
verdicts, so that neither the recipe nor a prompt is needed. A content may be that of several drafts:
they are judged by one answer, and open together where it is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from itertools import chain

from seedbed.core.chat import ReplyKey
from seedbed.core.verdict import UNJUDGED, Verdict
from seedbed.run.reopening import Question
from seedbed.store.folder import RunFolder
from seedbed.store.ledger import Ledger
from seedbed.store.replies import ReplyLog, StandingRow
from seedbed.store.rounds import Rounds

Meant = Callable[[Question], bool]


def judge_questions(
    folder: RunFolder, filters: Collection[str], log: ReplyLog, meant: Meant
) -> Iterator[Question]:
    """The questions of these model filters that are `meant`, with those about drafts of the same content."""
    wanted = [question for question in _asked(folder, filters, log) if meant(question)]
    scopes = {row.key.scope for question in wanted for row in question.rows}

    def is_shared(question: Question) -> bool:
        return any(row.key.scope in scopes for row in question.rows)

    return chain(wanted, filter(is_shared, _asked(folder, filters, log)))


def _asked(folder: RunFolder, filters: Collection[str], log: ReplyLog) -> Iterator[Question]:
    """One for each verdict of these filters that stands. `cause` says why a draft stayed unjudged."""
    rounds = Rounds(folder.rounds)
    ledger = Ledger(rounds)
    for entry in ledger.rounds:
        cells = {cell.id: cell for cell in rounds.read_plan(entry.number)}
        passed = {
            record: {v.filter: v for v in verdicts if v.filter in filters}
            for record, verdicts in ledger.verdicts_of_round(entry).items()
        }
        by_scope: dict[bytes, list[StandingRow]] = {}
        every = {scope for of in passed.values() for verdict in of.values() for scope in _scopes(verdict)}
        for row in log.standing(every):
            by_scope.setdefault(row.key.scope, []).append(row)
        for record, fate in ledger.with_fates(entry.number):
            for verdict in passed[record.id].values():
                rows = [row for scope in _scopes(verdict) for row in by_scope.get(scope, ())]
                cause = str(verdict.evidence.get(UNJUDGED, ""))
                cell = cells[record.provenance.cell or ""]
                yield Question(cell, rows, record, fate, cause, of_content=True)


def _scopes(verdict: Verdict) -> set[bytes]:
    """Under which what a verdict rests on stands in the log; none where no answer came at all."""
    keys = [*verdict.evidence.get("replies", ()), *filter(None, [verdict.evidence.get("refused")])]
    return {ReplyKey.parse(key).scope for key in keys}
