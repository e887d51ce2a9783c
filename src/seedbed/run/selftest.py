"""The end of a rehearsal: which planted faults each filter caught, and what it wrongly dropped.

What was planted is recomputed from the reply keys; no record, verdict or filter knows of it. As plain
values, for `--json` and the reports:

    faults         kind -> {planted, caught: {filter: n}, missed}; caught by whichever filter rejected
                   the draft, or flagged it where none did
    variants       the same by "kind/grade"
    filters        one entry for each filter that a fault was planted for or that the recipe has:
                   filter, planted (faults that are there for it and came before it), caught (by itself,
                   flags among them), flagged, missed, catch_rate with Wilson's interval low..high at
                   95 % (null where nothing was planted), dropped_before (faults for it that another
                   filter took out first), grades {grade: {planted, caught}}, clean (clean drafts that it
                   looked at), dropped_clean, flagged_clean, false_drop_rate with false_drop_low..high
    clean          clean drafts
    dropped_clean  filter -> clean drafts that it was the first to reject
    flagged_clean  filter -> clean drafts that it flagged
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from seedbed.core.chat import ReplyKey
from seedbed.core.record import Record
from seedbed.core.verdict import TARGET_FILTER, Verdict
from seedbed.models.fault_plan import Fault, FaultPlan
from seedbed.models.rehearsal import RehearsalTeacher
from seedbed.run.view import RunView
from seedbed.stats.intervals import wilson


def self_test(view: RunView) -> dict[str, Any]:
    """The catch and false-drop table of a rehearsal."""
    facts = view.facts["rehearsal"]
    plan = FaultPlan.from_json(facts["plan"])
    teacher = RehearsalTeacher(facts["seed"], plan)
    faults: dict[str, _Caught] = {}
    variants: dict[str, _Caught] = {}
    filters = {name: _Filter(name) for name in plan.filters}
    clean = 0
    dropped: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    forgotten = view.times_forgotten()
    for record, verdicts in view.ledger().with_verdicts():
        # What a method's steps are told to get wrong, no single reply of theirs shows.
        if record.provenance.method in facts.get("methods_of_steps", ()):
            continue
        fault = _fault(teacher, record, facts["text_methods"], forgotten)
        said: dict[str, Verdict] = {}
        for verdict in verdicts:
            # What a filter said first. A judge does not count: in a rehearsal its scores are made up.
            if verdict.filter != TARGET_FILTER and verdict.filter not in view.model_filters:
                said.setdefault(verdict.filter_name, verdict)
        by = next((name for name, verdict in said.items() if not verdict.keep), "")
        flags = [name for name, verdict in said.items() if verdict.is_flag]
        if fault is None:
            clean += 1
            dropped.update([by] if by else [])
            flagged.update(flags)
            for name, entry in filters.items():
                entry.note_clean(said.get(name))
            continue
        name = plan.answers(fault)
        filters.setdefault(name, _Filter(name)).note(fault, said, reached=name in plan.filters)
        caught_by = by or (flags[0] if flags else "")
        faults.setdefault(fault.kind, _Caught()).count(caught_by)
        variants.setdefault(f"{fault.kind}/{fault.grade}", _Caught()).count(caught_by)
    return {
        "faults": {kind: caught.to_json() for kind, caught in sorted(faults.items())},
        "variants": {name: caught.to_json() for name, caught in sorted(variants.items())},
        "filters": [entry.to_json() for entry in filters.values()],
        "clean": clean,
        "dropped_clean": dict(sorted(dropped.items())),
        "flagged_clean": dict(sorted(flagged.items())),
    }


class _Caught:
    def __init__(self) -> None:
        self.planted = 0
        self.caught: Counter[str] = Counter()

    def count(self, filter_: str) -> None:
        self.planted += 1
        if filter_:
            self.caught[filter_] += 1

    def to_json(self) -> dict[str, Any]:
        return {
            "planted": self.planted,
            "caught": dict(sorted(self.caught.items())),
            "missed": self.planted - self.caught.total(),
        }


@dataclass
class _Filter:
    """What one filter did about the faults that are there for it, and about clean drafts."""

    name: str
    planted: Counter[str] = field(default_factory=Counter)
    caught: Counter[str] = field(default_factory=Counter)
    flagged: int = 0
    dropped_before: int = 0
    clean: int = 0
    dropped_clean: int = 0
    flagged_clean: int = 0

    def note(self, fault: Fault, said: Mapping[str, Verdict], *, reached: bool) -> None:
        """`reached`: whether the recipe has the filter, which then has no word only on what never came."""
        verdict = said.get(self.name)
        if verdict is None and reached:
            self.dropped_before += 1
            return
        self.planted[fault.grade] += 1
        if verdict is not None and verdict.reason:
            self.caught[fault.grade] += 1
            self.flagged += verdict.is_flag

    def note_clean(self, verdict: Verdict | None) -> None:
        if verdict is not None:
            self.clean += 1
            self.dropped_clean += not verdict.keep
            self.flagged_clean += verdict.is_flag

    def to_json(self) -> dict[str, Any]:
        planted, caught = self.planted.total(), self.caught.total()
        rate, low, high = _rate(caught, planted)
        false_rate, false_low, false_high = _rate(self.dropped_clean, self.clean)
        return {
            "filter": self.name,
            "planted": planted,
            "caught": caught,
            "flagged": self.flagged,
            "missed": planted - caught,
            "catch_rate": rate,
            "low": low,
            "high": high,
            "dropped_before": self.dropped_before,
            "grades": {
                grade: {"planted": n, "caught": self.caught[grade]}
                for grade, n in sorted(self.planted.items())
            },
            "clean": self.clean,
            "dropped_clean": self.dropped_clean,
            "flagged_clean": self.flagged_clean,
            "false_drop_rate": false_rate,
            "false_drop_low": false_low,
            "false_drop_high": false_high,
        }


def _rate(hits: int, total: int) -> tuple[float | None, float | None, float | None]:
    if not total:
        return None, None, None
    estimate = wilson(hits, total).to_json()
    return estimate["value"], estimate["low"], estimate["high"]


def _fault(
    teacher: RehearsalTeacher,
    record: Record,
    text_methods: Sequence[str],
    forgotten: Mapping[tuple[bytes, bytes], int],
) -> Fault | None:
    key = ReplyKey.parse(record.provenance.reply_keys[-1])
    times = forgotten.get((key.request, key.scope), 0)
    return teacher.fault_at(key, times_forgotten=times, text=record.provenance.method in text_methods)
