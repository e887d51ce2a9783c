"""What the default filters, each alone and all together, drop of what people wrote."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.filters.figure import Figure, Rate
from benchmarks.filters.human_items import DATA, OpenLock, human_items, other_human_items
from benchmarks.filters.trial import Trial, trial
from seedbed.filters import DEFAULT_FILTERS


def measure() -> list[Figure]:
    """At the end `contamination` with other items of the same set locked, which many resemble indeed."""
    items, context = human_items()
    trials = {name: trial(name, items, context) for name in DEFAULT_FILTERS}
    together = Trial(
        [
            "dropped" if any(said) else ""
            for said in zip(*(it.reasons for it in trials.values()), strict=True)
        ],
        sum(it.seconds for it in trials.values()),
    )
    others = other_human_items()
    alike = trial("contamination", items, replace(context, eval_lock=OpenLock(others)))
    return [
        *(_figure(name, DATA, each) for name, each in trials.items()),
        _figure("default", f"{DATA}, all together", together),
        _figure("contamination", f"{DATA}, {len(others):,} others locked", alike),
    ]


def _figure(name: str, data: str, each: Trial) -> Figure:
    dropped = Rate(sum(each.found), len(each.found))
    return Figure(name, data, len(each.found), None, None, dropped, each.rows_per_second)
