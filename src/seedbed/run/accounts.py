"""The accounts of a run as its folder and the reply log tell them: true at every moment."""

from __future__ import annotations

from seedbed.core.cell import Cell
from seedbed.core.errors import AccountsError
from seedbed.core.fate import Accounts, Stopped
from seedbed.run.asking import scope_of
from seedbed.store.ledger import Ledger
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import CommittedRound, Rounds
from seedbed.store.shards import read_rows


def read_accounts(
    rounds: Rounds,
    ledger: Ledger,
    log: ReplyLog | None,
    asker: str,
    target: int,
    stopped: Stopped | None,
    replies_after: int,
) -> Accounts:
    """Sum the committed rounds and partial views; what is planned beyond them is pending.

    `ledger` is over one listing of them, so that a run that closes another meanwhile confuses nothing.

    A cell without a result is pending, and so are its logged replies, which nobody judged yet: those
    past row `replies_after`, where the recipe last changed what it asks. Without the log (a run
    folder that was moved) none can be told.
    Raises AccountsError where the sums and the verdicts themselves disagree.
    """
    committed, accounts = ledger.rounds, Accounts(target=target, stopped=stopped)
    for entry in committed:
        _add(accounts, entry)
    pending: list[Cell] = []
    views = {entry.number: entry for entry in committed if entry.partial}
    closed = {entry.number for entry in committed if not entry.partial}
    for number, cells in rounds.open_plans(closed).items():
        view = views.get(number)
        if view is None:
            accounts.cells.planned += len(cells)
            pending += cells
        else:
            states = [row["state"] for row in read_rows(view.file("cells"), ["state"])]
            pending += [cell for cell, state in zip(cells, states, strict=True) if state == "pending"]
    accounts.cells.pending = len(pending)
    if pending and log is not None:
        scopes = {scope_of(asker, cell.id) for cell in pending}
        accounts.drafts.pending = log.count(scopes, replies_after)
    accounts.drafts.total += accounts.drafts.pending
    accounts.check()
    _check_against_verdicts(ledger, accounts)
    return accounts


def _add(accounts: Accounts, entry: CommittedRound) -> None:
    measures = entry.measures
    accounts.cells.planned += measures["cells"]["planned"]
    accounts.cells.done += measures["cells"]["done"]
    accounts.cells.failed += measures["cells"]["failed"]
    accounts.drafts.total += measures["drafts"] + measures["cells"]["failed"]
    accounts.drafts.accepted += measures["accepted"]
    accounts.drafts.rejected.update(measures["rejected"])
    accounts.drafts.failed.update(measures["failed"])


def _check_against_verdicts(ledger: Ledger, accounts: Accounts) -> None:
    accepted, rejected = ledger.reasons()
    if accepted != accounts.drafts.accepted or +rejected != +accounts.drafts.rejected:
        raise AccountsError(
            f"the rounds count {accounts.drafts.accepted} accepted and {dict(accounts.drafts.rejected)}, "
            f"the verdicts {accepted} and {dict(rejected)}"
        )
    accounts.drafts.rejected = +accounts.drafts.rejected
