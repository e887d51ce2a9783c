"""The true rate behind what an imperfect judge says."""

from __future__ import annotations

import math
from dataclasses import dataclass

from seedbed.stats.intervals import LEVEL, Estimate, normal_quantile


@dataclass(frozen=True, slots=True)
class Share:
    """`hits` of `total` items; raises ValueError unless 0 <= hits <= total."""

    hits: int
    total: int

    def __post_init__(self) -> None:
        if not 0 <= self.hits <= self.total:
            raise ValueError(f"hits must lie in 0..total, not {self.hits} of {self.total}")

    def smoothed(self, extra: float) -> tuple[float, float]:
        """(share, items) with so many items added, half of them hits."""
        return (self.hits + extra / 2) / (self.total + extra), self.total + extra


def corrected_rate(
    found: Share, sensitivity: Share, specificity: Share, level: float = LEVEL
) -> Estimate | None:
    """θ = (p + q₀ − 1) / (q₀ + q₁ − 1): the rate of what is looked for, from the rate p that a judge finds.

    `found` is p among the items that the judge alone has seen; `sensitivity` q₁ and `specificity` q₀ come
    from other items, of which people say what they are (Rogan & Gladen 1978; for judges Lee et al. 2025,
    arXiv 2511.21140). The interval has the uncertainty of all three, by Lang & Reiczigel 2014 (Preventive
    Veterinary Medicine 113:13): normal, with z² items added to p and 2 to each q, half of them hits, and
    the centre moved by what the two q are off. Figures end at 0 and 1.

    None where nothing can be said: one of the three rests on no item, or the judge does no better than
    chance (q₀ + q₁ ≤ 1), and what it says holds nothing of the rate.
    """
    if not (found.total and sensitivity.total and specificity.total):
        return None
    youden = sensitivity.hits / sensitivity.total + specificity.hits / specificity.total - 1
    z = normal_quantile(level)
    p, n = found.smoothed(z * z)
    q1, n1 = sensitivity.smoothed(2)
    q0, n0 = specificity.smoothed(2)
    told = q0 + q1 - 1
    if youden <= 0 or told <= 0:
        return None
    value = (found.hits / found.total + specificity.hits / specificity.total - 1) / youden
    centre = (p + q0 - 1) / told
    off_1, off_0 = q1 * (1 - q1) / n1, q0 * (1 - q0) / n0
    moved = centre + 2 * z * z * (centre * off_1 - (1 - centre) * off_0)
    reach = z * math.sqrt(p * (1 - p) / n + centre**2 * off_1 + (1 - centre) ** 2 * off_0) / told
    value = _within(value)
    return Estimate(value, min(value, _within(moved - reach)), max(value, _within(moved + reach)))


def _within(rate: float) -> float:
    return min(1.0, max(0.0, rate))
