"""Every measure on a sample, beside the real rows that stand against it, and what the pair says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from seedbed.core.hashing import seed_from
from seedbed.metrics import METRICS
from seedbed.metrics.protocol import Metric, Numbers, Side, Vectors
from seedbed.metrics.sample import Sample
from seedbed.stats.half_samples import half_sample_interval, half_samples
from seedbed.stats.intervals import Estimate
from seedbed.text.clusters import assign, cluster_count, fix_clusters
from seedbed.text.lexical import Lexical, unit

AS_VARIED = "as varied as the real data"
LESS_VARIED = "less varied"
MORE_VARIED = "more varied"
UNDECIDED = "undecided"
NOT_COMPARED = "not compared"


@dataclass(frozen=True, slots=True)
class Embedded:
    """Vectors of a sample's generated texts and of its whole pool of real ones, from any embedder."""

    generated: Vectors
    real: Vectors


def embed_lexically(sample: Sample, *, seed: int = 0) -> Embedded:
    """With the offline embedder, fitted on the real texts; without any, on the generated ones."""
    if not sample.real:
        return Embedded(Lexical.fit_and_embed(sample.generated, seed=seed)[1], np.empty((0, 1), np.float32))
    embedder, real = Lexical.fit_and_embed(sample.real, seed=seed)
    return Embedded(embedder.embed(sample.generated), real)


def measure(sample: Sample, embedded: Embedded | None = None, *, seed: int = 0) -> list[dict[str, Any]]:
    """One plain entry a measure, in the table's order; `embedded` stands in for the offline embedder.

    An entry has `name`, `label`, `value` with `low` and `high`, `real` with `real_low` and
    `real_high` (None without real rows), `better`, `verdict`, `note`.
    """
    generated, real = _sides(sample, embedded or embed_lexically(sample, seed=seed), seed)
    rows = len(sample.generated)
    halves = [half_samples(rows, seed=seed_from(seed, side)) for side in ("generated", "real")]
    entries = []
    for name in METRICS:
        metric: Metric = METRICS.get(name)()
        if metric.needs == "topics" and generated.topics is None:
            continue
        entries.append(_entry(metric, generated, real, halves))
    return entries


def _sides(sample: Sample, embedded: Embedded, seed: int) -> tuple[Side, Side | None]:
    vectors = unit(embedded.generated)
    if not sample.real:
        return Side(sample.generated, vectors), None
    pool = unit(embedded.real)
    count = cluster_count(len(pool))
    centres = fix_clusters(pool, count, seed=seed)
    generated = Side(sample.generated, vectors, assign(vectors, centres), count)
    if not sample.twins:
        return generated, None
    twins = np.array(sample.twins, dtype=np.intp)
    texts = [sample.real[row] for row in sample.twins]
    return generated, Side(texts, pool[twins], assign(pool[twins], centres), count)


def _entry(
    metric: Metric, generated: Side, real: Side | None, halves: Sequence[Sequence[Numbers]]
) -> dict[str, Any]:
    everything = np.arange(len(generated.texts))
    entry: dict[str, Any] = {"name": metric.name, "label": metric.label}
    ours = metric.prepare(generated)
    theirs = metric.prepare(real) if real is not None else None

    def both(our_rows: Numbers, their_rows: Numbers) -> tuple[float, float]:
        """The two values at equal size."""
        size = metric.size(ours, our_rows)
        if theirs is None:
            return metric.value(ours, our_rows, size), 0.0
        size = min(size, metric.size(theirs, their_rows))
        return metric.value(ours, our_rows, size), metric.value(theirs, their_rows, size)

    value, beside = both(everything, everything)
    draws = np.array([both(a, b) for a, b in zip(*halves, strict=True)])
    entry |= _named("", metric, half_sample_interval(value, draws[:, 0]))
    if real is None:
        nothing = dict.fromkeys(("real", "real_low", "real_high"))
        return entry | nothing | {"better": metric.better, "verdict": NOT_COMPARED, "note": ""}
    entry |= _named("real", metric, half_sample_interval(beside, draws[:, 1]))
    difference = _difference(metric, value, beside, draws)
    verdict, note = _verdict(metric, difference)
    return entry | {"better": metric.better, "verdict": verdict, "note": note}


def _named(side: str, metric: Metric, estimate: Estimate) -> dict[str, float]:
    """Six decimals: far below any sampling error. No end of an interval lies where no value can."""
    high = estimate.high if metric.ceiling is None else min(metric.ceiling, estimate.high)
    names = (side or "value", f"{side}_low".strip("_"), f"{side}_high".strip("_"))
    figures = (estimate.value, max(0.0, estimate.low), high)
    return {name: round(figure, 6) for name, figure in zip(names, figures, strict=True)}


def _difference(metric: Metric, value: float, real: float, draws: Any) -> Estimate | None:
    """How much more varied the generated side is, with its interval, in units of the margin."""
    sign = 1.0 if metric.better == "higher" else -1.0
    unit_of = np.array([real, *draws[:, 1]]) if metric.relative else np.ones(1 + len(draws))
    if not unit_of.all():
        return None
    apart = sign * (np.array([value, *draws[:, 0]]) - [real, *draws[:, 1]]) / unit_of / metric.margin
    return half_sample_interval(float(apart[0]), apart[1:])


def _verdict(metric: Metric, difference: Estimate | None) -> tuple[str, str]:
    """Words for a difference in units of the margin: only a whole interval beyond it decides."""
    if difference is None:
        return UNDECIDED, "the real rows have a value of 0, which no share can be taken of"
    if difference.high < -1:
        return LESS_VARIED, ""
    if difference.low > 1:
        return MORE_VARIED, ""
    if difference.lies_within(1):
        return AS_VARIED, ""
    by = f"{100 * metric.margin:.3g} %" if metric.relative else f"{metric.margin:g}"
    return UNDECIDED, f"the interval holds differences both below and above {by}"
