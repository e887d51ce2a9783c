"""A run as plain values: what `report`, `--json` and the exporters of documents are made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from contextlib import ExitStack
from typing import Any

from seedbed.core.chat import Usage
from seedbed.core.money import Charged
from seedbed.core.verdict import OVER_TARGET
from seedbed.run.accounts import read_accounts
from seedbed.run.flags import flags
from seedbed.run.judgement import judgement
from seedbed.run.measuring import read_measures
from seedbed.run.mix_results import mix_results
from seedbed.run.pricing import money_of, prices_from
from seedbed.run.proof_file import VERSION as PROOF_VERSION
from seedbed.run.proof_file import read_proof
from seedbed.run.scopes import asked_scopes, other_scopes, standing_scopes
from seedbed.run.selftest import self_test
from seedbed.run.specimens import funnel, specimens
from seedbed.run.spending import Spending
from seedbed.run.view import RunView
from seedbed.sources.eval_lock_file import EvalLockFile
from seedbed.store.folder import is_at_work
from seedbed.store.ledger import Ledger
from seedbed.store.replies import ReplyLog
from seedbed.store.rounds import CommittedRound
from seedbed.store.tally import Spent, Tally


def summarise(view: RunView) -> dict[str, Any]:
    """Everything a report says, read from the run folder and the reply log."""
    folder, facts, rounds = view.folder, view.facts, view.rounds
    ledger = Ledger(rounds)
    committed = ledger.rounds
    notes = _notes(facts)
    proof = read_proof(folder)
    if view.manifest.get("proof_of_earlier", False) or (proof and proof.get("version") != PROOF_VERSION):
        notes.append(
            "the proof on disk is of records, a mix or a student that have changed since, or of an earlier "
            "Seedbed; `seedbed run` or `seedbed evaluate` makes it anew"
        )
        proof = None
    stopped, after = view.manifest["stopped"], view.manifest["replies_after"]
    with ExitStack() as stack:
        log = stack.enter_context(view.log()) if view.has_log else None
        accounts = read_accounts(rounds, ledger, log, view.asker, facts["target"], stopped, after)
        spending = Spending.read(folder, rehearsal=view.rehearsal, at_work=is_at_work(folder))
        accepted = accounts.drafts.accepted
        calls = money = None
        if log is not None:
            present = log.tally(standing_scopes(folder, view.asker))
            tally = present + log.tally(other_scopes(folder, view.recipe, rehearsal=view.rehearsal))
            calls = _calls(tally)
            money = _money(view, log, tally.spent, present.tokens, spending, accepted)
        judged = judgement(view, committed, log)
    if calls is None:
        notes.append(
            f"the reply log {view.log_path} cannot be opened: calls and raw replies cannot be told; keep "
            "the run folder where its recipe is"
        )
    elif money is None or money["unpriced_calls"]:
        notes.append(_unknown_money(money, calls["requests"] + spending.embedder.requests))
    return {
        "run": str(folder.path),
        "recipe": view.recipe,
        "task": facts["task"]["kind"],
        "rehearsal": view.rehearsal,
        "accounts": accounts.to_json(),
        "at_work": is_at_work(folder),
        "partial": any(entry.partial for entry in committed),
        "calls": calls,
        "cost": _cost(calls, spending.embedder, money),
        "use": facts.get("use"),
        "licences": facts.get("licences", []),
        "by_cover": _by_cover(facts["by_field"], committed),
        "filters": _filters(committed),
        "flags": flags(ledger),
        "funnel": funnel(ledger),
        "specimens": specimens(ledger),
        "judged": judged,
        "rounds": [_round(entry) for entry in committed],
        "selftest": self_test(view) if view.rehearsal else None,
        "eval": _eval(view),
        "measures": read_measures(folder),
        "mix": mix_results(view),
        "proof": proof,
        "versions": versions_told(view.manifest),
        "set_aside": view.manifest.get("set_aside", []),
        "notes": notes,
    }


def versions_told(manifest: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The versions of the recipe that the run grew through, and what changed in each, by key."""
    told = ("at", "changed", "differences", "parts", "lock", "prompts")
    return [
        {"version": number, **{key: version[key] for key in told if key in version}}
        for number, version in enumerate(manifest["versions"], start=1)
    ]


def _calls(tally: Tally) -> dict[str, Any]:
    return {
        "requests": tally.calls,
        "answers": tally.answers,
        "forgotten": tally.forgotten,
        "attempts": dict(sorted(tally.attempts.items())),
        "prompt_tokens": tally.tokens.prompt_tokens,
        "completion_tokens": tally.tokens.completion_tokens,
    }


