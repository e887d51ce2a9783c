"""Money and licences in words: what was spent, what it would cost anew, which duties come with the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.money import nano, shown_dollars
from seedbed.publish.text_layout import heading, paragraph


def cost_section(summary: Mapping[str, Any]) -> str:
    """The section `Cost` of a report; nothing where no price is known or nothing is paid for."""
    cost = summary.get("cost")
    money = cost["money"] if cost is not None else None
    if cost is None or money is None or summary["rehearsal"]:
        return ""
    lines = [f"{_dollars(money['spent'])} spent"]
    if money["per_accepted"] is not None:
        lines[0] += f": {_dollars(money['per_accepted'])} for each accepted record"
    if money["by_rule"]:
        lines.append(
            f"of it {_dollars(money['by_rule'])} is a bound, charged for attempts whose cost nobody told"
        )
    if (embedder := cost["embedder"])["requests"]:
        lines.append(
            f"{embedder['requests']:,} of the requests are the embedder's, which read "
            f"{embedder['tokens']:,} tokens"
        )
    if money["price"] is not None:
        price = money["price"]
        lines.append(
            f"at ${price['input']:g} and ${price['output']:g} for a million tokens read and written "
            f"({price['source']}):"
        )
        # Either is unknown where a role that used anything has no price.
        if money["cached"] is not None:
            saved = _dollars(money["cached"])
            lines.append(f"{saved} is what the latest command took from the log and did not pay")
        if money["replacement"] is not None:
            anew = _dollars(money["replacement"])
            lines.append(f"{anew} is what asking for the same answers anew would cost")
    return "\n".join([heading("Cost"), *(paragraph(line, indent="  ", first="") for line in lines)])


def plan_line(cost: Mapping[str, Any] | None, answer_tokens: int | None) -> str:
    """What `plan` says of money, on one line."""
    if cost is None:
        return "cost: unknown, as no price is known; write price: {input: …, output: …} into the role"
    if cost["worst"] is None:
        expected = (
            f"about {_dollars(cost['expected'])}, if"
            if cost["expected"] is not None
            else "unknown: nobody knows whether"
        )
        return f"cost: {expected} later questions of a cell are like its first; `seedbed preview` measures it"
    if not cost["worst"]:
        return f"cost: nothing ({cost['price']['source']})"
    worst = f"at most {_dollars(cost['worst'])}, before retries"
    if cost["expected"] is None:
        return f"cost: {worst}"
    return f"cost: about {_dollars(cost['expected'])} with answers of {answer_tokens:,} tokens; {worst}"


def licence_lines(licences: Sequence[Mapping[str, Any]]) -> list[str]:
    """A line for each role, and one for each duty that its licence lays on the data."""
    lines = []
    for entry in licences:
        by = f"checked: {entry['checked']}" if entry["checked"] is not None else "by the user's own word"
        licence = entry["licence"] or "not stated"
        lines.append(
            f"licence of {entry['model']} ({entry['role']}): {licence}, {entry['verdict']} for use: "
            f"{entry['use']} ({by})"
        )
        lines += [f"duty: {duty}" for duty in entry["obligations"]]
    return lines


def _dollars(amount: float) -> str:
    return shown_dollars(nano(amount))
