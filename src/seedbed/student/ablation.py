"""What each filter, method or template was worth to the student: the mix as it is beside the mix without it.

Every set has the size and the share of the recipe's mix; what differs is the generated rows that it may draw
from. Without a filter these are the accepted ones and the drafts that this filter turned away, in the
proportion in which they came; without a method or template they are those of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seedbed.student.arms import Arm, in_order
from seedbed.student.examine import difference_of
from seedbed.student.mixture import Mixture, MixtureError, mix
from seedbed.student.problems import told_once
from seedbed.student.repeated import Try
from seedbed.student.rows import Row

SEEDS = 5
BASE = "as it is"


def ablate(
    real: Sequence[Row],
    pools: Mapping[str, Sequence[Row]],
    mixture: Mixture,
    attempt: Try,
    *,
    seed: int = 0,
    tell: Callable[[str], None] = lambda line: None,
) -> dict[str, Any]:
    """Learn from a mix of each pool of generated rows, of which `BASE` is one, and compare with that.

    The result is plain JSON: `base`, and `without` with each other pool: its rows, the pool's size, its score
    and the difference to the base; `worth` is how much better the base is. A pool too small for the base's
    mix is `left_out`, with the reason. Raises MixtureError where the base's mix cannot be made.
    """
    base = _mixed(BASE, real, pools[BASE], mixture, seed)
    if not base.rows:
        raise MixtureError(f"the recipe's mix cannot be made: {base.note}")
    runs: dict[str, list[Arm]] = {}
    left_out: dict[str, str] = {}
    for name, pool in pools.items():
        if len(pool) < base.synthetic:
            left_out[name] = f"without it {len(pool):,} generated rows are left of {base.synthetic:,} needed"
            continue
        runs[name] = [_sized(base, f"{name}#{at}", real, pool, mixture, seed + at) for at in range(SEEDS)]
    tell(f"{len(runs):,} training sets of {len(base.rows):,} rows, {SEEDS} times each")
    tried = attempt([arm for arms in runs.values() for arm in arms])
    learnt = tried.learnt(runs)
    if BASE not in learnt:
        raise MixtureError(
            "the recipe's mix could not be learnt from: " + "; ".join(told_once(tried.problems))
        )
    scored = tried.repeated(learnt, seed)
    return {
        "metric": scored.metric,
        "dev_rows": scored.rows,
        "seeds": SEEDS,
        "rows": {"all": len(base.rows), "real": base.real, "synthetic": base.synthetic},
        "base": {"pool": len(pools[BASE]), "score": scored.estimate(BASE).to_json()},
        "without": {
            name: {
                "pool": len(pools[name]),
                "score": scored.estimate(name).to_json(),
                "worth": difference_of(scored.gap(BASE, name), scored.rows),
            }
            for name in learnt
            if name != BASE
        },
        "left_out": left_out,
        "problems": told_once(tried.problems),
    }


def _mixed(name: str, real: Sequence[Row], pool: Sequence[Row], mixture: Mixture, seed: int) -> Arm:
    mixed = mix(in_order(real, seed), in_order(pool, seed), mixture)
    rows = (*mixed.real, *mixed.synthetic)
    return Arm(name, rows, len(mixed.real), len(mixed.synthetic), mixed.note, seed)


def _sized(
    base: Arm, name: str, real: Sequence[Row], pool: Sequence[Row], mixture: Mixture, seed: int
) -> Arm:
    """A mix of another pool with the base's number of rows of each side."""
    if mixture.fixed == "real" or not mixture.slices:
        rows = (*in_order(real, seed)[: base.real], *in_order(pool, seed)[: base.synthetic])
        return Arm(name, rows, base.real, base.synthetic, base.note, seed)
    return _mixed(name, real, pool, replace(mixture, size=len(base.rows)), seed)