def _cost(
    calls: Mapping[str, Any] | None, embedder: Charged, money: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """What the run used up, its embedder included. `money` is None where no price is known."""
    if calls is None:
        return None
    return {
        "requests": calls["requests"] + embedder.requests,
        "prompt_tokens": calls["prompt_tokens"] + embedder.tokens,
        "completion_tokens": calls["completion_tokens"],
        "embedder": {"requests": embedder.requests, "tokens": embedder.tokens},
        "money": money,
    }


def _money(
    view: RunView,
    log: ReplyLog,
    spent: Spent,
    present: Usage,
    spending: Spending,
    accepted: int,
) -> dict[str, Any] | None:
    asked = asked_scopes(view.folder, rehearsal=view.rehearsal)
    by_role: dict[str, set[bytes]] = {}
    for name, role in view.roles_of_filters.items():
        by_role.setdefault(role, set()).update(asked.get(name.partition("@")[0], ()))
    return money_of(
        spent,
        spending.lost.cost,
        spending.embedder,
        accepted,
        prices=prices_from(view.facts),
        replayed=spending.replayed,
        present={
            "teacher": present,
            **{role: log.tally(scopes).tokens for role, scopes in by_role.items()},
        },
    )


def _unknown_money(money: Mapping[str, Any] | None, requests: int) -> str:
    remedy = "write price: {input: …, output: …} into the role, in US dollars per million tokens"
    if money is None:
        return f"no cost: nobody knows what {requests:,} requests cost; {remedy}"
    return (
        f"{money['unpriced_calls']:,} of {requests:,} requests were made when no price was known, and "
        "are not in the cost"
    )


def _by_cover(
    by_field: Mapping[str, Mapping[str, int]], committed: list[CommittedRound]
) -> dict[str, dict[str, dict[str, int]]]:
    result: dict[str, dict[str, dict[str, int]]] = {}
    for name, targets in by_field.items():
        rows = {value: {"target": n, "accepted": 0, "drafts": 0, "cells": 0} for value, n in targets.items()}
        for entry in committed:
            for value, counts in entry.measures["cover"].get(name, {}).items():
                row = rows.setdefault(value, {"target": 0, "accepted": 0, "drafts": 0, "cells": 0})
                for what in ("accepted", "drafts", "cells"):
                    row[what] += counts[what]
        result[name] = rows
    return result


def _filters(committed: list[CommittedRound]) -> list[dict[str, Any]]:
    checked: Counter[str] = Counter()
    rejected: dict[str, Counter[str]] = {}
    for entry in committed:
        for name, counts in entry.measures["filters"].items():
            checked[name] += counts["checked"]
            rejected.setdefault(name, Counter()).update(counts["rejected"])
    return [{"filter": name, "checked": n, "rejected": dict(rejected[name])} for name, n in checked.items()]


def _round(entry: CommittedRound) -> dict[str, Any]:
    measures: Mapping[str, Any] = entry.measures
    cells = measures["cells"]["planned"]
    return {
        "round": entry.number,
        "cells": cells,
        "accepted": measures["accepted"],
        "over_target": measures["rejected"].get(OVER_TARGET, 0),
        "yield": round(measures["good"] / cells, 4) if cells else None,
        "partial": entry.partial,
    }


def _eval(view: RunView) -> dict[str, Any] | None:
    path = view.folder.eval_lock
    if view.facts["eval_path"] is None or not path.is_file():
        return None
    return {"path": view.facts["eval_path"], **EvalLockFile.read(path).to_json()}


def _notes(facts: Mapping[str, Any]) -> list[str]:
    """What this run cannot show, so that silence is not taken for a good result."""
    notes = []
    if not facts["real_rows"]["train"]:
        notes.append(
            "no real data: no filter is calibrated on real rows, no draft is compared with them, and "
            "nothing shows what the data is worth; add a source"
        )
    if not facts["task"]["labels"] and not facts.get("student"):
        notes.append(
            "no student: nothing shows what the records teach; name one that writes (student: {command: …}), "
            "and look at the records themselves"
        )
    if facts["eval_path"] is None:
        notes.append(
            "no locked eval: contamination is not checked and nothing is proven on a student; add a "
            "source with `lock: true`, or `split: {eval: 0.3}` to a real source"
        )
    notes += facts.get("not_checked", [])
    return notes
