"""Fates fold, accounts add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seedbed.core.errors import AccountsError
from seedbed.core.fate import Accounts, Fate, fate_of
from seedbed.core.verdict import Verdict, over_target, revived


def keep(name: str) -> Verdict:
    return Verdict("r", f"{name}@1", keep=True)


def drop(name: str, reason: str) -> Verdict:
    return Verdict("r", f"{name}@1", keep=False, reason=reason)


def test_the_first_filter_that_rejects_gives_the_reason() -> None:
    verdicts = [keep("schema"), drop("length", "too_short"), drop("refusal", "refused")]
    assert fate_of(verdicts) == Fate(False, "too_short", "length@1")


def test_no_verdict_rejects() -> None:
    assert fate_of([keep("schema")]).accepted
    assert fate_of([]).accepted


def test_a_raised_target_takes_over_target_back_and_nothing_else() -> None:
    assert fate_of([keep("schema"), over_target("r")]).reason == "over_target"
    assert fate_of([keep("schema"), over_target("r"), revived("r")]).accepted
    assert fate_of([drop("schema", "not_json"), over_target("r"), revived("r")]).reason == "not_json"


def test_a_new_version_of_a_filter_holds_in_the_old_ones_place() -> None:
    newer = Verdict("r", "length@2", keep=True)
    assert fate_of([drop("length", "too_short"), drop("refusal", "refused"), newer]).reason == "refused"


counts = st.dictionaries(st.sampled_from(["a", "b", "c"]), st.integers(0, 50))


@given(st.integers(0, 50), counts, counts, st.integers(0, 50))
def test_accounts_hold_exactly_when_they_add_up(
    accepted: int, rejected: dict[str, int], failed: dict[str, int], pending: int
) -> None:
    accounts = Accounts(target=10)
    accounts.drafts.accepted, accounts.drafts.pending = accepted, pending
    accounts.drafts.rejected.update(rejected)
    accounts.drafts.failed.update(failed)
    accounts.drafts.total = accepted + sum(rejected.values()) + sum(failed.values()) + pending
    accounts.check()
    assert Accounts.from_json(accounts.to_json()).to_json() == accounts.to_json()
    accounts.drafts.total += 1
    with pytest.raises(AccountsError, match="drafts"):
        accounts.check()
    accounts.drafts.total -= 1
    accounts.cells.done += 1
    with pytest.raises(AccountsError, match="cells"):
        accounts.check()
