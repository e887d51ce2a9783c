"""What became of a run's drafts at each filter, and a few drafts of every fate for people to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.field_text import as_string
from seedbed.core.record import Record
from seedbed.core.verdict import TARGET_FILTER, Verdict
from seedbed.store.ledger import FIRST, Ledger

LONGEST = 1200
"""Characters that a specimen shows of a field or a reply."""

# What a draft that these reject may repeat reaches no page: the locked eval, a secret, somebody's data.
WITHHELD = ("contamination", "secrets", "pii")


def funnel(ledger: Ledger) -> dict[str, Any]:
    """How many drafts came and how many were left after each filter, in the order of the recipe.

    A draft counts at the first filter that rejects it, so that the steps sum to what was accepted:
    `{"drafts", "steps": [{"filter", "rejected": {reason: n}, "left"}]}`.
    """
    lost: dict[str, Counter[str]] = {}
    left = 0
    for fate, group in ledger.by_fate().items():
        left += group.count
        if not fate.accepted:
            lost.setdefault(fate.filter, Counter())[fate.reason] += group.count
    drafts, steps = left, []
    for name in sorted(ledger.filters(), key=_at_the_end):
        rejected = lost.get(name, Counter())
        left -= rejected.total()
        steps.append({"filter": name, "rejected": dict(sorted(rejected.items())), "left": left})
    return {"drafts": drafts, "steps": steps}


def _at_the_end(name: str) -> bool:
    """The target turns away what every filter kept; the other filters stand in their order."""
    return name == TARGET_FILTER


def specimens(ledger: Ledger) -> list[dict[str, Any]]:
    """The first drafts of each fate, accepted ones first, then flagged, then by reason.

    `{"kind": accepted|flagged|rejected, "reason", "filter", "drafts": [...]}`; a draft has its `id`,
    `fields` (or `reply` and `detail` where it was unreadable), and what the deciding verdict said.
    `withheld` is true, and there is no text, where the draft may repeat what no page may hold.
    """
    flags: dict[tuple[str, str, str], list[str]] = {}
    for verdict in ledger.flags():
        first = flags.setdefault(("flagged", verdict.reason, verdict.filter), [])
        if len(first) < FIRST:
            first.append(verdict.record)
    fates = {
        ("accepted" if fate.accepted else "rejected", fate.reason, fate.filter): group.first
        for fate, group in ledger.by_fate().items()
    }
    accepted = ("accepted", "", "")
    groups = {accepted: fates.pop(accepted)} | dict(sorted(flags.items())) | dict(sorted(fates.items()))
    ids = {record for group in groups.values() for record in group}
    records, verdicts = ledger.records(ids), ledger.verdicts_on(ids)
    return [
        {
            "kind": kind,
            "reason": reason,
            "filter": name,
            "drafts": [_specimen(records[record], verdicts[record], name) for record in group],
        }
        for (kind, reason, name), group in groups.items()
        if group
    ]


def _specimen(record: Record, passed: Sequence[Verdict], name: str) -> dict[str, Any]:
    said = [verdict for verdict in passed if verdict.filter == name]
    withheld = any(not verdict.keep and verdict.filter_name in WITHHELD for verdict in passed)
    value: dict[str, Any] = {
        "id": record.id,
        "template": record.provenance.template,
        "withheld": withheld,
        "fields": {} if withheld else {field: _cut(text) for field, text in record.fields.items()},
        "reply": None,
        "detail": "",
        "score": said[-1].score if said else None,
        "evidence": _evidence(said[-1].evidence) if said else {},
        "survivor": said[-1].survivor if said else None,
        "scores": {v.filter: v.score for v in passed if v.keep and v.score is not None},
    }
    if record.unreadable is not None and not withheld:
        value |= {"reply": _cut(record.unreadable.text), "detail": record.unreadable.detail}
    return value


def _cut(value: Any) -> str:
    text = as_string(value)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _evidence(evidence: Mapping[str, Any]) -> dict[str, str]:
    return {name: _cut(value) for name, value in sorted(evidence.items())}
