"""New verdicts over the saved plans and logged replies, without a call.

The rounds are made again beside the present ones, in order, by the pipeline that makes every round:
cells replay from the log, filters pass their verdicts, rounds close under the target in force.
Only where all of that is done do the new rounds take over (store/successor.py).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.fate import Fate
from seedbed.core.record import Record
from seedbed.run.asking import AskingSpace
from seedbed.run.pipeline import Pipeline
from seedbed.store.ledger import Ledger
from seedbed.store.rounds import CommittedRound, Rounds
from seedbed.store.shards import read_rows

MOST_EXAMPLES = 5

# What a draft was, and is: `accepted`, or the reason why it is rejected.
Move = tuple[str, str]


@dataclass
class Difference:
    """What new verdicts changed: drafts by (before, after), with the first few ids of each."""

    before: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    moved: Counter[Move] = field(default_factory=Counter)
    examples: dict[Move, list[str]] = field(default_factory=dict)

    def note(self, before: str | None, after: str | None, record: str) -> None:
        """One draft; None where there was, or is, no such draft."""
        if before is not None:
            self.before[before] += 1
        if after is not None:
            self.after[after] += 1
        if before != after:
            move = before or "no draft", after or "no draft"
            self.moved[move] += 1
            if len(ids := self.examples.setdefault(move, [])) < MOST_EXAMPLES:
                ids.append(record)

    def to_json(self) -> dict[str, Any]:
        moves = sorted(self.moved.items(), key=lambda item: (-item[1], item[0]))
        return {
            "before": _counts(self.before),
            "after": _counts(self.after),
            "moved": [
                {"from": a, "to": b, "drafts": n, "examples": self.examples[a, b]} for (a, b), n in moves
            ],
        }


def _counts(fates: Counter[str]) -> dict[str, Any]:
    rejected = {reason: n for reason, n in sorted(fates.items()) if reason != "accepted"}
    return {"accepted": fates["accepted"], "rejected": rejected}


async def judge_again(
    present: Rounds,
    coming: Rounds,
    asking: AskingSpace,
    make: Callable[[Rounds, AskingSpace], Pipeline],
    *,
    open_plans: bool = True,
) -> int:
    """Make the rounds of `present` again in `coming`; returns how many done cells the log cannot replay.

    Rounds that only moved the target are left out: the new ones close under the target in force.
    Cells that failed stay failed. `make` gives a pipeline over rounds and prompts that plans nothing;
    `asking` is answered by the log alone.
    """
    closed = [entry for entry in present.committed(partial=False) if entry.measures["cells"]["planned"]]
    for entry in closed:
        coming.write_plan(entry.number, present.read_plan(entry.number), failed_cells(entry))
    if open_plans:
        for number in present.open_numbers():
            cells = present.read_open_plan(number)
            coming.write_plan(number, cells, present.failed_before(number))
    pipeline = make(coming, asking)
    await pipeline.run()
    return sum(pipeline.unasked.get(entry.number, 0) for entry in closed)


def failed_cells(entry: CommittedRound) -> dict[int, str]:
    """Failed cells of a round: plan position -> cause."""
    rows = read_rows(entry.file("cells"), ["position", "state", "cause"])
    return {row["position"]: row["cause"] for row in rows if row["state"] == "failed"}


def difference_between(before: Rounds, after: Rounds) -> Difference:
    """Hold the drafts of two makings of the same plans against each other, a round at a time."""
    result = Difference()
    old, new = Ledger(before), Ledger(after)
    for number in sorted({entry.number for entry in (*old.rounds, *new.rounds)}):
        was, now = _drafts(old, number), _drafts(new, number)
        for place in sorted(was.keys() | now.keys()):
            one, other = was.get(place), now.get(place)
            known = other or one
            assert known is not None
            result.note(one and _fate(one[1]), other and _fate(other[1]), known[0].id)
    return result


def _drafts(ledger: Ledger, number: int) -> Mapping[tuple[str, int], tuple[Record, Fate]]:
    """Drafts of one round by cell and draft index, which no verdict and no parser changes."""
    return {
        (record.provenance.cell or "", record.provenance.draft): (record, fate)
        for record, fate in ledger.with_fates(number)
    }


def _fate(fate: Fate) -> str:
    return "accepted" if fate.accepted else fate.reason
