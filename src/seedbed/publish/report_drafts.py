"""A few drafts of every fate, as a section of the report's page. Everything in them is data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.fate import Accounts
from seedbed.core.verdict import OVER_TARGET
from seedbed.publish.page_content import Block, Paragraph, Section, Specimen, Specimens, Tone

Summary = Mapping[str, Any]


def specimens_section(summary: Summary, accounts: Accounts) -> Section:
    """A few drafts of every fate. Everything in them is data."""
    blocks: list[Block] = []
    groups: Sequence[Mapping[str, Any]] = summary.get("specimens") or ()
    for group in groups:
        name, reason = group["filter"], group["reason"]
        count: int | None
        tone: Tone
        if group["kind"] == "accepted":
            title, count, tone = "accepted", accounts.drafts.accepted, "good"
        elif group["kind"] == "flagged":
            title, count, tone = f"kept, flagged {reason} by {name}", _flagged(summary, name, reason), "open"
        else:
            title, count, tone = f"{reason}, by {name}", _dropped(summary, name, reason), "bad"
        if reason == OVER_TARGET:
            tone = "plain"
        total = "" if count is None else f"{len(group['drafts'])} of {count:,}"
        drafts = [_specimen(draft) for draft in group["drafts"]]
        blocks.append(Specimens(title, total, tone, drafts))
    if blocks:
        blocks.insert(0, Paragraph("The first of each kind, as they came. seedbed show lists all."))
    return Section("drafts", "A look at the drafts", blocks)


def _flagged(summary: Summary, name: str, reason: str) -> int | None:
    flags = [e["drafts"] for e in summary.get("flags") or () if (e["filter"], e["reason"]) == (name, reason)]
    return sum(flags) if flags else None


def _dropped(summary: Summary, name: str, reason: str) -> int | None:
    for step in (summary.get("funnel") or {}).get("steps", ()):
        if step["filter"] == name:
            count: int | None = step["rejected"].get(reason)
            return count
    return None


def _specimen(draft: Mapping[str, Any]) -> Specimen:
    remarks = []
    if draft["withheld"]:
        remarks.append(
            "text withheld: it may repeat the locked eval, a secret or personal data, which reach no page"
        )
    if draft["detail"]:
        remarks.append(draft["detail"])
    if draft["survivor"]:
        remarks.append(f"its twin {draft['survivor']} stays")
    if draft["score"] is not None:
        remarks.append(f"score {draft['score']:.3g}")
    remarks += [f"{name}: {value}" for name, value in draft["evidence"].items() if name != "score"]
    remarks += [f"{name} {score:.3g}" for name, score in draft["scores"].items()]
    parts = list(draft["fields"].items())
    if draft["reply"] is not None:
        parts.append(("reply", draft["reply"]))
    return Specimen(draft["id"], parts, list(dict.fromkeys(remarks)))
