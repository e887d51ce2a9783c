"""The end of a rehearsal: which planted faults each filter caught, and what it wrongly dropped.

What was planted is recomputed from the reply keys; no record, verdict or filter knows of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from seedbed.core.chat import ReplyKey
from seedbed.core.fate import Fate
from seedbed.core.record import Record
from seedbed.core.verdict import OVER_TARGET
from seedbed.models.planted_faults import Fault, Faults
from seedbed.models.rehearsal import RehearsalTeacher
from seedbed.run.view import RunView


def self_test(view: RunView) -> dict[str, Any]:
    """Counts by fault kind and variant: planted, caught by filter, missed; and clean drafts dropped."""
    rehearsal = view.facts["rehearsal"]
    teacher = RehearsalTeacher(rehearsal["seed"], Faults.model_validate(rehearsal["faults"]))
    can_copy = view.facts["real_rows"]["train"] > 0
    faults: dict[str, _Caught] = {}
    variants: dict[str, _Caught] = {}
    clean = 0
    dropped: Counter[str] = Counter()
    ledger = view.ledger()
    forgotten = view.times_forgotten()
    for record, fate in ledger.with_fates():
        fault = _fault(teacher, record, can_copy, forgotten)
        filter_ = _dropped_by(fate, view.model_filters)
        if fault is None:
            clean += 1
            if filter_:
                dropped[filter_] += 1
            continue
        faults.setdefault(fault.kind, _Caught()).count(filter_)
        variants.setdefault(f"{fault.kind}/{_grade(fault)}", _Caught()).count(filter_)
    return {
        "faults": {kind: caught.to_json() for kind, caught in sorted(faults.items())},
        "variants": {name: caught.to_json() for name, caught in sorted(variants.items())},
        "clean": clean,
        "dropped_clean": dict(sorted(dropped.items())),
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


def _fault(
    teacher: RehearsalTeacher, record: Record, can_copy: bool, forgotten: Mapping[tuple[bytes, bytes], int]
) -> Fault | None:
    key = ReplyKey.parse(record.provenance.reply_keys[-1])
    fault = teacher.fault_at(key, times_forgotten=forgotten.get((key.request, key.scope), 0))
    # Where the recipe has no real row there was nothing to copy, and the reply is a clean one.
    if fault is not None and fault.kind == "copy" and not can_copy:
        return None
    return fault


def _dropped_by(fate: Fate, model_filters: Sequence[str]) -> str:
    """The filter that rejects, without its version; nothing where only the target turned it away.

    A model filter does not count: in a rehearsal its scores are made up.
    """
    if fate.accepted or fate.reason == OVER_TARGET or fate.filter in model_filters:
        return ""
    return fate.filter.partition("@")[0]


def _grade(fault: Fault) -> str:
    """The variant; edits of a copy by how much of it they changed, in steps of ten per cent."""
    if fault.variant != "edited":
        return fault.variant
    low = int(fault.strength * 10) * 10
    return f"edited {low}-{low + 10} %"
