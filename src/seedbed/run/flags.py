"""What filters flagged and kept: worth a look, and no ground to drop it."""

from __future__ import annotations

from collections import Counter
from typing import Any

from seedbed.store.ledger import Ledger


def flags(ledger: Ledger) -> list[dict[str, Any]]:
    """Counts by filter, reason and, where the evidence tells one label from another, by that pair.

    The most frequent come first.
    """
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for verdict in ledger.flags():
        given, predicted = (str(verdict.evidence.get(name, "")) for name in ("given", "predicted"))
        counts[verdict.filter, verdict.reason, given, predicted] += 1
    return [
        {"filter": name, "reason": reason, "given": given, "predicted": predicted, "drafts": n}
        for (name, reason, given, predicted), n in sorted(
            counts.items(), key=lambda item: (-item[1], item[0])
        )
    ]
